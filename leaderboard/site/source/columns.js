// The cells of a task's tables. Titles, hints and units come with the task.
import { el, symbol } from "./dom.js";
import { plusMinus, shown } from "./format.js";
import { toRecord } from "./route.js";
import { chooser } from "./tray.js";

const TEXTS = ["text", "method"];

// `told`: the columns as the task has them; `pick`: whether rows can be picked for comparison.
export function columns(told, task, all, pick) {
  return told.map((column) => ({
    ...column,
    numeric: !TEXTS.includes(column.unit),
    rising: column.better !== "high",
    value: (row) => row[column.id],
    cell: (row) => (CELLS[column.id] ?? plain)(row, column, { task, all, pick }),
  }));
}

// What a row shows in a column: a text in its place, or the number by its unit.
export const textOf = (row, { id, unit }) =>
  row[`text_${id}`] ?? (typeof row[id] === "string" ? row[id] : shown(row[id], unit));

export const noteOf = (row, { id }) => row[`note_${id}`] ?? null;

const plain = (row, column) => [textOf(row, column), small(noteOf(row, column))];
const small = (text, kind = null) => text && el("small", { class: kind }, text);

const CELLS = {
  method: (row, _, { task, all, pick }) => {
    return [
      pick && chooser(row),
      el(
        "a",
        { href: toRecord(row.info.task, row.record) },
        symbol(all.of(row.info)),
        row.info.label,
        row.optimal && el("span", { class: "optimal", title: task.optimal }, ` ${row.optimal}`),
        row.verified ? el("span", { class: "stamp good", title: row.verified }, "✓") : null,
      ),
    ];
  },
  reason: (row) => el("span", { class: "stamp warn" }, row.reason),
  quality: (row, column) => {
    if (row.quality === null) return el("span", { class: "stamp warn" }, textOf(row, column));
    return [plusMinus(textOf(row, column), row.std), small(noteOf(row, column))];
  },
  difference: (row, column) => [textOf(row, column), small(noteOf(row, column), "met")],
  control: (row, column) => [
    textOf(row, column),
    small(noteOf(row, column), row.beaten === false ? "met warn" : "met"),
  ],
};
