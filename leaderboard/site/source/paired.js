// Two rows seed by seed: the difference, and which test examples changed.
import { el } from "./dom.js";
import { changes, flips, mean, pairs } from "./flips.js";
import { shown } from "./format.js";
import { table } from "./grid.js";
import { details, outcomes } from "./store.js";

const SHOWN = 12; // indices of examples

export async function paired(task, a, b, rows) {
  const [found, examples] = await Promise.all([details(task), outcomes(task)]);
  if (!found)
    return el("p", { class: "none" }, "The page had no room for the seeds of this task; they are in the records.");
  const at = (row) => rows.filter((one) => one.record === row.record).findIndex((one) => one.id === row.id);
  const common = pairs(found[a.record].points[at(a)].runs, found[b.record].points[at(b)].runs);
  if (!common.length) return el("p", { class: "none" }, "The two have no finished seed in common.");
  const differences = common.map((pair) => pair.a.quality - pair.b.quality);
  const difference = mean(differences);
  const better =
    difference === 0 ? "the two are equal" : difference > 0 === task.higher ? "A is better" : "B is better";
  const lines = common.map((pair, i) => {
    const of = examples && [examples[a.record][at(a)][pair.i], examples[b.record][at(b)][pair.j]];
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
      `; ${better}. `,
      tied(a, b),
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

function tied(a, b) {
  if (a.tie === null || b.tie === null || a.info.group !== b.info.group) return null;
  return a.tie === b.tie
    ? "They share a tie group: the board tells neither from its leader."
    : "They are in different tie groups.";
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
