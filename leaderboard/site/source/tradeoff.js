// The trade-off plot: quality against what it costs.
import { el, fill, symbol } from "./dom.js";
import { fixed, interval, plusMinus, seeds, si, strength, three } from "./format.js";
import { colourOf, scales } from "./marks.js";
import { draw } from "./plot.js";
import { toRecord } from "./route.js";

export const CROWD = 200; // rows above which a plot shows the intervals of its front alone
const CHEAPEST = 0.01; // seconds: a method that costs less is drawn here, as a log axis has no zero

export function axes(task) {
  return {
    bytes: { label: "bytes", title: "artifact, bytes", of: (row) => row.bytes, show: (v) => si(v, "B"), format: "~s" },
    macs: {
      label: "MACs",
      title: "effective MACs of one example",
      of: (row) => row.effective_macs,
      show: (v) => si(v),
      format: "~s",
    },
    bops: {
      label: "BOPs",
      title: "bit operations of one example",
      of: (row) => row.bops,
      show: (v) => si(v),
      format: "~s",
    },
    ms1: {
      label: "latency, batch 1",
      title: "median latency at batch 1, ms",
      of: (row) => row.ms_one,
      show: (v) => `${three(v)} ms`,
      format: "~g",
    },
    ms: {
      label: `latency, batch ${task.batch}`,
      title: `median latency at batch ${task.batch}, ms`,
      of: (row) => row.ms_batch,
      show: (v) => `${three(v)} ms`,
      format: "~g",
    },
    cost: {
      label: "cost",
      title: "seconds of optimizing",
      of: (row) => (row.seconds === null ? null : Math.max(row.seconds, CHEAPEST)),
      show: (v) => `${three(v)} s`,
      format: "~g",
    },
  };
}

// Rows that no other row equals in both and beats in one. Only rows whose seeds all finished count.
export function front(rows, of, higher) {
  const sign = higher ? 1 : -1;
  const whole = rows
    .filter((row) => row.finished === row.asked && of(row) !== null && row.quality !== null)
    .sort((a, b) => of(a) - of(b) || sign * (b.quality - a.quality));
  let best = -Infinity;
  return whole.filter((row) => {
    const better = sign * row.quality > best;
    if (better) best = sign * row.quality;
    return better;
  });
}

export function drawTradeoff(host, { task, group, rows, axis, limit, near, only, all, height, sides }) {
  const shown = rows.filter((row) => axis.of(row) > 0 && row.quality !== null);
  if (!shown.length) return fill(host, el("p", { class: "none" }, "No row has both figures."));
  const best = shown.every((row) => row.record === shown[0].record) ? [] : front(shown, axis.of, task.higher);
  const told = shown.length > CROWD ? new Set(best) : null;
  const points = shown.map((row, i) => point(row, axis, only, i, told));
  const xs = points.map((p) => p.x);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const dense = group.dense?.quality[0] ?? null;
  const range = near && dense !== null ? closeTo(dense, task) : inSight(points, dense, task);
  const [low, high] = range;
  return draw(host, "tradeoff", (spec) => {
    spec.height = height;
    spec.datasets.points = points;
    spec.datasets.front = best.length
      ? [...best.map((row) => ({ x: axis.of(row), y: row.quality })), { x: right, y: best.at(-1).quality }]
      : [];
    spec.datasets.dense =
      dense === null
        ? []
        : [
            { x: left, y: dense },
            { x: right, y: dense },
          ];
    spec.datasets.limit = limit
      ? [
          { x: limit, y: low },
          { x: limit, y: high },
        ]
      : [];
    spec.encoding.x.axis = { ...spec.encoding.x.axis, title: axis.title, format: axis.format };
    spec.encoding.y.axis.title = `${task.metric}, ${task.higher ? "higher" : "lower"} is better`;
    spec.encoding.x.axis.values = ticks(left, right);
    if (low < high) spec.encoding.y.scale = { domain: range, nice: !near };
    scales(spec.encoding.color, spec.layer.at(-1).encoding.shape, all);
    if (sides) spec.encoding.color = { ...spec.encoding.color, field: "record", scale: sides };
    spec.layer[0].encoding.color.value = colourOf("--muted");
    spec.layer[1].encoding.color.value = colourOf("--accent");
    spec.layer[2].encoding.color.value = colourOf("--ink");
    spec.layer = spec.layer.filter((layer) => drawn(layer, spec.datasets[layer.data.name]));
  }).then((view) => view && hover(host, view, shown, axis, all));
}

// Nothing warns of an empty extent where a layer has nothing to draw.
const drawn = (layer, data) => data.length > 0 && (layer.mark.type !== "rule" || data.some((one) => one.low !== null));

// Round values in sight: of many decades, the powers of ten alone; the ends themselves where none is in sight.
function ticks(left, right) {
  const decades = Math.log10(right / left);
  const steps = decades > 3 ? [1] : decades > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
  const found = [];
  for (let power = Math.floor(Math.log10(left)); power <= Math.ceil(Math.log10(right)); power += 1)
    for (const step of steps) found.push(Number(`${step}e${power}`));
  const padding = (right / left) ** 0.03;
  const seen = found.filter((value) => value >= left / padding && value <= right * padding);
  return seen.length > 1 ? seen : [...new Set([left, right])];
}

// Others than the isolated method are faint. In a crowd, `told` alone have intervals.
function point(row, axis, only, index, told) {
  const plain = only ? only === row.info.method : !told || told.has(row);
  const faint = told ? { opacity: 0.3, line: 0.04 } : { opacity: 0.12, line: 0.08 };
  return {
    index,
    x: axis.of(row),
    y: row.quality,
    low: row.low,
    high: row.high,
    record: row.record,
    method: row.info.method,
    ...(plain ? { opacity: 1, line: 0.45 } : faint),
  };
}

// Down to a tenth of the way from dense to an answer that ignores its input; to a tenth of dense if nobody knows that.
function closeTo(dense, task) {
  const width = 0.1 * Math.abs(dense - (task.reference ?? 0));
  return possible(task.higher ? [dense - width, dense + width / 3] : [dense - width / 3, dense + width], task);
}

// Every mean, and as much around them as the middle one of the intervals needs; no wide one makes all else small.
function inSight(points, dense, task) {
  const means = points.map((p) => p.y).concat(dense ?? []);
  const [least, greatest] = [Math.min(...means), Math.max(...means)];
  const halves = points.map((p) => ((p.high ?? p.y) - (p.low ?? p.y)) / 2).sort((a, b) => a - b);
  const room = Math.max((greatest - least) / 4, halves[Math.floor(halves.length / 2)]);
  const low = Math.min(least, ...points.map((p) => p.low ?? p.y));
  const high = Math.max(greatest, ...points.map((p) => p.high ?? p.y));
  return possible([Math.max(low, least - room), Math.min(high, greatest + room)], task);
}

// No quality is below 0, and none of right and wrong above 1.
const possible = ([low, high], task) => [Math.max(low, 0), task.outcome === "correct" ? Math.min(high, 1) : high];

// Hovering shows a card, a click keeps it, so that a finger can follow its link.
function hover(host, view, rows, axis, all) {
  const card = el("div", { class: "card", role: "status", hidden: true });
  host.append(card);
  let kept = false;
  const rowOf = (item) => (item?.datum?.index === undefined ? null : rows[item.datum.index]);
  const show = (event, row) => {
    fill(card, contents(row, axis, all));
    card.hidden = false;
    const box = host.getBoundingClientRect();
    const x = event.clientX - box.left,
      y = event.clientY - box.top;
    card.style.left = `${Math.max(0, Math.min(x + 14, box.width - card.offsetWidth))}px`;
    card.style.top = `${y + 18}px`;
  };
  view.addEventListener("mousemove", (event, item) => {
    const row = rowOf(item);
    host.classList.toggle("over", row !== null);
    if (kept) return;
    if (row) show(event, row);
    else card.hidden = true;
  });
  view.addEventListener("click", (event, item) => {
    const row = rowOf(item);
    kept = row !== null;
    if (row) show(event, row);
    else card.hidden = true;
  });
}

function contents(row, axis, all) {
  const mark = all.of(row.info);
  const lines = [
    ["quality", plusMinus(fixed(row.quality), row.std)],
    ["95 %", interval(row.low, row.high)],
    [axis.label, axis.show(axis.of(row))],
    ["bytes", axis.label === "bytes" ? null : si(row.bytes, "B")],
    ["n", seeds(row)],
  ];
  return [
    el("b", {}, symbol(mark.path, mark.colour), `${row.info.label} · ${strength(row)}`),
    el(
      "dl",
      {},
      lines.filter(([, text]) => text).map(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]),
    ),
    el("a", { href: toRecord(row.info.task, row.record) }, "Open the record"),
  ];
}
