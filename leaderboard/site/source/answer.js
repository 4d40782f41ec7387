// In one sentence: under this much, what is best, by how much, and what is as good as dense?
import { textOf } from "./columns.js";
import { el } from "./dom.js";
import { shown } from "./format.js";
import { toCompare, toRecord } from "./route.js";
import { at } from "./tradeoff.js";

export function answer({ task, rows, axis, limit }) {
  const whole = rows.filter((row) => row.whole && row.info.family !== "dense" && (!limit || at(row, axis) <= limit));
  const under = limit ? `Under ${shown(limit, axis.unit)}` : "Of all rows";
  if (!whole.length) return el("p", { class: "answer" }, `${under}: nothing on the board fits.`);
  const better = (a, b) => (task.higher ? b.quality - a.quality : a.quality - b.quality) || at(a, axis) - at(b, axis);
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
      ` at ${shown(at(best, axis), axis.unit)}: ${task.metric} `,
      el("b", {}, textOf(best, task.column.quality)),
      best.note_quality && ` ${best.note_quality}`,
      `, ${textOf(best, task.column.difference)} against dense`,
      best.note_difference && ` (${best.note_difference})`,
      best.info.reference !== "dense" &&
        `, ${textOf(best, task.column.reference)} against ${best.info.reference}${
          best.note_reference ? ` (${best.note_reference})` : ""
        }`,
      ".",
    ),
    next &&
      el(
        "p",
        {},
        "Next is ",
        name(next),
        `, ${shown(next.quality - best.quality, "difference")}. `,
        el("a", { href: toCompare(task.name, best.id, next.id) }, "Compare them"),
      ),
    smallest(task, whole),
  );
}

const name = (row) => el("a", { href: toRecord(row.info.task, row.record) }, `${row.info.label}, ${row.text_strength}`);

// The smallest that loses no more than the margin against dense, at 95 % confidence.
function smallest(task, whole) {
  const close = whole.filter((row) => row.close).sort((a, b) => a.bytes - b.bytes || a.quality - b.quality);
  if (!task.margin) return null;
  const lost = `by more than ${shown(task.margin, "number")}`;
  if (!close.length) return el("p", {}, `None is sure not to be worse than dense ${lost}.`);
  const [least] = close;
  const column = task.column.bytes;
  return el("p", {}, `Smallest not worse than dense ${lost}: `, name(least), ` at ${textOf(least, column)}.`);
}
