// The trade-off plot: quality against what it costs.
import { noteOf, textOf } from "./columns.js";
import { el, fill, symbol } from "./dom.js";
import { plusMinus, shown } from "./format.js";
import { colourOf, scale } from "./marks.js";
import { draw } from "./plot.js";
import { toRecord } from "./route.js";

export const CROWD = 200; // rows above which a plot shows the intervals of its front alone

// Where a row stands on an axis; what costs less than the axis has is drawn at its end, as a log axis has no zero.
export const at = (row, axis) => (row[axis.id] === null ? null : Math.max(row[axis.id], axis.least));

// Rows that no other row equals in both and beats in one. Only rows whose seeds all finished count.
export function front(rows, axis, higher) {
  const sign = higher ? 1 : -1;
  const whole = rows
    .filter((row) => row.whole)
    .sort((a, b) => at(a, axis) - at(b, axis) || sign * (b.quality - a.quality));
  let best = -Infinity;
  return whole.filter((row) => {
    const better = sign * row.quality > best;
    if (better) best = sign * row.quality;
    return better;
  });
}

export function drawTradeoff(host, { task, group, rows, axis, limit, near, only, all, height, sides }) {
  const drawn = rows.filter((row) => at(row, axis) > 0 && row.quality !== null);
  if (!drawn.length) return fill(host, el("p", { class: "none" }, "No row has both figures."));
  const best = drawn.every((row) => row.record === drawn[0].record) ? [] : front(drawn, axis, task.higher);
  const told = drawn.length > CROWD ? new Set(best) : null;
  const points = drawn.map((row, i) => point(row, axis, only, i, told));
  const xs = points.map((p) => p.x);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const dense = group.dense?.quality[0] ?? null;
  const range = near && group.near ? group.near : inSight(points, dense, group.sight);
  const [low, high] = range;
  return draw(host, "tradeoff", (spec) => {
    spec.height = height;
    spec.datasets.points = points;
    spec.datasets.front = best.length
      ? [...best.map((row) => ({ x: at(row, axis), y: row.quality })), { x: right, y: best.at(-1).quality }]
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
    spec.encoding.y.axis.title = task.quality_title;
    spec.encoding.x.axis.values = ticks(left, right);
    if (low < high) spec.encoding.y.scale = { domain: range, nice: !near };
    scale(spec, all);
    if (sides)
      for (const { encoding } of spec.layer)
        for (const channel of ["color", "fill", "stroke"])
          if (encoding[channel]?.field) Object.assign(encoding[channel], { field: "record", scale: sides });
    spec.layer[0].encoding.color.value = colourOf("var(--muted)");
    spec.layer[1].encoding.color.value = colourOf("var(--accent)");
    spec.layer[2].encoding.color.value = colourOf("var(--ink)");
    spec.layer = spec.layer.filter((layer) => filled(layer, spec.datasets[layer.data.name]));
  }).then((view) => view && hover(host, view, drawn, axis, task, all));
}

// Nothing warns of an empty extent where a layer has nothing to draw.
const filled = (layer, data) => data.length > 0 && (layer.mark.type !== "rule" || data.some((one) => one.low !== null));

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
    x: at(row, axis),
    y: row.quality,
    low: row.low,
    high: row.high,
    record: row.record,
    method: row.info.method,
    ...(plain ? { opacity: 1, line: 0.45 } : faint),
  };
}

// Every mean; of the intervals, what the board has in sight.
function inSight(points, dense, [least, greatest] = [-Infinity, Infinity]) {
  const means = points.map((p) => p.y).concat(dense ?? []);
  const low = points.map((p) => Math.max(p.low ?? p.y, least));
  const high = points.map((p) => Math.min(p.high ?? p.y, greatest));
  return [Math.min(...means, ...low), Math.max(...means, ...high)];
}

// Hovering shows a card, a click keeps it, so that a finger can follow its link.
function hover(host, view, rows, axis, task, all) {
  const card = el("div", { class: "card", role: "status", hidden: true });
  host.append(card);
  let kept = false;
  const rowOf = (item) => (item?.datum?.index === undefined ? null : rows[item.datum.index]);
  const show = (event, row) => {
    fill(card, contents(row, axis, task, all));
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

function contents(row, axis, task, all) {
  const { quality, bytes, n } = task.column;
  const lines = [
    ["quality", plusMinus(textOf(row, quality), row.std)],
    ["95 %", noteOf(row, quality)],
    [axis.label, shown(at(row, axis), axis.unit)],
    [bytes.title, axis.id === bytes.id ? null : textOf(row, bytes)],
    [n.title, textOf(row, n)],
  ];
  return [
    el("b", {}, symbol(all.of(row.info)), `${row.info.label} · ${row.text_strength}`),
    el(
      "dl",
      {},
      lines.filter(([, text]) => text).map(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]),
    ),
    el("a", { href: toRecord(row.info.task, row.record) }, "Open the record"),
  ];
}
