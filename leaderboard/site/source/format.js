// Numbers as the tables show them; the same rules as the Markdown page's.

export const MISSING = "–";
const minus = (text) => text.replace("-", "−");

export function si(value, unit = "") {
  if (value === null || value === undefined) return MISSING;
  const prefixes = ["", "k", "M", "G", "T"];
  let i = 0;
  while (Math.abs(value) >= 999.5 && i < prefixes.length - 1) {
    value /= 1000;
    i += 1;
  }
  return `${three(value)} ${prefixes[i]}${unit}`.trimEnd();
}

// Three significant digits.
export function three(value) {
  if (value === null || value === undefined) return MISSING;
  return Math.abs(value) < 999.5 ? String(Number(value.toPrecision(3))) : value.toFixed(0);
}

export function fixed(value, places = 4) {
  return value === null || value === undefined ? MISSING : minus((value + 0).toFixed(places));
}

export function signed(value, places = 4) {
  if (value === null || value === undefined) return MISSING;
  const text = value.toFixed(places);
  return minus(Number(text) === 0 ? text.replace("-", "") : value > 0 ? `+${text}` : text);
}

export function plusMinus(text, std) {
  return std === null || std === undefined ? text : `${text} ± ${std.toFixed(4)}`;
}

export function interval(low, high, places = 4) {
  return low === null || low === undefined ? null : `[${fixed(low, places)}, ${fixed(high, places)}]`;
}

export function probability(p) {
  if (p === null || p === undefined) return MISSING;
  return p < 0.001 ? "< 0.001" : String(Number(p.toPrecision(2)));
}

export function seeds(row) {
  const count = row.finished === row.asked ? String(row.asked) : `${row.finished}/${row.asked}`;
  return row.finished === 1 ? `${count} †` : count;
}

// In place of a quality, where no seed finished.
export const absent = (row) => (row.asked ? "failed" : "skipped");

export function rank(row) {
  if (row.rank_low === null || row.rank_low === undefined) return MISSING;
  return row.rank_low === row.rank_high ? String(row.rank_low) : `${row.rank_low}–${row.rank_high}`;
}

export function strength(row) {
  return row.info.knob ? `${row.info.knob} ${row.strength}` : MISSING;
}

// "20kB", "1.5 M", "0.3": a number with an SI prefix; a unit is passed over. null if it is none.
export function parseAmount(text) {
  const match = /^\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*([kMGT]?)\s*(?:i?B|bytes|ms|s)?\s*$/.exec(text);
  if (!match) return null;
  const value = Number(match[1]) * { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[match[2]];
  return value > 0 && Number.isFinite(value) ? value : null;
}
