// What a record's page unpacks: how to run it again, what every seed gave, where it was made.
import { copyButton, el, facts } from "./dom.js";
import { MISSING, shown } from "./format.js";
import { table, td } from "./grid.js";

export function seedsOf(task, found) {
  const remarks = found.points.flatMap((point) =>
    point.remarks.map((text) => [point.strength, text].filter(Boolean).join(", ")),
  );
  return [
    remarks.length > 0 &&
      el(
        "section",
        {},
        el("h2", {}, "Failures and notes"),
        el(
          "ul",
          { class: "remarks" },
          remarks.map((text) => el("li", {}, text)),
        ),
      ),
    el(
      "section",
      {},
      el("h2", {}, "Reproduce"),
      el("p", { class: "note" }, "At the commit below, with the same library versions:"),
      found.provenance.map((made) =>
        el("div", { class: "command" }, el("pre", {}, made.command), copyButton(made.command)),
      ),
    ),
    el("section", {}, el("h2", {}, "Every seed"), seedTable(task, found)),
    el(
      "div",
      { class: "pair" },
      el("section", {}, el("h2", {}, "Provenance"), provenance(found), found.verified.length > 0 && verified(found)),
      el(
        "section",
        {},
        el("h2", {}, "Configuration"),
        el("pre", { class: "config", tabindex: "0" }, JSON.stringify(found.config, null, 2)),
      ),
    ),
  ];
}

function seedTable(task, found) {
  const dense = new Map(found.dense.map(([seed, , quality]) => [seed, quality]));
  const lines = found.points.flatMap((point) =>
    point.runs.map((run) =>
      run.failure || run.skipped
        ? el(
            "tr",
            {},
            el("th", { scope: "row" }, point.strength || MISSING),
            td(run.seed),
            el(
              "td",
              { colspan: 10, class: "warn" },
              run.failure ? `failed: ${run.failure}` : `skipped: ${run.skipped}`,
            ),
          )
        : el(
            "tr",
            {},
            el("th", { scope: "row" }, point.strength || MISSING),
            td(run.seed),
            td(shown(run.quality, "quality")),
            td(shown(run.quality - dense.get(run.seed), "difference")),
            td(shown(run.valid, "quality")),
            td(shown(run.bytes, "B")),
            td(shown(run.parameters, "count")),
            td(shown(run.density, "number")),
            td(
              ["one", "batch"].map((name) =>
                el("div", {}, `${shown(run.ms[name], "number")} (p95 ${shown(run.p95[name], "number")})`),
              ),
            ),
            td(shown(run.memory, "B")),
            td(`${shown(run.seconds, "s")}, ${run.steps} steps`),
            el("td", {}, el("code", {}, run.artifact)),
          ),
    ),
  );
  return table(
    "Every seed",
    [
      "strength",
      "seed",
      task.metric,
      task.column.difference.title,
      "validation",
      task.column.bytes.title,
      "parameters",
      "density",
      `ms, batch 1 and ${task.batch}`,
      "memory",
      "cost",
      "artifact SHA-256",
    ],
    lines,
  );
}

function provenance(found) {
  const several = found.provenance.length > 1;
  return facts([
    ...found.provenance.flatMap((made) => [
      ["commit", el("code", {}, made.commit + (made.dirty ? " (with changes)" : ""))],
      ...(several ? [["made", made.made]] : []),
      ["device", made.device],
      ["libraries", made.libraries.map((pair) => pair.join(" ")).join(", ")],
      ...(made.settings.length > 0 ? [["settings", made.settings.map((pair) => pair.join("=")).join(", ")]] : []),
      ...(made.outside.length > 0 ? [["code outside the clone", made.outside.join(", ")]] : []),
    ]),
    [
      "dense nets",
      found.dense.map(([seed, checkpoint, quality]) =>
        el("div", {}, `seed ${seed}: ${shown(quality, "quality")}, `, el("code", {}, checkpoint)),
      ),
    ],
  ]);
}

function verified(found) {
  return el(
    "ul",
    { class: "remarks" },
    found.verified.map((v) =>
      el(
        "li",
        {},
        `verified: strength ${v.strength}, seed ${v.seed} gave ${shown(v.quality, "quality")} (within ${v.tolerance}) on ${v.device}, commit ${v.commit.slice(0, 12)}${v.date ? `, ${v.date}` : ""}`,
      ),
    ),
  );
}
