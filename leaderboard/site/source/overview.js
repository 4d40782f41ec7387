// The first page: every task against every method, and the ranking across tasks.
import { claims } from "./claims.js";
import { choice, el, fill } from "./dom.js";
import { MISSING, shown } from "./format.js";
import { heat } from "./heat.js";
import { marks, scale } from "./marks.js";
import { draw } from "./plot.js";
import { remember } from "./route.js";

export function overviewPage(main, board, route) {
  const state = { axis: route.query.axis === "latency" ? "latency" : "bytes" };
  const all = marks(board);
  const axis = choice(
    "Score over",
    [
      ["bytes", "bytes"],
      ["latency", "latency"],
    ],
    (value) => {
      state.axis = value;
      remember([], state.axis === "bytes" ? {} : { axis: value });
      refresh();
    },
  );
  const map = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Scores by task and method" });
  const ranking = el("div", { class: "plot" });
  const missing = el("div");
  const places = el("div", { class: "plot" });
  const critical = el("p", { class: "note" });
  fill(
    main,
    heading(board),
    el("section", {}, el("div", { class: "head" }, el("h2", {}, "Scores"), axis), SCORE(), map),
    el(
      "div",
      { class: "pair" },
      el(
        "section",
        {},
        el("h2", {}, "Across tasks"),
        el(
          "p",
          { class: "note" },
          "Mean score, each task with the same weight, with its 95 % interval over tasks and seeds; the ranks that it may have.",
        ),
        ranking,
        missing,
      ),
      el("section", {}, el("h2", {}, "Mean ranks"), critical, places),
    ),
    claims(board),
    unregistered(board),
  );

  function refresh() {
    axis.sync(state.axis);
    fill(map, heat(board, all, state.axis));
    drawRanking(ranking, missing, board, all, state.axis);
    drawRanks(places, critical, board, all, state.axis);
  }
  refresh();
}

function heading(board) {
  const records = board.tasks.flatMap((task) => [...task.records.values()]);
  const methods = new Set(records.map((record) => record.method));
  const count = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
  return el(
    "div",
    { class: "title" },
    el("h1", {}, "What compression costs, and what it buys"),
    el(
      "p",
      { class: "lead" },
      `${count(board.tasks.length, "task")}, ${count(methods.size, "method")}, ` +
        `${count(records.length, "record")}. Every number is measured on one protocol, over paired seeds.`,
    ),
  );
}

function unregistered(board) {
  const lines = board.unregistered;
  return (
    lines.length > 0 &&
    el(
      "section",
      {},
      el("h2", {}, "Unregistered"),
      el("p", { class: "note" }, "Records of tasks that are not ranked here, and why."),
      el(
        "ul",
        {},
        lines.map((line) => el("li", {}, line)),
      ),
    )
  );
}

const SCORE = () =>
  el(
    "p",
    { class: "note" },
    "The share of dense quality that a curve keeps, averaged over the logarithm of budgets in the task’s window of bytes: ",
    "1 is dense quality at the least of them. No entry moves another’s. Closed division. ",
    el("span", { class: "missing key" }, MISSING),
    " marks where there is no score: not run, fewer than five sizes, a curve that does not cover the window, or of ",
    "latency only simulated. It is never averaged over.",
  );

function drawRanking(host, note, board, all, axis) {
  const entries = board.aggregate.filter((entry) => entry.axis === axis && entry.value !== null);
  fill(note);
  if (!entries.length) return fill(host, el("p", { class: "none" }, "There is nothing to rank yet."));
  const values = entries.map((entry) => ({
    ...entry,
    missing: undefined,
    label: entry.rank ? `${entry.method}  ${entry.rank}` : entry.method,
    opacity: entry.missing.length ? 0.4 : 1,
  }));
  const gaps = entries.filter((entry) => entry.missing.length);
  fill(
    note,
    gaps.length > 0 &&
      el(
        "details",
        {},
        el("summary", {}, `${gaps.length} of ${entries.length} methods, drawn faint, lack tasks and have no place`),
        el(
          "ul",
          {},
          gaps.map((entry) =>
            el("li", {}, el("b", {}, entry.method), ` has ${entry.tasks}, lacks ${entry.missing.join(", ")}`),
          ),
        ),
      ),
  );
  return draw(host, "ranking", (spec) => {
    spec.height = 60 + 24 * values.length;
    spec.datasets.methods = values;
    scale(spec, all);
  });
}

// Bars are half the critical difference to either side, so that two are told apart where their bars do not meet.
function drawRanks(host, note, board, all, axis) {
  const found = board.critical[axis];
  fill(note);
  if (!found) return fill(host, el("p", { class: "none" }, "This takes three methods that have run on two tasks."));
  fill(
    note,
    "Mean rank over tasks of the methods that lack none. Two are told apart where their bars do not meet: ",
    `the critical difference is ${found.difference.toFixed(2)} (Nemenyi; Friedman ${shown(found.p, "p")}).`,
  );
  const last = Object.keys(found.ranks).length;
  const within = (rank) => Math.min(Math.max(rank, 1), last);
  const half = found.difference / 2;
  const values = Object.entries(found.ranks)
    .map(([method, value]) => ({ method, label: method, value, low: within(value - half), high: within(value + half) }))
    .map((one) => ({ ...one, opacity: 1 }))
    .sort((a, b) => a.value - b.value);
  return draw(host, "ranking", (spec) => {
    spec.height = 60 + 24 * values.length;
    spec.datasets.methods = values;
    spec.layer[1].encoding.x.axis.title = "mean rank, 1 is the best";
    scale(spec, all);
  });
}
