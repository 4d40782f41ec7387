// Two entries side by side: figures, the difference seed by seed, and which examples changed.
import { el, fill, picker, symbol } from "./dom.js";
import { absent, fixed, interval, MISSING, plusMinus, probability, rank, seeds, signed, strength, three } from "./format.js";
import { colourOf, marks } from "./marks.js";
import { paired } from "./paired.js";
import { toCompare, toRecord, toTask } from "./route.js";
import { rows as load } from "./store.js";
import { axes, drawTradeoff } from "./tradeoff.js";

const SIDES = ["--family-2", "--family-0"];

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
    `${row.info.label}, ${strength(row)}${row.info.group === "open" ? " (open)" : ""}`,
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
        `${a.info.label}, ${strength(a)}`,
        el("span", { class: "against" }, " against "),
        `${b.info.label}, ${strength(b)}`,
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
    axis: axes(task).bytes,
    limit: null,
    near: false,
    only: "",
    all,
    height: 320,
    sides: { domain: [a.record, b.record], range: SIDES.map(colourOf) },
  });
  fill(seeding, await paired(task, a, b, rows));
}

function figures(task, a, b, all) {
  const heads = [a, b].map((row, i) => {
    const mark = all.of(row.info);
    return el(
      "th",
      { scope: "col" },
      el("span", { class: "side" }, "AB"[i]),
      el("a", { href: toRecord(task.name, row.record) }, symbol(mark.path, colourOf(SIDES[i])), row.info.label),
      el("small", {}, strength(row)),
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
  const axis = axes(task);
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
        line(task.metric, (r) =>
          r.quality === null
            ? absent(r)
            : [plusMinus(fixed(r.quality), r.std), el("small", {}, interval(r.low, r.high))],
        ),
        line("vs dense", (r) => [
          signed(r.difference),
          r.p_dense !== null && el("small", {}, `p ${probability(r.p_dense)}`),
        ]),
        line("rank", rank),
        line("n", seeds),
        ["bytes", "macs", "bops", "ms1", "ms", "cost"].map((id) =>
          line(axis[id].label, (r) => (axis[id].of(r) === null ? MISSING : axis[id].show(axis[id].of(r))), axis[id].of),
        ),
        line("run as", (r) => r.execution ?? MISSING),
      ),
    ),
  );
}

const quotient = (a, b) => (a === null || b === null || b === 0 ? MISSING : `×${three(a / b)}`);
