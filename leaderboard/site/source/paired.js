// Two rows seed by seed: the difference, and which test examples changed.

import { contrast } from "./crossed.js";
import { el } from "./dom.js";
import { changes, flips, mean, pairs } from "./flips.js";
import { interval, shown } from "./format.js";
import { table } from "./grid.js";
import { details, outcomes } from "./store.js";

const SHOWN = 12; // indices of examples

export async function paired(task, a, b, rows) {
  const [found, examples] = await Promise.all([details(task), outcomes(task)]);
  if (!found?.[a.record] || !found[b.record])
    return el("p", { class: "none" }, "The page had no room for the seeds of the two; they are in the records.");
  const at = (row) => rows.filter((one) => one.record === row.record).findIndex((one) => one.id === row.id);
  const common = pairs(found[a.record].points[at(a)].runs, found[b.record].points[at(b)].runs);
  if (!common.length) return el("p", { class: "none" }, "The two have no finished seed in common.");
  const differences = common.map((pair) => pair.a.quality - pair.b.quality);
  const difference = mean(differences);
  const known = examples?.[a.record] && examples[b.record];
  const sides = known && common.map((p) => [examples[a.record][at(a)][p.i], examples[b.record][at(b)][p.j]]);
  const lines = common.map((pair, i) => {
    const of = sides?.[i];
    return {
      pair,
      difference: differences[i],
      flips: of && (task.outcome === "correct" ? flips(...of) : changes(...of)),
    };
  });
  return el(
    "section",
    {},
    el("h2", {}, "Seed by seed"),
    el(
      "p",
      { class: "answer" },
      "Mean difference A − B over ",
      el("b", {}, `${common.length} paired seed${common.length > 1 ? "s" : ""}`),
      ": ",
      el("b", { id: "difference" }, shown(difference, "difference")),
      sides && tested(task, sides, difference),
      ".",
    ),
    table(
      "Seed by seed",
      ["seed", "A", "B", "A − B", only(task, "A"), only(task, "B"), "of"],
      lines.map((line) =>
        el(
          "tr",
          { class: "top" },
          el("th", { scope: "row" }, String(line.pair.seed)),
          cells(
            shown(line.pair.a.quality, "quality"),
            shown(line.pair.b.quality, "quality"),
            shown(line.difference, "difference"),
          ),
          line.flips
            ? [flipped(line.flips.onlyA), flipped(line.flips.onlyB), cells(String(line.flips.examples))]
            : el("td", { colspan: 3 }, "outcomes are in the records alone"),
        ),
      ),
    ),
    el(
      "p",
      { class: "note" },
      task.outcome === "correct"
        ? "Flips: test examples that one got right and the other wrong, by their index from 0."
        : "Test examples that changed, by their index from 0, the largest change first.",
    ),
  );
}

const only = (task, side) => (task.outcome === "correct" ? `only ${side} right` : `${side} better`);
const cells = (...texts) => texts.map((text) => el("td", { class: "number" }, text));

// The test of these two alone, over seeds and examples.
function tested(task, sides, difference) {
  const { low, high, p } = contrast(...[0, 1].map((side) => sides.map((pair) => pair[side])), difference, task);
  const better = difference > 0 === task.higher ? "A is better" : "B is better";
  const ends = interval(low, high, "difference");
  return [
    el("span", { id: "test" }, `${ends ? ` ${ends}` : ""}, ${shown(p, "p")}`),
    p < 0.05 ? `: ${better}` : ": they cannot be told apart",
    sides.length === 1 ? ", as far as this seed’s nets go" : "",
  ];
}

function flipped(indices) {
  const rest = indices.length - SHOWN;
  return el(
    "td",
    { class: "flips" },
    el("b", {}, String(indices.length)),
    indices.length > 0 && el("small", {}, indices.slice(0, SHOWN).join(", ") + (rest > 0 ? ` … and ${rest} more` : "")),
  );
}
