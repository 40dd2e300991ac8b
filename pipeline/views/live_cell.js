const GIB = 2 ** 30;
const HEIGHT = 150, TOP = 6, BOTTOM = 18, LEFT = 4, RIGHT = 80, LEAST = 240, PADDING = 20;
const STATUS = {
  waiting: "waiting for the first sample", live: "", paused: "paused: this page was not seen for a while",
  ended: "ended; run the cell again to go on", failed: "ended by an error",
};

const gib = (bytes) => (bytes / GIB).toFixed(bytes < 10 * GIB ? 2 : 1) + " GiB";

function element(name, attributes = {}, text = "") {
  const made = document.createElement(name);
  Object.assign(made, attributes);
  made.textContent = text;
  return made;
}

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/* The page may be of any program, so it is dark where what lies behind is. */
function isDark(node) {
  for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
    const parts = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (parts && (parts.length < 4 || parts[3] > 0.5)) return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function chart(pool, picture, colours, width) {
  const svg = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img" });
  const right = width - RIGHT;
  const x = (seconds) => LEFT + (right - LEFT) * (1 + seconds / picture.window);
  const y = (bytes) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, bytes / pool.total));
  const points = pool.points;
  const area = (low, high, fill) => {
    if (!points.length) return;
    const there = points.map((point) => `${x(point[0])},${y(high(point))}`);
    const back = points.map((point) => `${x(point[0])},${y(low(point))}`).reverse();
    svg.append(shape("polygon", { points: [...there, ...back].join(" "), fill, "fill-opacity": 0.85 }));
  };
  svg.append(shape("line", { x1: LEFT, x2: right, y1: y(0), y2: y(0), stroke: colours.faint }));
  area(() => 0, ([, external]) => external, colours.external);
  area(([, external]) => external, ([, external, own]) => external + own, colours.own);
  for (const [name, level] of Object.entries(pool.ceilings)) {
    svg.append(shape("line", { x1: LEFT, x2: right, y1: y(level), y2: y(level), stroke: colours[name], "stroke-width": 1.2 }));
  }
  const bound = points.map(([seconds, , own, bound]) => `${x(seconds)},${y(own + bound)}`).join(" ");
  svg.append(shape("polyline", { points: bound, fill: "none", stroke: colours.bound, "stroke-width": 1.8, "stroke-dasharray": "5 3" }));
  label(svg, pool, colours, y, right + 6);
  const last = points.at(-1);
  svg.setAttribute("aria-label", last
    ? `${pool.name}: others hold ${gib(last[1])}, ours ${gib(last[2])}, of ${gib(pool.total)}`
    : `${pool.name}: not read`);
  for (const [seconds, text, anchor] of [[-picture.window, `${picture.window} s ago`, "start"], [0, "now", "end"]]) {
    svg.append(shape("text", { x: x(seconds), y: HEIGHT - 4, fill: colours.ink, "text-anchor": anchor }, text));
  }
  return svg;
}

/* Ceilings lie close together: names are moved apart, and stand in the order of the lines. */
function label(svg, pool, colours, y, left) {
  const names = Object.entries(pool.ceilings).sort(([, one], [, other]) => other - one);
  let free = TOP;
  for (const [name, level] of names) {
    const at = Math.max(free, y(level));
    const share = Math.round((100 * level) / pool.total);
    svg.append(shape("text", { x: left, y: at + 4, fill: colours[name] }, `${name} ${share}%`));
    free = at + 13;
  }
}

function key(colours) {
  const entries = [["others", colours.external], ["ours", colours.own], ["bound on what is coming", colours.bound, "dashed"]];
  const made = element("div", { className: "key" });
  for (const [text, colour, kind] of entries) {
    const line = element("span", {}, text);
    const mark = element("i", { className: kind ?? "" });
    mark.style.borderColor = colour;
    line.prepend(mark);
    made.append(line);
  }
  return made;
}

function poolTitle(pool) {
  const last = pool.points.at(-1);
  if (!last) return `${pool.name}: not read`;
  const [, external, own, bound] = last;
  return `${pool.name}: others ${gib(external)}, at most ${gib(bound)} soon; ours ${gib(own)}; of ${gib(pool.total)}`;
}

function ago(seconds) {
  return seconds < 90 ? `${Math.round(seconds)} s ago` : `${Math.round(seconds / 60)} min ago`;
}

function decisions(picture, colours) {
  const list = element("ul");
  for (const [seconds, kind, sentence] of picture.decisions) {
    const item = element("li", {}, `${ago(seconds)}: ${sentence}`);
    item.style.borderColor = { upgrade: colours.up, downgrade: colours.down, shed: colours.shed }[kind];
    list.append(item);
  }
  return list;
}

function draw(model, root) {
  const colours = model.get("palettes")[isDark(root.parentElement ?? root) ? "dark" : "light"];
  const picture = model.get("picture"), status = model.get("status"), problem = model.get("problem");
  root.style.color = colours.ink;
  root.style.background = colours.paper;
  root.style.border = `1px solid ${colours.faint}`;
  const head = element("header");
  head.append(element("b", {}, picture.rung ? `rung: ${picture.rung}` : "nothing loaded"));
  const said = picture.pools ? (status === "waiting" ? "" : STATUS[status]) : status === "live" ? STATUS.waiting : STATUS[status];
  head.append(element("span", { className: "status" }, said));
  const parts = [head], width = Math.max(LEAST, root.clientWidth - PADDING);
  for (const pool of picture.pools ?? []) parts.push(element("div", {}, poolTitle(pool)), chart(pool, picture, colours, width));
  if (picture.pools?.length) parts.push(key(colours));
  if (picture.decisions?.length) parts.push(decisions(picture, colours));
  if (problem) parts.push(element("div", { className: "problem", role: "alert" }, problem));
  root.replaceChildren(...parts);
}

function render({ model, el }) {
  const root = element("div", { className: "gearshift-live" });
  el.append(root);
  const view = crypto.randomUUID?.() ?? String(Math.random());
  const redraw = () => {
    try {
      draw(model, root);
    } catch (error) {
      root.textContent = `The picture can't be drawn: ${error}`;
      throw error;
    }
  };
  const seen = () => model.send({ kind: "seen", view });
  const shown = () => document.visibilityState === "visible" && seen();
  const pulse = setInterval(seen, 1000 * model.get("ping"));
  document.addEventListener("visibilitychange", shown);
  model.on("change", redraw);
  requestAnimationFrame(redraw);
  seen();
  return () => {
    clearInterval(pulse);
    document.removeEventListener("visibilitychange", shown);
    model.off("change", redraw);
    try {
      model.send({ kind: "gone", view });
    } catch {
      /* the widget was closed by the kernel, which knows */
    }
  };
}

export default { render };
