// In one sentence: under this much, what is best, by how much, and is that real?
import { el } from "./dom.js";
import { fixed, interval, probability, signed, strength } from "./format.js";
import { toCompare, toRecord } from "./route.js";

export function answer({ task, rows, axis, limit }) {
  const whole = rows.filter(
    (row) =>
      row.quality !== null &&
      row.finished === row.asked &&
      row.info.method !== "dense" &&
      (!limit || (axis.of(row) !== null && axis.of(row) <= limit)),
  );
  const under = limit ? `Under ${axis.show(limit)}` : "Of all rows";
  if (!whole.length) return el("p", { class: "answer" }, `${under}: nothing on the board fits.`);
  const better = (a, b) => (task.higher ? b.quality - a.quality : a.quality - b.quality) || axis.of(a) - axis.of(b);
  const [best, ...others] = whole.sort(better);
  const next = others.find((row) => row.info.method !== best.info.method);
  return el(
    "div",
    { class: "answer" },
    el(
      "p",
      {},
      `${under}, best is `,
      name(best),
      ` at ${axis.show(axis.of(best))}: ${task.metric} `,
      el("b", {}, fixed(best.quality)),
      best.low === null ? null : ` ${interval(best.low, best.high)}`,
      `, ${signed(best.difference)} against dense`,
      best.p_dense === null ? null : ` (p ${probability(best.p_dense)})`,
      ".",
    ),
    next &&
      el(
        "p",
        {},
        "Next is ",
        name(next),
        `, ${signed(next.quality - best.quality)}. `,
        verdict(best, next, others),
        " ",
        el("a", { href: toCompare(task.name, best.id, next.id) }, "Compare them"),
      ),
  );
}

const name = (row) => el("a", { href: toRecord(row.info.task, row.record) }, `${row.info.label}, ${strength(row)}`);

function verdict(best, next, others) {
  if (best.tie === null) return null;
  const tied = others.filter((row) => row.tie === best.tie).length;
  if (best.tie !== next.tie) return "They are in different tie groups.";
  return `They share a tie group${tied > 1 ? `, with ${tied - 1} more row${tied > 2 ? "s" : ""}` : ""}: the board tells none of them from its leader.`;
}
