// One task: the trade-off plot with its controls, and below it the table of the same rows.
import { answer } from "./answer.js";
import { claims } from "./claims.js";
import { columns } from "./columns.js";
import { choice, el, facts, fill } from "./dom.js";
import { MISSING, parseAmount, plusMinus, shown } from "./format.js";
import { grid } from "./grid.js";
import { hidden, legend } from "./legend.js";
import { marks } from "./marks.js";
import { remember } from "./route.js";
import { rows as load } from "./store.js";
import { at, CROWD, drawTradeoff } from "./tradeoff.js";
import { tray } from "./tray.js";

const DEFAULTS = { group: "", x: "bytes", range: "all", under: "", off: "", only: "", find: "", sort: "" };

export async function taskPage(main, board, route, task) {
  const rows = await load(task);
  const groups = task.groups.filter((group) => group.name !== "stale");
  const start = { ...DEFAULTS, group: groups[0]?.name ?? "", sort: task.higher ? "-quality" : "quality" };
  const state = { ...start, ...Object.fromEntries(Object.entries(route.query).filter(([name]) => name in start)) };
  const all = marks(board);
  const group = () => groups.find((one) => one.name === state.group) ?? groups[0];
  if (!(state.x in task.axis)) state.x = start.x;

  const set = (name) => (value) => {
    state[name] = value;
    refresh();
  };
  const choices = {
    x: choice(
      "Cost",
      task.axes.map((axis) => [axis.id, axis.label]),
      set("x"),
    ),
    range: choice(
      "Quality",
      [
        ["all", "all"],
        ["near", "near dense"],
      ],
      set("range"),
    ),
    group: choice(
      "Division",
      groups.map((one) => [one.name, one.name]),
      set("group"),
    ),
  };
  const under = field("Under", "20kB", "under");
  const find = field("Filter", "method, strength …", "find");
  const key = legend(
    all,
    [...task.records.values()].filter((r) => r.group !== "stale"),
    state,
    () => refresh(),
  );
  const plot = el("div", { class: "plot", role: "group" });
  const said = el("div", { "aria-live": "polite" });
  const table = grid(`Rows of ${task.name}`, columns(task.columns, task, all, true), state, () => refresh());
  const count = el("p", { class: "note" });

  function field(label, placeholder, name) {
    const input = el("input", {
      type: "search",
      placeholder,
      value: state[name],
      spellcheck: "false",
      autocomplete: "off",
      oninput: () => {
        state[name] = input.value;
        refresh();
      },
    });
    return el("label", { class: "pick" }, el("span", {}, label), input);
  }

  function refresh() {
    const [axis, off] = [task.axis[state.x], hidden(state)];
    const limit = parseAmount(state.under, axis);
    const ranked = rows.filter((row) => row.info.group === group()?.name && !off.has(row.info.family));
    for (const [name, one] of Object.entries(choices)) one.sync(state[name]);
    under.classList.toggle("wrong", state.under !== "" && limit === null);
    key.sync();
    remember(
      ["task", task.name],
      Object.fromEntries(Object.entries(state).filter(([name, value]) => value !== start[name])),
    );
    plot.setAttribute("aria-label", `${task.metric} against ${axis.title}; the table below has the same rows`);
    const height = matchMedia("(max-width: 700px)").matches ? 300 : 430;
    drawTradeoff(plot, {
      task,
      group: group() ?? {},
      rows: ranked,
      axis,
      limit,
      near: state.range === "near",
      only: state.only,
      all,
      height,
    });
    fill(said, answer({ task, rows: ranked, axis, limit }));
    const words = state.find.toLowerCase().split(/\s+/).filter(Boolean);
    const listed = ranked.filter(
      (row) =>
        (!state.only || row.info.method === state.only) &&
        (!limit || at(row, axis) <= limit) &&
        words.every((word) =>
          `${row.info.label} ${row.info.family} ${row.info.knob} ${row.strength} ${row.execution}`
            .toLowerCase()
            .includes(word),
        ),
    );
    count.textContent = `${listed.length} of ${ranked.length} rows. ● is ${task.optimal}.`;
    table.show(listed, (row) => ({ "data-row": row.id }));
    tray();
  }

  const stale = rows.filter((row) => row.info.group === "stale");
  fill(
    main,
    head(task, groups),
    el(
      "section",
      {},
      el("div", { class: "controls" }, choices.x, choices.range, groups.length > 1 && choices.group, under),
      said,
      el(
        "div",
        { class: "board" },
        el("figure", {}, plot, el("figcaption", { class: "note" }, CAPTION(groups[0], rows.length > CROWD))),
        key.node,
      ),
    ),
    el("section", {}, el("div", { class: "head" }, el("h2", {}, "Rows"), find), count, table.node),
    stale.length > 0 && staleTable(stale, task, all),
    claims(board, task),
  );
  refresh();
}

const CAPTION = (group, crowded) => [
  el("i", { class: "swatch step" }),
  "Pareto front of what is shown  ",
  el("i", { class: "swatch dots" }),
  `dense${group?.dense ? ` ${shown(group.dense.quality[0], "quality")}` : ""}  `,
  `│ 95 % interval${crowded ? ", of the front alone" : ""}. Point at a mark for its figures; click to keep them.`,
];

function head(task, groups) {
  const dense = groups[0]?.dense;
  return el(
    "div",
    { class: "title" },
    el("p", { class: "crumb" }, task.modality),
    el("h1", {}, task.name),
    facts([
      ["metric", task.quality_title],
      ["test examples", task.examples.toLocaleString("en")],
      [
        "dense",
        dense
          ? `${plusMinus(shown(dense.quality[0], "quality"), dense.quality[1])}, ${shown(dense.bytes, "B")}, n ${dense.quality[2]}`
          : MISSING,
      ],
      ["bar", `${task.higher ? "≥" : "≤"} ${task.reach}`],
      ...task.controls.map(([name, value]) => [name, shown(value, "quality")]),
      ["data", `${task.source}; version ${task.version}, fingerprint ${task.fingerprint}`],
    ]),
  );
}

function staleTable(rows, task, all) {
  const state = { sort: "method" };
  const table = grid("Stale rows, not ranked", columns(task.stale, task, all), state, () => table.show(rows));
  table.show(rows);
  return el(
    "section",
    { class: "stale" },
    el("h2", {}, "Stale"),
    el(
      "p",
      { class: "note" },
      "Of another protocol or task version, other data or another dense checkpoint: shown apart, and ranked with nothing.",
    ),
    table.node,
  );
}
