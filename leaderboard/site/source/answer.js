// In one sentence: under this much, what is best, by how much, and is that real?
import { textOf } from "./columns.js";
import { el } from "./dom.js";
import { shown } from "./format.js";
import { toCompare, toRecord } from "./route.js";
import { at } from "./tradeoff.js";

export function answer({ task, rows, axis, limit }) {
  const whole = rows.filter((row) => row.whole && row.info.method !== "dense" && (!limit || at(row, axis) <= limit));
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
        verdict(best, next, others),
        " ",
        el("a", { href: toCompare(task.name, best.id, next.id) }, "Compare them"),
      ),
  );
}

const name = (row) => el("a", { href: toRecord(row.info.task, row.record) }, `${row.info.label}, ${row.text_strength}`);

function verdict(best, next, others) {
  if (best.tie === null) return null;
  const tied = others.filter((row) => row.tie === best.tie).length;
  if (best.tie !== next.tie) return "They are in different tie groups.";
  return `They share a tie group${tied > 1 ? `, with ${tied - 1} more row${tied > 2 ? "s" : ""}` : ""}: the board tells none of them from its leader.`;
}
