// Numbers as the tables show them: one rule for each unit, in leaderboard/board/display.py as here.
// A test runs both over the same numbers.

export const MISSING = "–";
const minus = (text) => text.replace("-", "−");

// Rounds a tie to even, as Python does; `toFixed` and `toPrecision` round it up.
function rounded(value, method, digits) {
  const exact = value[method](digits + 50);
  const cut = exact.slice(0, -50).replace(/\.$/, "");
  return exact.endsWith(`5${"0".repeat(49)}`) && "02468".includes(cut.at(-1)) ? cut : value[method](digits);
}

function significant(value, digits) {
  const found = Number(rounded(value, "toPrecision", digits));
  if (found === 0 || Math.abs(found) >= 1e-4) return String(found);
  return found.toExponential().replace(/-(\d)$/, "-0$1");
}

const number = (value) => (Math.abs(value) < 999.5 ? significant(value, 3) : rounded(value, "toFixed", 0));

function si(value, unit) {
  const prefixes = ["", "k", "M", "G", "T"];
  let i = 0;
  while (Math.abs(value) >= 999.5 && i < prefixes.length - 1) {
    value /= 1000;
    i += 1;
  }
  return `${number(value)} ${prefixes[i]}${unit}`.trimEnd();
}

function decimals(value, places, plus = "") {
  const text = rounded(value, "toFixed", places);
  const size = text.replace("-", "");
  return Number(size) === 0 ? plus + size : minus(value > 0 ? plus + text : text);
}

const UNITS = {
  quality: (value) => decimals(value, 4),
  difference: (value) => decimals(value, 4, "+"),
  score: (value) => decimals(value, 3),
  p: (p) => (p < 0.001 ? "p < 0.001" : `p ${significant(p, 2)}`),
  B: (value) => si(value, "B"),
  count: (value) => si(value, ""),
  ms: (value) => `${number(value)} ms`,
  s: (value) => `${number(Number(rounded(value, "toFixed", 2)))} s`,
  ratio: (value) => `×${number(value)}`,
  speedup: (value) => `×${rounded(value, "toFixed", 2)}`,
  number,
};

export function shown(value, unit) {
  return value === null || value === undefined ? MISSING : UNITS[unit](value);
}

export function plusMinus(text, std) {
  return std === null || std === undefined ? text : `${text} ± ${shown(std, "quality")}`;
}

export function interval(low, high, unit = "quality") {
  return low === null || low === undefined ? null : `[${shown(low, unit)}, ${shown(high, unit)}]`;
}

// "20kB", "1.5 M", "0.3": a number, and one of the axis's units or its prefix alone. null if it is none.
export function parseAmount(text, axis) {
  const match = /^\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*([A-Za-z]*)\s*$/.exec(text);
  if (!match) return null;
  const factor = match[2] ? (axis.amounts[match[2]] ?? axis.amounts[match[2] + axis.unit]) : 1;
  const value = Number(match[1]) * factor;
  return value > 0 && Number.isFinite(value) ? value : null;
}
