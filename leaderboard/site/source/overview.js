// The first page: every task against every method, and the ranking across tasks.
import { claims } from "./claims.js";
import { choice, el, fill, symbol } from "./dom.js";
import { fixed, interval, MISSING } from "./format.js";
import { marks, scales } from "./marks.js";
import { draw } from "./plot.js";
import { remember, toRecord, toTask } from "./route.js";

export function overviewPage(main, board, route) {
  const state = { axis: route.query.axis === "latency" ? "latency" : "bytes" };
  const all = marks(board);
  const axis = choice("Score over", [["bytes", "bytes"], ["latency", "latency"]], (value) => {
    state.axis = value;
    remember([], state.axis === "bytes" ? {} : { axis: value });
    refresh();
  });
  const map = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Scores by task and method" });
  const ranking = el("div", { class: "plot" });
  const missing = el("div");
  const profile = el("div", { class: "plot" });
  fill(main, heading(board),
    el("section", {}, el("div", { class: "head" }, el("h2", {}, "Scores"), axis), SCORE(), map),
    el("div", { class: "pair" },
      el("section", {}, el("h2", {}, "Across tasks"),
        el("p", { class: "note" }, "Interquartile mean of the scores over tasks and seeds, with its 95 % interval."),
        ranking, missing),
      el("section", {}, el("h2", {}, "Performance profile"),
        el("p", { class: "note" }, "The share of tasks and seeds on which a method’s score over bytes is above a threshold; higher is better."),
        profile)), claims(board));

  function refresh() {
    axis.sync(state.axis);
    fill(map, heat(board, all, state.axis));
    drawRanking(ranking, missing, board, all, state.axis);
    drawProfile(profile, board, all);
  }
  refresh();
}

function heading(board) {
  const records = board.tasks.flatMap((task) => [...task.records.values()]);
  const methods = new Set(records.map((record) => record.method));
  const count = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
  return el("div", { class: "title" }, el("h1", {}, "What compression costs, and what it buys"),
    el("p", { class: "lead" }, `${count(board.tasks.length, "task")}, ${count(methods.size, "method")}, ` +
      `${count(records.length, "record")}. Every number is measured on one protocol, over paired seeds.`));
}

const SCORE = () => el("p", { class: "note" },
  "The share of dense quality that a curve keeps, averaged over log budgets between fixed references of the task: ",
  "0 is the dense net uncompressed, 1 its quality at the least budget. No entry moves another’s. Closed division. ", el("span", { class: "missing key" }, MISSING),
  " marks where there is no score: not run, or of latency only simulated. It is never averaged over.");

// One row a task, one column a method; of several configurations, the best on valid, with their number.
function heat(board, all, axis) {
  const best = new Map();
  const names = new Set();
  for (const task of board.tasks)
    for (const group of task.groups.filter((one) => one.name === "closed"))
      for (const record of group.records) {
        const place = `${task.name}/${record.family}/${record.method}`;
        const score = record.scores[axis]?.[0] ?? null;
        const valid = record.scores[axis]?.[3] ?? null;
        const cell = best.get(place) ?? { count: 0, record, score, valid };
        cell.count += 1;
        if (score !== null && (cell.score === null || valid > cell.valid)) Object.assign(cell, { record, score, valid });
        best.set(place, cell);
        names.add(`${record.family}/${record.method}`);
      }
  const columns = all.families.flatMap((f) => f.methods).filter((m) => m.name !== "dense" && names.has(`${m.family}/${m.name}`));
  const modalities = [...new Set(board.tasks.map((task) => task.modality))].sort();
  return el("table", { class: `heat${columns.length > 20 ? " many" : ""}` },
    el("caption", { class: "hidden" }, `Scores over ${axis}`),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "task"), columns.map((method) =>
      el("th", { scope: "col", title: method.family }, el("span", { class: "upright" }, symbol(method.path, method.colour), method.name))))),
    modalities.map((modality) => el("tbody", {},
      el("tr", { class: "modality" }, el("th", { colspan: columns.length + 1, scope: "colgroup" }, el("span", {}, modality))),
      board.tasks.filter((task) => task.modality === modality).map((task) => el("tr", {},
        el("th", { scope: "row" }, el("a", { href: toTask(task.name) }, task.name)),
        columns.map((method) => cell(task, method, best.get(`${task.name}/${method.family}/${method.name}`), axis)))))));
}

function cell(task, method, found, axis) {
  if (!found || found.score === null)
    return el("td", { class: "missing", title: `${method.name} on ${task.name}: ${found ? "no score" : "not run"}` }, MISSING);
  const [value, low, high] = found.record.scores[axis];
  const td = el("td", { class: value > 0.55 ? "dark" : null }, el("a", {
    href: found.count > 1 ? toTask(task.name, { only: method.name }) : toRecord(task.name, found.record.key),
    title: `${method.name} on ${task.name}: ${fixed(value, 3)} ${interval(low, high, 3) ?? ""}`,
  }, fixed(value, 2), found.count > 1 && el("sup", {}, String(found.count))));
  td.style.setProperty("--heat", String(Math.max(0, Math.min(1, value))));
  return td;
}

function drawRanking(host, note, board, all, axis) {
  const entries = board.aggregate.filter((entry) => entry.axis === axis && entry.value !== null);
  fill(note);
  if (!entries.length) return fill(host, el("p", { class: "none" }, "There is nothing to rank yet."));
  const values = entries.map((entry) => ({ ...entry, missing: undefined,
    label: entry.method, opacity: entry.missing.length ? 0.4 : 1 }));
  const gaps = entries.filter((entry) => entry.missing.length);
  fill(note, gaps.length > 0 && el("details", {}, el("summary", {}, `${gaps.length} of ${entries.length} methods, drawn faint, lack tasks and have no place`),
    el("ul", {}, gaps.map((entry) => el("li", {}, el("b", {}, entry.method), ` has ${entry.tasks}, lacks ${entry.missing.join(", ")}`)))));
  return draw(host, "ranking", (spec) => {
    spec.height = 60 + 24 * values.length;
    spec.datasets.methods = values;
    scales(spec.encoding.color, spec.layer[1].encoding.shape, all);
  });
}

function drawProfile(host, board, all) {
  const steps = Object.entries(board.profiles).flatMap(([name, points]) => points.map(([threshold, share], i) => ({
    threshold, share, method: name,
    mark: i % Math.ceil(points.length / 4) === 0 })));
  if (!steps.length) return fill(host, el("p", { class: "none" }, "There is nothing to compare yet."));
  return draw(host, "profile", (spec) => {
    spec.datasets.steps = steps;
    scales(spec.encoding.color, spec.layer[1].encoding.shape, all);
  });
}
