// Buttons, and what the pointer is on.

const RANGES = [
  ["7 d", 604800], ["1 d", 86400], ["6 h", 21600], ["1 h", 3600], ["10 min", 600], ["1 min", 60], ["10 s", 10],
];

const ranges = document.getElementById("ranges");

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", act);
  ranges.append(made);
  return made;
}

const all = button("All", showAll);
const lengths = RANGES.filter(([, seconds]) => seconds * 1000 < whole.to - whole.from)
  .slice(0, 5)
  .map(([text, seconds]) => {
    const length = seconds * 1000;
    const middle = () => (selected ? selected.at : (view.from + view.to) / 2);
    return { length, made: button(text, () => show(middle() - length / 2, middle() + length / 2)) };
  });

function showRange() {
  const length = view.to - view.from;
  all.setAttribute("aria-pressed", length >= whole.to - whole.from - 1);
  for (const range of lengths) range.made.setAttribute("aria-pressed", Math.abs(range.length - length) < 1);
}

const fitButton = document.getElementById("fit");
fitButton.addEventListener("click", () => {
  fit = !fit;
  fitButton.setAttribute("aria-pressed", fit);
  drawSoon();
});
document.getElementById("next").addEventListener("click", () => step(1));
document.getElementById("previous").addEventListener("click", () => step(-1));
for (const id of ["steps", "walk"]) document.getElementById(id).hidden = !decisions.length;

const themeButton = document.getElementById("theme");
function drawAll() {
  themeButton.textContent = palette() === data.palettes.dark ? "Light colours" : "Dark colours";
  draw();
  requestAnimationFrame(() => setTimeout(drawMisses)); // what is above comes first
}
function setTheme(name) {
  theme = name;
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  drawAll();
}
themeButton.addEventListener("click", () => setTheme(palette() === data.palettes.dark ? "light" : "dark"));
system.addEventListener("change", drawAll);
let chosen = "";
addEventListener("beforeprint", () => {
  [chosen, printing] = [theme, true];
  setTheme("light");
  drawMisses();
});
addEventListener("afterprint", () => {
  printing = false;
  setTheme(chosen);
});

for (const go of document.querySelectorAll(".go")) {
  const at = Number(go.dataset.at);
  go.textContent = clock(at);
  go.addEventListener("click", () => {
    const length = Math.min(view.to - view.from, Math.max((whole.to - whole.from) / 20, 60000));
    show(at - length / 2, at + length / 2);
    if (go.dataset.decision) select(Number(go.dataset.decision));
    charts[0]?.scrollIntoView({ block: "nearest" });
  });
}
const began = document.getElementById("began");
if (began) began.textContent = ` from ${new Date(data.wall).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}`;

function size(bytes) {
  return Number.isNaN(bytes) ? "not read" : `${(bytes / GIB).toFixed(2)} GiB`;
}

function readout(at) {
  const i = sampleAt(at);
  const band = bandAt(data.bands, at);
  const rung = band ? (band[2] < 0 ? "nothing loaded" : data.rungs[band[2]]) : "";
  const state = band && band[3] === "shifting" ? `${rung}, shifting` : rung;
  pools.forEach((pool, number) => {
    const parts = [clock(times[i]), `others ${size(pool.external[i])}`, `own ${size(pool.own[i])}`];
    parts.push(`bound ${size(pool.bound[i])}`, ...(state ? [state] : []));
    document.getElementById(`readout-${number}`).textContent = parts.join("  ·  ");
  });
}
