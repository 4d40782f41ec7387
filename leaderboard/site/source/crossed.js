// Two rows compared by the crossed model, as leaderboard/stats/crossed.py and paired.py do it and say why.
import { mean } from "./flips.js";
import { quantile, tails } from "./student.js";

const RISK = 0.05;
const squares = (values, centre) => values.reduce((sum, value) => sum + (value - centre) ** 2, 0);

// Of values [seed][unit]: their mean, its standard error and degrees of freedom.
export function crossed(values, step) {
  const [seeds, units] = [values.length, values[0].length];
  const ofUnit = values[0].map((_, j) => mean(values.map((row) => row[j])));
  const middle = mean(ofUnit);
  const overUnits = (seeds * (squares(ofUnit, middle) + 2 * step ** 2)) / (units - 1);
  if (seeds === 1) return { middle, error: Math.sqrt(overUnits / units), df: units - 1 };
  const ofSeed = values.map(mean);
  const freedom = (seeds - 1) * (units - 1);
  const rests = values.map((row, i) =>
    squares(
      row.map((value, j) => value - ofUnit[j] - ofSeed[i] + middle),
      0,
    ),
  );
  const rest = [rests.reduce((sum, one) => sum + one, 0) / freedom, freedom];
  const above = [
    [(units * squares(ofSeed, middle)) / (seeds - 1), seeds - 1],
    [overUnits, units - 1],
  ].filter(([square]) => square > (1 + 1e-9) * rest[0]);
  const kept = above.length === 1 ? above : [...above, rest];
  const total = above.length === 2 ? above[0][0] + above[1][0] - rest[0] : kept[0][0];
  const spread = kept.reduce((sum, [square, df]) => sum + (square / total) ** 2 / df, 0);
  return { middle, error: Math.sqrt(total / (seeds * units)), df: total > 0 ? 1 / spread : units - 1 };
}

// Sums over clusters, as residuals: [seed][example] to [seed][cluster], with the scale of a single example.
function clustered(values, labels) {
  const names = [...new Set(labels)];
  const place = new Map(names.map((name, k) => [name, k]));
  const sizes = names.map(() => 0);
  for (const label of labels) sizes[place.get(label)] += 1;
  const middle = mean(values.map(mean));
  const scale = names.length / labels.length;
  const sums = values.map((row) => {
    const sum = names.map(() => 0);
    for (const [j, value] of row.entries()) sum[place.get(labels[j])] += value;
    return sum.map((one, k) => middle + (one - sizes[k] * middle) * scale);
  });
  return { sums, scale };
}

// {low, high, p} of the mean of a - b, [seed][example] each; low and high are null where there is no telling.
export function contrast(a, b, difference, task) {
  const changes = a.map((row, i) => Array.from(row, (value, j) => Number(value) - Number(b[i][j])));
  const { sums, scale } = task.clusters ? clustered(changes, task.clusters) : { sums: changes, scale: 1 };
  if (sums[0].length < 2) return { low: null, high: null, p: 1 };
  const bound = task.outcome === "correct" ? 1 : Number.POSITIVE_INFINITY;
  const other = changes.flat().filter((change) => change !== 0);
  if (!other.length) {
    const greatest = [a, b]
      .flat(2)
      .reduce((most, row) => Array.from(row).reduce((m, v) => Math.max(m, Math.abs(v)), most), 0);
    const room = Math.min(bound, greatest || 1) * (1 - (RISK / 2) ** (1 / changes[0].length));
    return { low: -room, high: room, p: 1 };
  }
  const step = Math.sqrt(squares(other, 0) / other.length) * scale;
  const found = crossed(sums, step);
  const half = quantile(found.df, RISK) * found.error;
  return {
    low: Math.max(difference - half, -bound),
    high: Math.min(difference + half, bound),
    p: found.error > 0 ? tails(found.middle / found.error, found.df) : 1,
  };
}
