// Trials by pointer, finger and keyboard: a tooltip, the same trial in every chart, and their table.
(() => {
  const data = JSON.parse(document.getElementById("study-data").textContent);
  const { words } = data;
  const trials = new Map(data.trials.map((trial) => [trial.id, trial]));
  const families = new Map(data.families.map((family) => [String(family.mark), family]));
  const selected = new Set(data.selected);
  const shown = (v) => (typeof v === "number" && !Number.isInteger(v) ? String(+v.toPrecision(3)) : String(v));
  const score = (v) => (v === null ? "–" : v.toFixed(4));
  const made = (name, text = "", class_ = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    if (class_) element.className = class_;
    return element;
  };
  const drawn = new Map(); // trial -> what shows it, charts' series and its row
  const shows = (id, element) => drawn.set(id, [...(drawn.get(id) || []), element]);
  for (const { items } of charts.all) for (const { trial, g } of items) if (trial) shows(trial, g);

  // -- the tooltip, and one trial in all charts ----------------------------------------------------
  const tip = document.getElementById("tip");
  let lit = [], kept = false;

  const release = () => {
    for (const element of lit) element.classList.remove("lit");
    for (const { svg } of charts.all) svg.classList.remove("dim");
    [lit, kept, tip.hidden] = [[], false, true];
  };
  const light = (elements) => {
    release();
    lit = elements;
    for (const element of lit) {
      element.classList.add("lit");
      element.closest("svg")?.classList.add("dim");
    }
  };
  const head = (mark, text) => {
    const line = made("p", "", "tip-head");
    line.innerHTML = families.get(String(mark)).swatch; // drawn by the report itself
    line.append(made("b", text));
    return line;
  };
  const describe = (trial) => {
    const state = words[`state_${trial.state}`].replace("{epochs}", trial.epochs);
    const lines = [made("p", `${state} · ${shown(trial.seconds)} ${words.core_seconds.toLowerCase()}`)];
    if (trial.score !== null) {
      lines.unshift(made("p", `${data.metric} ${score(trial.score)} · ${words.at_epoch.replace("{epoch}", trial.best)}`));
    }
    if (trial.reason) lines.push(made("p", trial.reason));
    const settings = made("dl");
    for (const [name, value] of Object.entries(trial.config)) settings.append(made("dt", name), made("dd", shown(value)));
    const what = [selected.has(trial.id) && words.selected_trial, trial.id.endsWith("-0000") && words.first_trial];
    tip.replaceChildren(head(trial.mark, [trial.id, ...what.filter(Boolean)].join(" · ")), ...lines, settings);
  };
  const put = (x, y) => { // beside the place, inside of the window
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = x + 16 + width > innerWidth ? x - 16 - width : x + 16;
    tip.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    tip.style.top = `${Math.max(8, Math.min(y + 16, innerHeight - height - 8))}px`;
  };
  const tell = (chart, item, place) => {
    const trial = trials.get(item.trial);
    light(trial ? drawn.get(item.trial) : [item.g]);
    if (trial) describe(trial);
    else {
      const near = (n) => Math.hypot(item.places[n][0] - place[0], item.places[n][1] - place[1]);
      const n = [...item.places.keys()].reduce((a, b) => (near(b) < near(a) ? b : a));
      const [x, y] = item.values[n], across = chart.axes.querySelector(".across").textContent;
      const line = made("p", `${data.metric} ${score(y)} · ${across} ${charts.brief(+x.toPrecision(3))}`);
      tip.replaceChildren(head(item.family, families.get(item.family).name), line);
    }
  };
  const onScreen = (svg, [x, y]) => {
    const { x: left, y: top } = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
    return [left, top];
  };

  for (const chart of charts.all) {
    const { svg } = chart;
    const find = (event, within) => {
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const item = charts.nearest(chart, [x, y], within);
      if (item) {
        tell(chart, item, [x, y]);
        put(event.clientX, event.clientY);
      } else release();
      return item;
    };
    svg.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && !kept) find(event, 24);
    });
    svg.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && !kept) release();
    });
    svg.addEventListener("click", (event) => {
      kept = Boolean(find(event, 40));
      event.stopPropagation();
    });

    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-label", `${svg.getAttribute("aria-label")}. ${words.chart_keys}`);
    let current = null;
    const step = (by) => {
      const order = charts.shown(chart).sort((a, b) => a.places.at(-1)[1] - b.places.at(-1)[1]);
      if (!order.length) return;
      const n = order.indexOf(current);
      current = order[n < 0 ? 0 : (n + by + order.length) % order.length];
      const place = current.places.at(-1);
      tell(chart, current, place);
      put(...onScreen(svg, place));
    };
    const keys = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    svg.addEventListener("keydown", (event) => {
      if (event.key in keys) step(keys[event.key]);
      else if (event.key === "Enter") kept = lit.length > 0;
      else return;
      event.preventDefault();
    });
    svg.addEventListener("blur", () => {
      current = null;
      if (!kept) release();
    });
  }
  document.addEventListener("click", release);
  document.addEventListener("keydown", (event) => event.key === "Escape" && release());

  // -- a parameter against the score ---------------------------------------------------------------
  for (const choose of document.querySelectorAll("select.parameter")) {
    const figure = choose.closest(".panel");
    const chart = charts.all.find(({ svg }) => figure.contains(svg));
    const family = families.get(figure.dataset.family);
    const [from, to] = chart.reach;
    choose.hidden = false;
    choose.addEventListener("change", () => {
      release();
      const { name, choices, low, high, log, whole } = family.parameters.find((p) => p.name === choose.value);
      const inset = choices ? 28 : 0; // room for the names of the first and the last
      chart.reach = [from + inset, to - inset];
      Object.assign(chart.x, choices ? { low: 0, high: choices.length - 1, log: false } : { low, high, log });
      Object.assign(chart, { names: choices?.map(String), whole: whole && !log });
      for (const item of chart.items) {
        const value = trials.get(item.trial).config[name];
        item.gone = value === undefined;
        if (item.gone) continue;
        for (const p of item.marks) p.values = [[choices ? choices.indexOf(value) : value, item.values[0][1]]];
        item.values = item.marks[0].values;
      }
      chart.axes.querySelector(".across").textContent = name;
      charts.refit();
    });
  }

  // -- the table -----------------------------------------------------------------------------------
  const number = (name, value, format = String) => ({ name, value, format, class_: "number" });
  const columns = [
    { name: words.trial, value: (t) => t.id },
    number(data.metric, (t) => t.score, score),
    number(words.best_epoch, (t) => t.best),
    number(words.epochs, (t) => t.epochs),
    number(words.core_seconds, (t) => t.seconds, (v) => v.toFixed(v < 100 ? 1 : 0)),
    { name: words.state, value: (t) => words[t.state] },
    { name: words.family, value: (t) => families.get(String(t.mark)).name },
    { name: words.settings, value: (t) => Object.entries(t.config).map(([name, v]) => `${name} ${shown(v)}`).join(", ") },
  ];
  const table = made("table", "", "trials"), body = made("tbody"), heads = made("tr");
  const rows = data.trials.map((trial) => {
    const row = made("tr");
    row.dataset.trial = trial.id;
    row.dataset.family = trial.mark;
    columns.forEach(({ value, format = String, class_ }, n) => {
      const found = value(trial), cell = made(n ? "td" : "th", "", class_);
      cell.textContent = n ? (found === null ? "–" : format(found)) : selected.has(found) ? " ★" : "";
      if (!n) {
        const button = made("button", found);
        button.type = "button";
        cell.scope = "row";
        cell.prepend(button);
      }
      row.append(cell);
    });
    const tellRow = (event) => {
      light(drawn.get(trial.id));
      describe(trial);
      const { left, bottom } = row.getBoundingClientRect();
      put(event.clientX || left + 80, event.clientY || bottom);
    };
    row.addEventListener("pointermove", (event) => event.pointerType === "mouse" && !kept && tellRow(event));
    row.addEventListener("pointerleave", () => kept || release());
    row.addEventListener("click", (event) => {
      tellRow(event);
      kept = true;
      event.stopPropagation();
    });
    shows(trial.id, row);
    return { trial, row, text: columns.map(({ value }) => value(trial)).join(" ").toLowerCase() };
  });
  const sort = (n, down) => {
    const { value } = columns[n], way = down ? -1 : 1;
    const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
    rows.sort((one, two) => {
      const [a, b] = [value(one.trial), value(two.trial)];
      return a === null || b === null ? (a === null) - (b === null) : way * compare(a, b);
    });
    body.append(...rows.map(({ row }) => row));
    for (const [k, th] of [...heads.children].entries()) {
      if (k === n) th.setAttribute("aria-sort", down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    }
  };
  columns.forEach(({ name, class_ }, n) => {
    const th = made("th", "", class_), button = made("button", name);
    th.scope = "col";
    button.type = "button";
    button.addEventListener("click", () => { // numbers begin with the largest, words with A
      const sorted = th.getAttribute("aria-sort");
      sort(n, sorted ? sorted === "ascending" : Boolean(class_));
    });
    th.append(button);
    heads.append(th);
  });
  table.append(made("thead"), body);
  table.tHead.append(heads);
  table.setAttribute("aria-labelledby", "h-all_trials");
  sort(1, data.sign > 0);
  const holder = document.getElementById("trial-table");
  holder.append(table);
  holder.hidden = false;

  // -- the filter of trials: words, and comparisons such as `depth=2` or `epochs<5` ------------------
  const form = document.getElementById("find");
  const [text, state, status] = form.children;
  const tests = { "=": (a, b) => String(a).toLowerCase() === b || +a === +b, "<": (a, b) => +a < +b, ">": (a, b) => +a > +b };
  const holds = ({ trial, text: said }, word) => {
    const [, name, sign, value] = word.match(/^(\w+)([=<>])(.+)$/) || [];
    if (!name) return said.includes(word);
    const found = { ...trial, ...trial.config }[name];
    return found !== undefined && found !== null && tests[sign](found, value);
  };
  const say = () => {
    const left = rows.filter(({ row }) => !row.closest(".off, .out")).length;
    status.textContent = words.trials_shown.replace("{shown}", left).replace("{all}", rows.length);
  };
  const apply = () => {
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const entry of rows) {
      const out = (state.value && entry.trial.state !== state.value) || !wanted.every((word) => holds(entry, word));
      for (const element of drawn.get(entry.trial.id)) element.classList.toggle("out", Boolean(out));
    }
    document.dispatchEvent(new Event("filter"));
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", apply);
  document.addEventListener("filter", () => {
    release();
    say();
  });
  charts.refit();
  say();
})();
