"use strict";
// The family filter, and a print that unfolds how the study was done: of the search, what is open. Without this file the page is whole.
(() => {
  const form = document.getElementById("filter");
  const boxes = [...form.querySelectorAll("input")];
  const status = form.querySelector(".status");
  const marked = [...document.querySelectorAll("[data-family]")];

  const apply = () => {
    const on = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    for (const element of marked) {
      const families = element.dataset.family.split(" ");
      element.classList.toggle("off", !families.every((family) => on.has(family)));
    }
    status.textContent = form.dataset.shown
      .replace("{shown}", on.size)
      .replace("{all}", boxes.length);
    document.dispatchEvent(new Event("filter"));
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", apply);
  for (const button of form.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      for (const box of boxes) box.checked = button.dataset.all === "1";
      apply();
    });
  }

  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("#data, #reproduce, #protocol")].filter((part) => !part.open);
    for (const details of opened) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
