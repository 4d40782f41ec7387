// What papers claim, beside what was reproduced here.
import { el } from "./dom.js";
import { interval, MISSING, shown } from "./format.js";
import { table } from "./grid.js";
import { toTask } from "./route.js";

const HEADERS = ["task", "method", "strength", "claimed", "reproduced", "status", "paper"];

// Of one task, or of all.
export function claims(board, task) {
  const found = board.claims.filter((claim) => !task || claim.task === task.name);
  return (
    found.length > 0 &&
    el(
      "section",
      {},
      el("h2", {}, "Claimed and reproduced"),
      el(
        "p",
        { class: "note" },
        "Numbers of papers beside the board’s at that strength: matched is within the tolerance, below is worse than claimed, above better.",
      ),
      table(
        "Claimed and reproduced",
        HEADERS,
        found.map((claim) => line(board, claim)),
      ),
    )
  );
}

function line(board, claim) {
  const [mean, , n, low, high] = claim.reproduced ?? [];
  const known = board.byName.has(claim.task);
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, known ? el("a", { href: toTask(claim.task) }, claim.task) : claim.task),
    el("td", {}, claim.method),
    el("td", {}, claim.strength || MISSING),
    el("td", { class: "number" }, `${claim.value} ± ${claim.tolerance}`, el("small", {}, claim.metric)),
    el(
      "td",
      { class: "number" },
      claim.reproduced ? [shown(mean, "quality"), el("small", {}, `${interval(low, high) ?? ""} n ${n}`)] : MISSING,
    ),
    el("td", {}, el("span", { class: `stamp ${STAMPS[claim.status]}` }, claim.status)),
    el("td", {}, claim.paper, claim.arxiv && `, arXiv ${claim.arxiv}`, el("small", {}, claim.where)),
  );
}

const STAMPS = { matched: "good", above: "good", below: "warn", "not attempted": "plain" };
