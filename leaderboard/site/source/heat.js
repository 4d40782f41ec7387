// The heat map: every task against every method, by curve score.
import { el, symbol } from "./dom.js";
import { interval, MISSING, shown } from "./format.js";
import { toRecord, toTask } from "./route.js";

// One row a task, one column a method; of several configurations, the best on valid, with their number.
export function heat(board, all, axis) {
  const best = new Map();
  const names = new Set();
  for (const task of board.tasks)
    for (const group of task.groups.filter((one) => one.name === "closed"))
      for (const record of group.records) {
        const place = `${task.name}/${record.family}/${record.method}`;
        const cell = best.get(place) ?? { count: 0, record: null };
        cell.count += 1;
        if (record.chosen.includes(axis)) cell.record = record;
        best.set(place, cell);
        names.add(`${record.family}/${record.method}`);
      }
  const columns = all.families
    .flatMap((f) => f.methods)
    .filter((m) => m.name !== "dense" && names.has(`${m.family}/${m.name}`));
  const modalities = [...new Set(board.tasks.map((task) => task.modality))].sort();
  return el(
    "table",
    { class: `heat${columns.length > 20 ? " many" : ""}` },
    el("caption", { class: "hidden" }, `Scores over ${axis}`),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, "task"),
        columns.map((method) =>
          el(
            "th",
            { scope: "col", title: method.family },
            el("span", { class: "upright" }, symbol(method), method.name),
          ),
        ),
      ),
    ),
    modalities.map((modality) =>
      el(
        "tbody",
        {},
        el(
          "tr",
          { class: "modality" },
          el("th", { colspan: columns.length + 1, scope: "colgroup" }, el("span", {}, modality)),
        ),
        board.tasks
          .filter((task) => task.modality === modality)
          .map((task) =>
            el(
              "tr",
              {},
              el("th", { scope: "row" }, el("a", { href: toTask(task.name) }, task.name)),
              columns.map((method) =>
                cell(task, method, best.get(`${task.name}/${method.family}/${method.name}`), axis),
              ),
            ),
          ),
      ),
    ),
  );
}

function cell(task, method, found, axis) {
  if (!found?.record)
    return el(
      "td",
      { class: "missing", title: `${method.name} on ${task.name}: ${found ? "no score" : "not run"}` },
      MISSING,
    );
  const [value, low, high] = found.record.scores[axis];
  const td = el(
    "td",
    { class: value > 0.55 ? "dark" : null },
    el(
      "a",
      {
        href: found.count > 1 ? toTask(task.name, { only: method.name }) : toRecord(task.name, found.record.key),
        title: `${method.name} on ${task.name}: ${shown(value, "score")} ${interval(low, high, "score") ?? ""}`,
      },
      value.toFixed(2),
      found.count > 1 && el("sup", {}, String(found.count)),
    ),
  );
  td.style.setProperty("--heat", String(Math.max(0, Math.min(1, value))));
  return td;
}
