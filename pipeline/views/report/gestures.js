// Keys, wheel and fingers on the charts.

function timeAt(box, clientX) {
  const left = box.getBoundingClientRect().left + MARGIN.l;
  return view.from + ((clientX - left) / widthOf(box)) * (view.to - view.from);
}

const KEYS = {
  ArrowLeft: () => move(-0.2),
  ArrowRight: () => move(0.2),
  "+": () => zoomAt((view.from + view.to) / 2, 0.5),
  "=": () => zoomAt((view.from + view.to) / 2, 0.5),
  "-": () => zoomAt((view.from + view.to) / 2, 2),
  0: showAll,
  n: () => step(1),
  p: () => step(-1),
};

function onKey(event) {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
}

// A page must still scroll under the pointer, so the plain wheel zooms only in the chart that was clicked.
function onWheel(event) {
  const box = event.currentTarget;
  if (!event.ctrlKey && document.activeElement !== box) return;
  event.preventDefault();
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(event.deltaX / 1000);
  else zoomAt(timeAt(box, event.clientX), Math.exp(Math.max(-200, Math.min(200, event.deltaY)) / 400));
}

let grip = null; // times under the fingers

// plotly would take a finger for the mouse and hold the page: it sees taps only, which come as clicks.
function onTouch(event) {
  event.stopPropagation();
  const box = event.currentTarget;
  const at = [...event.touches].map((touch) => timeAt(box, touch.clientX)).sort((a, b) => a - b);
  const [{ clientX, clientY }] = event.touches.length ? event.touches : [{ clientX: 0, clientY: 0 }];
  grip = { at, x: clientX, y: clientY };
}

function onTouchMove(event) {
  event.stopPropagation();
  const box = event.currentTarget;
  if (!grip || grip.at.length !== event.touches.length || grip.at.length > 2) return;
  const span = view.to - view.from;
  const perPixel = span / widthOf(box);
  const fingers = [...event.touches].map((touch) => touch.clientX).sort((a, b) => a - b);
  const left = box.getBoundingClientRect().left + MARGIN.l;
  if (fingers.length === 2) {
    event.preventDefault();
    const scale = (grip.at[1] - grip.at[0]) / Math.max(10, fingers[1] - fingers[0]);
    const from = grip.at[0] - (fingers[0] - left) * scale;
    show(from, from + scale * widthOf(box));
  } else if (Math.abs(event.touches[0].clientX - grip.x) > Math.abs(event.touches[0].clientY - grip.y)) {
    const from = grip.at[0] - (fingers[0] - left) * perPixel;
    show(from, from + span);
  }
}

function listen(box) {
  box.addEventListener("keydown", onKey);
  box.addEventListener("wheel", onWheel, { passive: false, capture: true });
  box.addEventListener("touchstart", onTouch, { passive: true, capture: true });
  box.addEventListener("touchend", onTouch, { passive: true, capture: true });
  box.addEventListener("touchmove", onTouchMove, { passive: false, capture: true });
  box.addEventListener("mousedown", () => box.focus({ preventScroll: true }), { capture: true });
  box.addEventListener("mousemove", (event) => readout(timeAt(box, event.clientX)));
  box.on("plotly_doubleclick", showAll);
  box.on("plotly_relayout", (change) => {
    const range = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (range[0] === undefined) return;
    const [from, to] = range.map((edge) => (typeof edge === "number" ? edge : Date.parse(`${edge.replace(" ", "T")}Z`)));
    show(from - zero, to - zero);
  });
}

showRange();
drawAll();
readout(times[times.length - 1]);
charts.forEach(listen);
addEventListener("resize", () => {
  drawSoon();
  drawMisses();
});
