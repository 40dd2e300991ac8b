// As many points as there are pixels. Of each column the least and the most are kept, so no peak is hidden; where
// nothing was read, or nothing was heard for longer than `data.silence`, the line has a hole.

function thinned(values, view, width, scale) {
  const drawn = { x: [], y: [] };
  const first = Math.max(0, placeOf(view.from) - 1);
  const last = Math.min(times.length, placeOf(view.to) + 1);
  const columns = width / (view.to - view.from);
  let [column, least, most, run] = [NaN, -1, -1, 0];

  function point(at, value) {
    drawn.x.push(zero + at);
    drawn.y.push(value);
  }
  function flush() {
    if (least < 0) return;
    const ends = least === most ? [least] : [Math.min(least, most), Math.max(least, most)];
    for (const i of ends) point(times[i], values[i] / scale);
    run += ends.length;
    least = most = -1;
  }
  function hole() {
    flush();
    if (!run) return;
    const end = drawn.x[drawn.x.length - 1] - zero;
    if (run === 1) point(end + data.interval / 2, drawn.y[drawn.y.length - 1]); // one sample alone is no line yet
    point(end + data.interval / 2, null);
    run = 0;
  }

  for (let i = first; i < last; i++) {
    if (Number.isNaN(values[i])) {
      hole();
      continue;
    }
    if (i > first && times[i] - times[i - 1] > data.silence) hole();
    const here = Math.floor((times[i] - view.from) * columns);
    if (here !== column) {
      flush();
      column = here;
    }
    if (least < 0 || values[i] < values[least]) least = i;
    if (most < 0 || values[i] >= values[most]) most = i;
  }
  hole();
  return drawn;
}

// Stretches by colour as broken lines at height `y`; the short ones are widened to a pixel. [rank]: {x, y}.
function lanes(bands, view, width, y) {
  const pixel = (view.to - view.from) / width;
  const found = new Map();
  for (const [begin, end, rank, state] of bands) {
    if (end < view.from || begin > view.to) continue;
    const key = `${rank} ${state === "shifting"}`;
    if (!found.has(key)) found.set(key, { rank, shifting: state === "shifting", x: [], y: [] });
    const lane = found.get(key);
    const from = Math.max(begin, view.from);
    const to = Math.min(Math.max(end, from + pixel), view.to);
    const size = lane.x.length;
    if (size && from <= lane.x[size - 2] - zero) {
      lane.x[size - 2] = Math.max(lane.x[size - 2], zero + to); // within the pixel before: the same line
      continue;
    }
    lane.x.push(zero + from, zero + to, zero + to);
    lane.y.push(y, y, null);
  }
  return [...found.values()];
}
