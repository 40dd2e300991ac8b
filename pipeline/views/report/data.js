"use strict";
// What the page holds, unpacked. Times are milliseconds from the first sample, memory is bytes.

const data = JSON.parse(document.getElementById("data").textContent);

function bytesOf(packed) {
  const text = atob(packed);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

function summed({ kind, data: packed }) {
  const steps = kind === "I" ? new Uint32Array(bytesOf(packed)) : new Float64Array(bytesOf(packed));
  const times = new Float64Array(steps.length);
  let time = 0;
  for (let i = 0; i < steps.length; i++) times[i] = time += steps[i];
  return times;
}

const times = summed(data.times);
const pools = data.pools.map((pool) => {
  const external = new Float32Array(bytesOf(pool.external));
  const own = new Float32Array(bytesOf(pool.own));
  const used = external.map((value, i) => value + own[i]);
  return { ...pool, external, own, used, bound: new Float32Array(bytesOf(pool.bound)) };
});
const decisions = data.decisions;

const moments = [...decisions, ...data.marks].map((told) => told.at);
const whole = {
  from: Math.min(0, ...moments),
  to: Math.max(times[times.length - 1], ...moments, 1),
};

// plotly draws its dates in UTC: a recording that knows the time of day is shown in the reader's own
const zone = data.wall ? new Date(data.wall).getTimezoneOffset() * 60000 : 0;
// and takes four digits for a year: without a time of day, times count from the midnight of a first day
const zero = data.wall ? data.wall - zone : Date.UTC(2000, 0, 1);

function clock(at) {
  const long = whole.to - whole.from > 86400000;
  if (data.wall) {
    const date = new Date(zero + at).toISOString();
    const part = whole.to - whole.from < 600000 ? date.slice(11, 21) : date.slice(11, 19);
    return long ? `${date.slice(0, 10)} ${part}` : part;
  }
  if (whole.to - whole.from < 120000) return `${(at / 1000).toFixed(1)} s`;
  const seconds = Math.round(at / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return [hours, minutes, seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

// The first place at which a time is not before `at`.
function placeOf(at) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The last sample at or before `at`, which holds until the next one.
function sampleAt(at) {
  return Math.max(0, placeOf(at + 0.5) - 1);
}

function bandAt(bands, at) {
  return bands.find(([begin, end]) => begin <= at && at < end) ?? bands.find(([, end]) => end === at);
}
