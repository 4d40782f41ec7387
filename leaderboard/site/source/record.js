// One record: what was run, where, what every seed gave, and how to run it again.
import { noteOf, textOf } from "./columns.js";
import { el, facts, fill, symbol } from "./dom.js";
import { interval, MISSING, plusMinus, shown } from "./format.js";
import { small, table, td } from "./grid.js";
import { marks } from "./marks.js";
import { toCompare, toTask } from "./route.js";
import { seedsOf } from "./seeds.js";
import { details, rows as load } from "./store.js";
import { drawTradeoff } from "./tradeoff.js";

export async function recordPage(main, board, task, record) {
  const [every, all] = [await load(task), marks(board)];
  const rows = every.filter((row) => row.record === record.key);
  const found = (await details(task))?.[record.key];
  const plot = el("div", { class: "plot", role: "group", "aria-label": `${task.metric} against bytes of this record` });
  fill(
    main,
    head(task, record, all, found),
    el(
      "div",
      { class: "pair wide" },
      el("section", {}, el("h2", {}, "Curve"), plot),
      el(
        "section",
        {},
        el("h2", {}, "Strengths"),
        curve(task, rows, found),
        partners(task, record, rows, every, found),
      ),
    ),
    found
      ? seedsOf(task, found)
      : el(
          "section",
          {},
          el(
            "p",
            { class: "none" },
            "The page had no room for this record’s seeds; they are in ",
            file(task, record),
            ".",
          ),
        ),
  );
  const group = task.groups.find((one) => one.name === record.group);
  drawTradeoff(plot, {
    task,
    group,
    rows,
    axis: task.axis.bytes,
    limit: null,
    near: false,
    only: "",
    all,
    height: 280,
  });
}

const file = (task, record) =>
  el(
    "a",
    { href: `../results/${encodeURIComponent(task.name)}/${encodeURIComponent(record.key)}.json` },
    el("code", {}, `leaderboard/results/${task.name}/${record.key}.json`),
  );

function head(task, record, all, found) {
  const stamps = [
    [record.division, "plain"],
    record.stale && [`stale: ${record.stale}`, "warn"],
    ...(found?.verified ?? []).map((v) => [
      `✓ ${v.strength ? `strength ${v.strength}, ` : ""}seed ${v.seed} verified on ${v.device}${v.date ? `, ${v.date}` : ""}`,
      "good",
    ]),
  ].filter(Boolean);
  return el(
    "div",
    { class: "title" },
    el("p", { class: "crumb" }, el("a", { href: toTask(task.name) }, task.name), " / record"),
    el("h1", {}, symbol(all.of(record)), record.method),
    el(
      "p",
      { class: "stamps" },
      stamps.map(([text, kind]) => el("span", { class: `stamp ${kind}` }, text)),
    ),
    facts([
      ["family", record.family],
      ["strength", record.knob || MISSING],
      ["training", record.budget],
      ["tuned to", record.tuning || MISSING],
      ["reference", record.reference],
      ["control", record.control ?? MISSING],
      ["digest", record.digest],
      ["device", record.device],
      ["file", file(task, record)],
    ]),
  );
}

// Each strength with its paired comparisons.
function curve(task, rows, found) {
  const names = ["dense", "reference", "control"];
  const { rank, quality, n, difference, reference, control, bytes } = task.column;
  const line = (row, i) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, row.text_strength),
      td(textOf(row, rank)),
      td(plusMinus(textOf(row, quality), row.std), small(noteOf(row, quality))),
      td(textOf(row, n)),
      names.map((name) => td(comparison(found?.points[i]?.comparisons[name], row, name, task))),
      td(textOf(row, bytes)),
    );
  return table(
    "Strengths",
    [
      ...["strength", rank.title, quality.title, n.title],
      ...[difference.title, reference.title, control.title, bytes.title],
    ],
    rows.map(line),
  );
}

// Links to each strength beside the row of its control that it is compared with, else beside the dense net.
function partners(task, record, rows, every, found) {
  if (record.stale || record.method === "dense") return null;
  const peers = every.filter((row) => row.info.group === record.group);
  const links = rows.flatMap((row, i) => {
    const met = found?.points[i]?.comparisons.control?.row;
    const other = peers.find((peer) => peer.id === met) ?? peers.find((peer) => peer.info.method === "dense");
    return other
      ? [
          " ",
          el("a", { href: toCompare(task.name, row.id, other.id), title: `against ${other.info.label}` }, row.strength),
        ]
      : [];
  });
  return (
    links.length > 0 &&
    el(
      "p",
      { class: "note below" },
      "Side by side with its ",
      peers.some((peer) => peer.info.method === record.control) ? `control, ${record.control}` : "dense net",
      ":",
      links,
    )
  );
}

const met = (found, name) => (name === "control" ? `, ${found.against} at ${shown(found.bytes, "B")}` : "");

function comparison(found, row, name, task) {
  if (!found && name === "control") return noteOf(row, task.column.control) ?? MISSING;
  if (!found) return name === "dense" ? textOf(row, task.column.difference) : MISSING;
  const [difference, low, high] = found.difference;
  const lost = name === "control" && !found.beats;
  return [
    shown(difference, "difference"),
    small(interval(low, high, "difference")),
    el(
      "small",
      {
        class: [name === "control" && "met", lost && "warn"].filter(Boolean).join(" ") || null,
        title: `${found.about}, against ${found.against}`,
      },
      `${lost ? "does not beat it, " : ""}${found.p}${met(found, name)}`,
    ),
  ];
}
