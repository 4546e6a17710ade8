"use strict";
// Charts as wide as there is room, with axes that follow what the filters leave.
//
// A chart is an SVG drawn 360 units wide that names its scales: `data-x`, `data-y` are "low high
// start end [log]". Whatever moves stands in a `.series`, a trial's or a family's: strokes as paths,
// the rest put in place by a `transform`. Values are read back from where things were drawn.
const charts = (() => {
  const DRAWN = 360, PAPER = 640, TOP = 14, BOTTOM = 34, LEFT = 42, GAP = 12.5;
  const STEPS = [5, 2.5, 2, 1], STEPS_OF_WHOLE = [5, 4, 2, 1], MOST = 6;

  const pairs = (text) => {
    const found = (text.match(/-?\d[\d.e+-]*/g) || []).map(Number);
    return found.flatMap((v, n) => (n % 2 ? [] : [[v, found[n + 1]]]));
  };
  const scale = (text) => {
    const [low, high, start, end] = text.split(" ").map(Number);
    return { low, high, start, end, log: text.endsWith("log") };
  };
  const at = (s, v) => {
    if (s.high === s.low) return (s.start + s.end) / 2;
    const share = s.log ? Math.log(v / s.low) / Math.log(s.high / s.low) : (v - s.low) / (s.high - s.low);
    return s.start + share * (s.end - s.start);
  };
  const valueAt = (s, place) => {
    if (s.high === s.low) return s.low;
    const share = (place - s.start) / (s.end - s.start);
    return s.log ? s.low * (s.high / s.low) ** share : s.low + share * (s.high - s.low);
  };

  // The same rules as `Scale.ticks` and `nice_range` in charts/svg.py.
  const linear = (low, high, whole) => {
    const power = Math.floor(Math.log10(high - low));
    let best = [];
    for (const step of [power, power - 1].flatMap((p) => (whole ? STEPS_OF_WHOLE : STEPS).map((m) => m * 10 ** p))) {
      const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
      if ((whole && step < 1) || last - first >= MOST || best.length > 3) break;
      best = Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => (first + n) * step);
    }
    return best;
  };
  const ticks = (s, whole) => {
    if (s.high <= s.low) return [s.low];
    if (!s.log) return linear(s.low, s.high, whole);
    const from = Math.floor(Math.log10(s.low)), to = Math.ceil(Math.log10(s.high));
    for (const steps of [[1], [1, 3], [1, 2, 5]]) {
      let found = [];
      for (let p = from; p <= to; p++) found.push(...steps.map((m) => m * 10 ** p));
      found = found.filter((v) => s.low * 0.999 <= v && v <= s.high * 1.001);
      const each = Math.ceil(found.length / MOST);
      if (found.length >= 3) return found.filter((_, n) => n % each === 0);
    }
    return linear(s.low, s.high);
  };
  const airy = (values) => {
    const low = Math.min(...values), high = Math.max(...values);
    const air = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    return [low - air > 0 || low < 0 ? low - air : 0, high + air];
  };
  const brief = (v) => {
    const power = v >= 1000 ? Math.floor(Math.log10(v) / 3 + 1e-9) : 0;
    return String(+(v / 1000 ** power).toPrecision(6)) + ["", "k", "M", "G"][Math.min(power, 3)];
  };
  const spread = (wanted, low, high) => {
    const order = wanted.map((_, n) => n).sort((a, b) => wanted[a] - wanted[b]);
    const placed = [];
    for (const n of order) placed.push(Math.max(wanted[n], placed.length ? placed.at(-1) + GAP : low));
    for (let k = placed.length - 1, ceiling = high; k >= 0; k--, ceiling = placed[k + 1] - GAP) {
      placed[k] = Math.min(placed[k], ceiling);
    }
    const out = [];
    order.forEach((n, k) => (out[n] = placed[k]));
    return out;
  };

  const make = (name, attributes, text = "") => {
    const element = document.createElementNS(document.querySelector("svg").namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };

  const readItem = (g, x, y) => {
    const part = (el, text) => ({ el, places: pairs(el.getAttribute(text)) });
    const strokes = [...g.querySelectorAll(":scope > path:not([transform], .lead, .onward)")];
    const marks = [...g.querySelectorAll(":scope > [transform]")];
    const item = {
      g, trial: g.dataset.trial, family: g.dataset.family,
      strokes: strokes.map((el) => part(el, "d")),
      marks: marks.map((el) => part(el, "transform")),
      onward: g.querySelector(".onward"), lead: g.querySelector(".lead"), name: g.querySelector(":scope > .name"),
    };
    item.places = (item.strokes[0] || item.marks[0]).places; // what a pointer looks for
    const exact = g.dataset.points && pairs(g.dataset.points);
    if (x) {
      const values = (places) => places.map(([a, b]) => [valueAt(x, a), valueAt(y, b)]);
      for (const p of item.strokes) p.values = exact || values(p.places);
      item.marks.forEach((p, n) => {
        p.values = exact ? [exact.at(item.marks.length === exact.length ? n : -1)] : values(p.places);
      });
      item.values = exact || (item.strokes[0] || item.marks[0]).values;
    }
    if (item.lead) item.labelled = [pairs(item.lead.getAttribute("d"))[0][0], +item.name.getAttribute("x")];
    g.querySelector("title")?.remove(); // the tooltip says more
    return item;
  };
  const read = (svg) => {
    const x = svg.dataset.x && scale(svg.dataset.x), y = svg.dataset.y && scale(svg.dataset.y);
    const [, , , height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const leader = svg.querySelector(".leader");
    return {
      svg, x, y, height, width: DRAWN, axes: svg.querySelector(".axes"), reach: x && [x.start, x.end],
      names: svg.dataset.names?.split("|"), whole: "whole" in svg.dataset, fixed: "fixed" in svg.dataset,
      leader: leader && { g: leader, value: valueAt(y, pairs(leader.getAttribute("transform"))[0][1]) },
      items: [...svg.querySelectorAll(".series")].map((g) => readItem(g, x, y)),
    };
  };
  const on = (g) => !g.closest(".off, .out");

  const all = [...document.querySelectorAll("svg.chart")].map(read);
  const live = all.filter((chart) => chart.x);
  const shares = new Set(live.map(({ svg }) => svg.dataset.share || svg));
  const groups = [...shares].map((share) => live.filter(({ svg }) => (svg.dataset.share || svg) === share));

  const fit = (group) => { // the scales of what is shown
    const charts = group.filter(({ svg }) => on(svg));
    const values = charts.flatMap((c) => c.items.filter((i) => !i.gone && on(i.g)).flatMap((i) => i.values));
    if (!values.length) return;
    const across = values.map(([v]) => v);
    const levels = charts.filter((c) => c.leader && on(c.leader.g)).map((c) => c.leader.value);
    const [low, high] = airy([...values.map(([, v]) => v), ...levels]);
    for (const chart of group) {
      Object.assign(chart.y, { low, high });
      if (!chart.fixed) Object.assign(chart.x, { low: Math.min(...across), high: Math.max(...across) });
    }
  };

  const drawAxes = ({ svg, axes, x, y, names, whole, height, width }) => {
    const texts = [], rules = [], rows = ticks(y);
    const decimals = [0, 1, 2, 3, 4, 5].find((d) => rows.every((v) => Math.abs(+v.toFixed(d) - v) < 1e-9)) ?? 5;
    for (const v of rows) {
      rules.push(make("path", { d: `M${LEFT} ${at(y, v)}H${x.end}`, class: "rule" }));
      texts.push(make("text", { x: LEFT - 5, y: at(y, v) + 3.5, class: "tick end" }, v.toFixed(decimals)));
    }
    const longest = names && Math.max(3, Math.floor((width - LEFT) / 6.5 / names.length));
    for (const v of names ? names.keys() : ticks(x, whole)) {
      const name = names?.[v], text = !names ? brief(v) : name.length > longest ? name.slice(0, longest - 1) + "…" : name;
      texts.push(make("text", { x: at(x, v), y: height - BOTTOM + 15, class: "tick middle" }, text));
    }
    const below = axes.querySelector(".across");
    below.setAttribute("x", (LEFT + x.end) / 2);
    axes.replaceChildren(...rules, ...texts, below, ...axes.querySelectorAll(".upwards"));
  };

  const draw = (chart, width) => {
    const { svg, x, y, height, reach, items, leader } = chart, wider = width - DRAWN;
    chart.width = width;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    x.start = reach[0];
    x.end = reach[1] + wider;
    drawAxes(chart);
    if (leader) {
      leader.g.setAttribute("transform", `translate(0 ${at(y, leader.value).toFixed(1)})`);
      leader.g.querySelector("path").setAttribute("d", `M${LEFT} 0H${x.end}`);
    }
    const there = (values) => values.map(([a, b]) => [at(x, a), at(y, b)]);
    const written = (places) => places.map((p) => p.map((v) => v.toFixed(1)).join(" "));
    for (const item of items) {
      item.g.classList.toggle("gone", Boolean(item.gone));
      if (item.gone) continue;
      item.places = there(item.values);
      for (const p of item.strokes) p.el.setAttribute("d", "M" + written(there(p.values)).join("L"));
      for (const p of item.marks) p.el.setAttribute("transform", `translate(${written(there(p.values))[0]})`);
      const [a, b] = item.places.at(-1);
      item.onward?.setAttribute("d", `M${a.toFixed(1)} ${b.toFixed(1)}H${item.labelled[0] - 2 + wider}`);
    }
    const named = items.filter((item) => item.name && item.labelled && on(item.g));
    const rows = spread(named.map((item) => item.places.at(-1)[1]), TOP + 2, height - BOTTOM + 4);
    named.forEach(({ labelled: [lead, name], ...item }, n) => {
      const from = lead + wider, y0 = item.places.at(-1)[1].toFixed(1), y1 = rows[n].toFixed(1);
      item.lead.setAttribute("d", `M${from} ${y0}L${from + 4} ${y1}L${from + 7} ${y1}`);
      item.name.setAttribute("x", name + wider);
      item.name.setAttribute("y", rows[n] + 3.5);
    });
  };

  let printed = false;
  const onPaper = ({ svg }) => (svg.closest(".full") ? PAPER : DRAWN);
  const room = (chart) => (printed ? onPaper(chart) : Math.round(chart.svg.clientWidth) || chart.width);
  const refit = () => {
    for (const group of groups) fit(group);
    for (const chart of live) draw(chart, room(chart));
  };
  const grown = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = live.find(({ svg }) => svg === target);
      if (!printed && room(chart) !== chart.width) draw(chart, room(chart));
    }
  });
  for (const { svg } of live) grown.observe(svg);
  for (const [event, paper] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(event, () => {
      printed = paper;
      for (const chart of live) draw(chart, room(chart));
    });
  }
  document.addEventListener("filter", refit);

  // Distance from a place to what is drawn of an item: its points, and the strokes between them.
  const away = (item, [px, py]) => {
    let least = Infinity;
    item.places.forEach(([bx, by], n) => {
      const [ax, ay] = n && item.strokes.length ? item.places[n - 1] : [bx, by];
      const length = (bx - ax) ** 2 + (by - ay) ** 2;
      const share = length ? Math.min(1, Math.max(0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length)) : 0;
      least = Math.min(least, Math.hypot(px - ax - share * (bx - ax), py - ay - share * (by - ay)));
    });
    return least;
  };
  const shown = (chart) => chart.items.filter((item) => !item.gone && on(item.g));
  const nearest = (chart, place, within) => {
    let found = null;
    for (const item of shown(chart)) {
      const distance = away(item, place);
      if (distance < within) [found, within] = [item, distance];
    }
    return found;
  };
  return { all, brief, draw: (chart) => draw(chart, room(chart)), fit, make, nearest, refit, shown };
})();
