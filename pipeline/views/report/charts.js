// What plotly is given to draw: traces and layouts, in the colours of the theme.

const MARGIN = { l: 44, r: 10, t: 22, b: 26 };
const GIB = 2 ** 30;
const SYMBOLS = { upgrade: "triangle-up", downgrade: "triangle-down", shed: "square" };
const system = matchMedia("(prefers-color-scheme: dark)");
const PAPER = 680; // pixels of a printed page
let printing = false;
let theme = ""; // the reader's choice, else the system's

function palette() {
  return data.palettes[theme || (system.matches ? "dark" : "light")];
}

function rungColour(rank) {
  const colours = palette();
  return rank < 0 ? colours.nothing : colours.rungs[rank % colours.rungs.length];
}

// plotly reads a little HTML in texts: names from a recording must stay names
function plain(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function wrapped(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line && line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.map(plain).join("<br>");
}

function unitOf(pool) {
  return pool.total < 2 * GIB ? { name: "MiB", size: 2 ** 20 } : { name: "GiB", size: GIB };
}

function area(drawn, colour) {
  const line = { width: 1, color: colour };
  return { ...drawn, type: "scatter", mode: "lines", fill: "tozeroy", fillcolor: colour, line, hoverinfo: "skip" };
}

function laneTraces(bands, view, width, y, axis, thick) {
  return lanes(bands, view, width, y).map((lane) => ({
    x: lane.x,
    y: lane.y,
    yaxis: axis,
    type: "scatter",
    mode: "lines",
    hoverinfo: "skip",
    line: { width: lane.shifting || lane.rank < 0 ? thick / 4 : thick, color: rungColour(lane.rank), simplify: false },
  }));
}

// Decisions at the use they were made at; hollow in the pools that they were not about.
function markerTraces(pool, unit, selected) {
  const colours = palette();
  const width = innerWidth < 600 ? 38 : 64;
  return [
    ["upgrade", colours.up],
    ["downgrade", colours.down],
    ["shed", colours.shed],
  ].map(([kind, colour]) => {
    const told = decisions.filter((decision) => decision.kind === kind);
    return {
      x: told.map((decision) => zero + decision.at),
      y: told.map((decision) => (pool.used[sampleAt(decision.at)] || 0) / unit),
      text: told.map((decision) => `<b>${clock(decision.at)}</b><br>${wrapped(decision.text, width)}`),
      name: kind,
      type: "scatter",
      mode: "markers",
      hoverinfo: "text",
      cliponaxis: false,
      marker: {
        symbol: told.map(({ pool: about }) => SYMBOLS[kind] + (about && about !== pool.name ? "-open" : "")),
        opacity: 1,
        size: told.map((decision) => (decision === selected ? 18 : 12)),
        color: colour,
        line: { width: 1.5, color: told.map(({ pool: about }) => (about && about !== pool.name ? colour : colours.paper)) },
      },
    };
  });
}

function poolTraces(pool, view, width, selected) {
  const [colours, unit] = [palette(), unitOf(pool).size];
  const bound = { type: "scatter", mode: "lines", hoverinfo: "skip", line: { width: 1.5, color: colours.bound } };
  return [
    { name: "own", ...area(thinned(pool.used, view, width, unit), colours.own) },
    { name: "external", ...area(thinned(pool.external, view, width, unit), colours.external) },
    { name: "bound", ...thinned(pool.bound, view, width, unit), ...bound },
    ...laneTraces(data.bands, view, width, 0.5, "y2", 14),
    ...markerTraces(pool, unit, selected),
  ];
}

function level(y, colour, dash) {
  return { type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, line: { color: colour, width: 1.5, dash } };
}

function upright(at, colour, dash) {
  const x = zero + at;
  return { type: "line", yref: "paper", y0: 0, y1: 1, x0: x, x1: x, line: { color: colour, width: 1, dash } };
}

function uprights(selected) {
  const colours = palette();
  const drawn = data.marks.map((mark) => upright(mark.at, colours.low, "dot"));
  return selected ? [...drawn, upright(selected.at, colours.ink, "solid")] : drawn;
}

function baseLayout(box, view) {
  const colours = palette();
  const axis = { color: colours.ink, gridcolor: colours.faint, linecolor: colours.faint, zeroline: false };
  const stops = [
    { dtickrange: [null, 1000], value: "%H:%M:%S.%1f" },
    { dtickrange: [1000, 60000], value: "%H:%M:%S" },
    { dtickrange: [60000, 86400000], value: whole.to > 86400000 && !data.wall ? "day %-j %H:%M" : "%H:%M" },
    { dtickrange: [86400000, null], value: data.wall ? "%-d %b" : "day %-j" },
  ];
  const range = [zero + view.from, zero + view.to];
  return {
    margin: MARGIN,
    width: printing ? PAPER : box.clientWidth,
    paper_bgcolor: colours.paper,
    plot_bgcolor: colours.paper,
    font: { color: colours.ink, size: 12, family: "system-ui, sans-serif" },
    showlegend: false,
    hovermode: "closest",
    dragmode: "zoom",
    hoverlabel: { bgcolor: colours.paper, bordercolor: colours.ink, font: { color: colours.ink }, align: "left" },
    xaxis: { ...axis, type: "date", range, tickformatstops: stops, nticks: innerWidth < 600 ? 4 : 8, tickangle: 0 },
    yaxis: { ...axis, fixedrange: true },
  };
}

function poolLayout(box, pool, view, traces, selected, fit) {
  const [colours, unit, layout] = [palette(), unitOf(pool), baseLayout(box, view)];
  const [used, , bound] = traces.slice(0, 3).map(({ y }) => y.reduce((most, value) => Math.max(most, value ?? 0), 0));
  const room = Math.max(pool.total / unit.size, used) * 1.04;
  const most = fit ? Math.min(room, 1.1 * Math.max(used, bound)) || 1 : room;
  layout.yaxis = { ...layout.yaxis, domain: [0.12, 1], range: [0, most], nticks: 6 };
  layout.yaxis2 = { domain: [0, 0.07], range: [0, 1], visible: false, fixedrange: true };
  layout.xaxis.anchor = "y2";
  layout.annotations = [
    { text: unit.name, xref: "paper", yref: "paper", x: 0, y: 1, xanchor: "right", yanchor: "bottom", showarrow: false },
  ];
  layout.shapes = [
    ...uprights(selected),
    ...[["low", "dot"], ["high", "dash"], ["critical", "dash"], ["total", "solid"]]
      .filter(([name]) => pool[name] / unit.size <= most)
      .map(([name, dash]) => level(pool[name] / unit.size, colours[name] ?? colours.ink, dash)),
  ];
  return layout;
}

function rivalsLayout(box, view, selected) {
  const layout = baseLayout(box, view);
  const names = data.rivals.map((rival) => rival.name);
  layout.yaxis = { range: [names.length - 0.5, -0.65], visible: false, fixedrange: true };
  layout.shapes = selected ? [upright(selected.at, palette().ink, "solid")] : [];
  layout.annotations = names.map((name, row) => ({
    text: plain(name), xref: "paper", x: 0, y: row - 0.17, xanchor: "left", yanchor: "bottom", showarrow: false,
  }));
  return layout;
}
