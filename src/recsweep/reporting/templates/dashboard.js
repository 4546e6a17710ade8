"use strict";
// Asks for the live part every two seconds and shows it when it changed.
(() => {
  const place = document.getElementById("live");
  const lost = document.getElementById("lost");
  let shown = "";
  let heard = new Date();

  const look = async () => {
    try {
      const answer = await fetch(place.dataset.from, { headers: { "If-None-Match": shown }, cache: "no-store" });
      heard = new Date();
      lost.hidden = true;
      if (answer.status === 200) {
        const tag = answer.headers.get("ETag") || "";
        const html = await answer.text();
        if (tag !== shown || !shown) {
          const focus = document.activeElement && place.contains(document.activeElement) ? document.activeElement.id : "";
          const open = [...place.querySelectorAll("details[open]")].map((d) => d.id);
          place.innerHTML = html;
          for (const id of open) if (document.getElementById(id)) document.getElementById(id).open = true;
          if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
          place.setAttribute("aria-busy", "false");
          shown = tag;
        }
      }
    } catch {
      lost.querySelector("p").textContent = lost.dataset.text.replace("{time}", heard.toLocaleTimeString());
      lost.hidden = false;
    }
    setTimeout(look, document.hidden ? 10000 : 2000);
  };
  look();
})();
