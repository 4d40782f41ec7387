// What changed between two entries, seed by seed and example by example.

const finished = (run) => !run.failure && !run.skipped;

// Seeds that both finished: [{seed, a, b}], and which runs they are.
export function pairs(runsA, runsB) {
  return runsA.flatMap((a, i) => {
    const j = runsB.findIndex((b) => b.seed === a.seed);
    return j < 0 || !finished(a) || !finished(runsB[j]) ? [] : [{ seed: a.seed, a, b: runsB[j], i, j }];
  });
}

// Of right and wrong: examples that only the one or only the other got right.
export function flips(a, b) {
  const found = { onlyA: [], onlyB: [], examples: a.length };
  for (let k = 0; k < a.length; k += 1) if (a[k] !== b[k]) found[a[k] === "1" ? "onlyA" : "onlyB"].push(k);
  return found;
}

// Of losses or edits, where less is better: examples by which of the two did better, and the largest changes.
export function changes(a, b) {
  const found = { onlyA: [], onlyB: [], examples: a.length };
  const size = (k) => Math.abs(a[k] - b[k]);
  for (let k = 0; k < a.length; k += 1) if (a[k] !== b[k]) found[a[k] < b[k] ? "onlyA" : "onlyB"].push(k);
  for (const side of [found.onlyA, found.onlyB]) side.sort((k, l) => size(l) - size(k) || k - l);
  return found;
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
