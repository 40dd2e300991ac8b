// Draws everything for one view, which all charts share.

const CONFIG = { displayModeBar: false, doubleClick: false, responsive: false, showTips: false };
const boxes = pools.map((_, i) => document.getElementById(`pool-${i}`));
const rivalsBox = document.getElementById("rivals");
const charts = rivalsBox ? [...boxes, rivalsBox] : boxes;
let view = { ...whole };
let selected = null; // a decision
let fit = false;
let asked = false;

function widthOf(box) {
  return Math.max(50, box.clientWidth - MARGIN.l - MARGIN.r);
}

function draw() {
  asked = false;
  boxes.forEach((box, i) => {
    const traces = poolTraces(pools[i], view, widthOf(box), selected);
    Plotly.react(box, traces, poolLayout(box, pools[i], view, traces, selected, fit), CONFIG);
  });
  if (rivalsBox) {
    const rows = data.rivals.flatMap((rival, row) => laneTraces(rival.bands, view, widthOf(rivalsBox), row + 0.1, "y", 10));
    Plotly.react(rivalsBox, rows, rivalsLayout(rivalsBox, view, selected), CONFIG);
  }
}

function drawSoon() {
  if (!asked) requestAnimationFrame(draw);
  asked = true;
}

function drawMisses() {
  const colours = palette();
  pools.forEach((pool, i) => {
    const box = document.getElementById(`misses-${i}`);
    if (!box) return;
    const { width, bins, counts } = pool.misses;
    const layout = baseLayout(box, view);
    const title = { text: "others less the bound, % of the pool", font: { size: 12 } };
    layout.xaxis = { ...layout.yaxis, title };
    layout.yaxis.nticks = 4;
    layout.yaxis.rangemode = "tozero";
    layout.margin = { ...MARGIN, b: 44 };
    layout.bargap = 0.05;
    layout.dragmode = false;
    layout.shapes = [{ type: "line", yref: "paper", y0: 0, y1: 1, x0: 0, x1: 0, line: { color: colours.ink, width: 1 } }];
    const bars = {
      type: "bar",
      x: bins.map((bin) => 100 * width * (bin + 0.5)),
      y: counts,
      width: 100 * width,
      marker: { color: bins.map((bin) => (bin >= 0 ? colours.critical : colours.external)) },
      hovertemplate: "%{y} forecasts around %{x:.2f} %<extra></extra>",
    };
    Plotly.react(box, [bars], layout, CONFIG);
  });
}

// Show from..to, milliseconds; kept within the recording, and no shorter than four intervals.
function show(from, to) {
  const least = Math.min(whole.to - whole.from, Math.max(4 * data.interval, 20));
  const length = Math.min(whole.to - whole.from, Math.max(least, to - from));
  const middle = (from + to) / 2;
  const begin = Math.min(Math.max(middle - length / 2, whole.from), whole.to - length);
  view = { from: begin, to: begin + length };
  showRange();
  drawSoon();
}

function showAll() {
  show(whole.from, whole.to);
}

function zoomAt(at, factor) {
  const length = Math.min((view.to - view.from) * factor, whole.to - whole.from);
  const share = (at - view.from) / (view.to - view.from);
  show(at - share * length, at + (1 - share) * length);
}

function move(share) {
  const by = share * (view.to - view.from);
  show(view.from + by, view.to + by);
}

function select(number) {
  if (!decisions.length) return;
  selected = decisions[Math.min(Math.max(number, 0), decisions.length - 1)];
  readout(selected.at);
  speak(`${clock(selected.at)}: ${selected.text}`);
  const length = view.to - view.from;
  if (selected.at < view.from || selected.at > view.to) show(selected.at - length / 2, selected.at + length / 2);
  document.querySelectorAll(".decisions li.selected").forEach((row) => row.classList.remove("selected"));
  document.getElementById(`decision-${decisions.indexOf(selected)}`)?.classList.add("selected");
  drawSoon();
}

// The next decision (1) or the one before (-1): from the selected one, else from what is in view.
function step(way) {
  if (selected) return select(decisions.indexOf(selected) + way);
  const ahead = decisions.findIndex((decision) => decision.at >= view.from);
  const first = ahead < 0 ? decisions.length : ahead;
  return select(way > 0 ? first : first - 1);
}

function speak(text) {
  document.getElementById("spoken").textContent = text;
}
