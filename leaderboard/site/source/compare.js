// Two entries side by side: figures, the difference seed by seed, and which examples changed.
import { noteOf, textOf } from "./columns.js";
import { el, fill, picker, symbol } from "./dom.js";
import { MISSING, plusMinus, shown } from "./format.js";
import { colourOf, marks } from "./marks.js";
import { paired } from "./paired.js";
import { toCompare, toRecord, toTask } from "./route.js";
import { rows as load } from "./store.js";
import { at, drawTradeoff } from "./tradeoff.js";

const SIDES = ["var(--family-2)", "var(--family-0)"];

export async function comparePage(main, board, route, task) {
  const rows = (await load(task)).filter((row) => row.info.group !== "stale");
  const of = (id, other) => rows.find((row) => row.id === id) ?? rows.find((row) => row.id !== other) ?? rows[0];
  const [a, b] = [of(route.query.a), of(route.query.b, route.query.a)];
  if (!a) return fill(main, el("p", { class: "none" }, "This task has nothing to compare."));
  const all = marks(board);
  const go = (x, y) => {
    location.hash = toCompare(task.name, x, y);
  };
  const options = rows.map((row) => [
    row.id,
    `${row.info.label}, ${row.text_strength}${row.info.group === "open" ? " (open)" : ""}`,
  ]);
  const plot = el("div", {
    class: "plot",
    role: "group",
    "aria-label": `${task.metric} against bytes of both records`,
  });
  const seeding = el("div");
  fill(
    main,
    el(
      "div",
      { class: "title" },
      el("p", { class: "crumb" }, el("a", { href: toTask(task.name) }, task.name), " / compare"),
      el(
        "h1",
        {},
        `${a.info.label}, ${a.text_strength}`,
        el("span", { class: "against" }, " against "),
        `${b.info.label}, ${b.text_strength}`,
      ),
    ),
    el(
      "div",
      { class: "controls" },
      picker("A", options, a.id, (id) => go(id, b.id)),
      picker("B", options, b.id, (id) => go(a.id, id)),
      el("button", { type: "button", onclick: () => go(b.id, a.id) }, "Swap"),
    ),
    el(
      "div",
      { class: "pair" },
      el("section", {}, el("h2", {}, "Figures"), figures(task, a, b, all)),
      el("section", {}, el("h2", {}, "Curves"), plot),
    ),
    seeding,
  );
  const group = task.groups.find((one) => one.name === a.info.group);
  drawTradeoff(plot, {
    task,
    group,
    rows: rows.filter((row) => [a.record, b.record].includes(row.record)),
    axis: task.axis.bytes,
    limit: null,
    near: false,
    only: "",
    all,
    height: 320,
    sides: { domain: [a.record, b.record], range: SIDES.map((side) => colourOf(side)) },
  });
  fill(seeding, await paired(task, a, b, rows));
}

function figures(task, a, b, all) {
  const heads = [a, b].map((row, i) => {
    const colour = colourOf(SIDES[i]);
    return el(
      "th",
      { scope: "col" },
      el("span", { class: "side" }, "AB"[i]),
      el(
        "a",
        { href: toRecord(task.name, row.record) },
        symbol({ ...all.of(row.info), colour, fill: colour }),
        row.info.label,
      ),
      el("small", {}, row.text_strength),
    );
  });
  const line = (label, show, ratio) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, label),
      [a, b].map((row) => el("td", { class: "number" }, show(row))),
      el("td", { class: "number" }, ratio ? quotient(ratio(a), ratio(b)) : null),
    );
  const told = (id, cell = textOf) => line(task.column[id].title, (row) => cell(row, task.column[id]));
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures" },
    el(
      "table",
      { class: "grid" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, ""), heads, el("th", { scope: "col" }, "A / B"))),
      el(
        "tbody",
        {},
        told("quality", (row, column) => [
          plusMinus(textOf(row, column), row.std),
          noteOf(row, column) && el("small", {}, noteOf(row, column)),
        ]),
        told("difference", (row, column) => [
          textOf(row, column),
          noteOf(row, column) && el("small", { class: "met" }, noteOf(row, column)),
        ]),
        told("rank"),
        told("n"),
        task.axes.map((axis) =>
          line(
            axis.label,
            (row) => shown(at(row, axis), axis.unit),
            (row) => at(row, axis),
          ),
        ),
        told("execution"),
      ),
    ),
  );
}

const quotient = (a, b) => (a === null || b === null || b === 0 ? MISSING : shown(a / b, "ratio"));
