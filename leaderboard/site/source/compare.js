// Two entries side by side: figures, the difference seed by seed, and which examples changed.
import { el, fill, picker, symbol } from "./dom.js";
import { fixed, interval, MISSING, plusMinus, probability, rank, seeds, si, signed, strength, three } from "./format.js";
import { changes, flips, mean, pairs } from "./flips.js";
import { table } from "./grid.js";
import { colourOf, marks } from "./marks.js";
import { toCompare, toRecord, toTask } from "./route.js";
import { details, outcomes, rows as load } from "./store.js";
import { axes, drawTradeoff } from "./tradeoff.js";

const SIDES = ["--family-2", "--family-0"];
const SHOWN = 12; // indices of examples

export async function comparePage(main, board, route, task) {
  const rows = (await load(task)).filter((row) => row.info.group !== "stale");
  const of = (id, other) => rows.find((row) => row.id === id) ?? rows.find((row) => row.id !== other) ?? rows[0];
  const [a, b] = [of(route.query.a), of(route.query.b, route.query.a)];
  if (!a) return fill(main, el("p", { class: "none" }, "This task has nothing to compare."));
  const all = marks(board);
  const go = (x, y) => { location.hash = toCompare(task.name, x, y); };
  const options = rows.map((row) => [row.id, `${row.info.label}, ${strength(row)}${row.info.group === "open" ? " (open)" : ""}`]);
  const plot = el("div", { class: "plot", role: "group", "aria-label": `${task.metric} against bytes of both records` });
  const seeding = el("div");
  fill(main, el("div", { class: "title" }, el("p", { class: "crumb" }, el("a", { href: toTask(task.name) }, task.name), " / compare"),
    el("h1", {}, `${a.info.label}, ${strength(a)}`, el("span", { class: "against" }, " against "), `${b.info.label}, ${strength(b)}`)),
    el("div", { class: "controls" }, picker("A", options, a.id, (id) => go(id, b.id)), picker("B", options, b.id, (id) => go(a.id, id)),
      el("button", { type: "button", onclick: () => go(b.id, a.id) }, "Swap")),
    el("div", { class: "pair" }, el("section", {}, el("h2", {}, "Figures"), figures(task, a, b, all)),
      el("section", {}, el("h2", {}, "Curves"), plot)), seeding);
  const group = task.groups.find((one) => one.name === a.info.group);
  drawTradeoff(plot, { task, group, rows: rows.filter((row) => [a.record, b.record].includes(row.record)), axis: axes(task).bytes, limit: null, near: false, only: "", all, height: 320, sides: { domain: [a.record, b.record], range: SIDES.map(colourOf) } });
  fill(seeding, await paired(task, a, b, rows));
}

function figures(task, a, b, all) {
  const heads = [a, b].map((row, i) => {
    const mark = all.of(row.info);
    return el("th", { scope: "col" }, el("span", { class: "side" }, "AB"[i]), el("a", { href: toRecord(task.name, row.record) }, symbol(mark.path, colourOf(SIDES[i])), row.info.label), el("small", {}, strength(row)));
  });
  const line = (label, show, ratio) => el("tr", {}, el("th", { scope: "row" }, label), [a, b].map((row) => el("td", { class: "number" }, show(row))),
    el("td", { class: "number" }, ratio ? quotient(ratio(a), ratio(b)) : null));
  const axis = axes(task);
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures" }, el("table", { class: "grid" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, ""), heads, el("th", { scope: "col" }, "A / B"))), el("tbody", {},
      line(task.metric, (r) => (r.quality === null ? "failed" : [plusMinus(fixed(r.quality), r.std), el("small", {}, interval(r.low, r.high))])),
      line("vs dense", (r) => [signed(r.difference), r.p_dense !== null && el("small", {}, `p ${probability(r.p_dense)}`)]),
      line("rank", rank), line("n", seeds),
      ["bytes", "macs", "bops", "ms1", "ms", "cost"].map((id) => line(axis[id].label,
        (r) => (axis[id].of(r) === null ? MISSING : axis[id].show(axis[id].of(r))), axis[id].of)),
      line("run as", (r) => r.execution ?? MISSING))));
}

const quotient = (a, b) => (a === null || b === null || b === 0 ? MISSING : `×${three(a / b)}`);

async function paired(task, a, b, rows) {
  const [found, examples] = await Promise.all([details(task), outcomes(task)]);
  if (!found) return el("p", { class: "none" }, "The page had no room for the seeds of this task; they are in the records.");
  const at = (row) => rows.filter((one) => one.record === row.record).findIndex((one) => one.id === row.id);
  const common = pairs(found[a.record].points[at(a)].runs, found[b.record].points[at(b)].runs);
  if (!common.length) return el("p", { class: "none" }, "The two have no finished seed in common.");
  const differences = common.map((pair) => pair.a.quality - pair.b.quality);
  const difference = mean(differences);
  const better = difference === 0 ? "the two are equal" : (difference > 0) === task.higher ? "A is better" : "B is better";
  const lines = common.map((pair, i) => {
    const of = examples && [examples[a.record][at(a)][pair.i], examples[b.record][at(b)][pair.j]];
    return { pair, difference: differences[i], flips: of && (task.outcome === "correct" ? flips(...of) : changes(...of)) };
  });
  return el("section", {}, el("h2", {}, "Seed by seed"),
    el("p", { class: "answer" }, "Mean difference A − B over ", el("b", {}, `${common.length} paired seed${common.length > 1 ? "s" : ""}`), ": ",
      el("b", { id: "difference" }, signed(difference)), `; ${better}. `, tied(a, b)),
    table("Seed by seed", ["seed", "A", "B", "A − B", only(task, "A"), only(task, "B"), "of"], lines.map((line) => el("tr", { class: "top" },
      el("th", { scope: "row" }, String(line.pair.seed)), cells(fixed(line.pair.a.quality), fixed(line.pair.b.quality), signed(line.difference)),
      line.flips ? [flipped(line.flips.onlyA), flipped(line.flips.onlyB), cells(String(line.flips.examples))]
        : el("td", { colspan: 3 }, "outcomes are in the records alone")))),
    el("p", { class: "note" }, task.outcome === "correct"
      ? "Flips: test examples that one got right and the other wrong, by their index from 0."
      : "Test examples that changed, by their index from 0, the largest change first."));
}

const only = (task, side) => (task.outcome === "correct" ? `only ${side} right` : `${side} better`);
const cells = (...texts) => texts.map((text) => el("td", { class: "number" }, text));

function tied(a, b) {
  if (a.tie === null || b.tie === null || a.info.group !== b.info.group) return null;
  return a.tie === b.tie ? "They share a tie group: no test of the board tells them apart." : "They are in different tie groups.";
}

function flipped(indices) {
  const rest = indices.length - SHOWN;
  return el("td", { class: "flips" }, el("b", {}, String(indices.length)), indices.length > 0 &&
    el("small", {}, indices.slice(0, SHOWN).join(", ") + (rest > 0 ? ` … and ${rest} more` : "")));
}
