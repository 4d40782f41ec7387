// What the tables of a task show of a row.
import { el, symbol } from "./dom.js";
import {
  absent,
  fixed,
  interval,
  MISSING,
  plusMinus,
  probability,
  rank,
  seeds,
  si,
  signed,
  strength,
  three,
} from "./format.js";
import { toRecord } from "./route.js";
import { chooser } from "./tray.js";

export function columns(task, all) {
  const [first, latencies] = [method(all, true), [latency("one", "1"), latency("batch", task.batch)]];
  return [
    first,
    { id: "strength", label: "strength", value: (r) => r.strength, cell: strength, rising: true },
    number(
      "rank",
      "rank",
      (r) => r.rank_low,
      ranked,
      "The ranks that it may have; rows with the same letter cannot be told apart",
      true,
    ),
    number(
      "quality",
      task.metric,
      (r) => r.quality,
      quality,
      "Mean ± standard deviation over seeds, and its 95 % interval",
    ),
    number("n", "n", (r) => r.finished, seeds, "Seeds; † a single one; 2/3: one of three failed"),
    number(
      "difference",
      "vs dense",
      (r) => r.difference,
      (r) => against(r.difference, r.p_dense),
      "Quality − dense, paired by seed; p after Holm’s correction",
    ),
    number(
      "control",
      "vs control",
      (r) => r.control_difference,
      (r) => control(r, task),
      "Quality − control at the same strength",
    ),
    bytes,
    number(
      "ratio",
      "ratio",
      (r) => r.ratio,
      (r) => (r.ratio === null ? MISSING : `×${three(r.ratio)}`),
      "Dense bytes / bytes",
    ),
    number(
      "macs",
      "MACs",
      (r) => r.effective_macs,
      macs,
      "Of one example; “a of b” multiply by a nonzero weight",
      true,
    ),
    number(
      "bops",
      "BOPs",
      (r) => r.bops,
      (r) => si(r.bops),
      "Bit operations of one example",
      true,
    ),
    ...latencies,
    { id: "execution", label: "run as", value: (r) => r.execution, cell: (r) => r.execution ?? MISSING, rising: true },
    number("seconds", "cost", (r) => r.seconds, cost, "Of optimizing, compilation apart", true),
  ];
}

export function staleColumns(all) {
  return [
    method(all),
    { id: "strength", label: "strength", value: (r) => r.strength, cell: strength, rising: true },
    {
      id: "reason",
      label: "stale",
      value: (r) => r.info.stale,
      cell: (r) => el("span", { class: "stamp warn" }, r.info.stale),
      rising: true,
    },
    number("quality", "quality", (r) => r.quality, quality, "Not comparable with the rows above"),
    bytes,
    number("n", "n", (r) => r.finished, seeds, "Seeds"),
  ];
}

const number = (id, label, value, cell, hint, rising) => ({ id, label, value, cell, hint, rising, numeric: true });

const bytes = number(
  "bytes",
  "bytes",
  (r) => r.bytes,
  (r) => si(r.bytes, "B"),
  "Artifact file",
  true,
);

function method(all, pick) {
  return {
    id: "method",
    label: "method",
    value: (r) => r.info.label,
    rising: true,
    cell: (r) => {
      const mark = all.of(r.info);
      return [
        pick && chooser(r),
        el(
          "a",
          { href: toRecord(r.info.task, r.record) },
          symbol(mark.path, mark.colour),
          r.info.label,
          r.optimal ? el("span", { class: "optimal", title: "Pareto-optimal in quality and bytes" }, " ●") : null,
          r.info.verified ? el("span", { class: "stamp good", title: "verified" }, "✓") : null,
        ),
      ];
    },
  };
}

function ranked(row) {
  return [rank(row), row.tie !== null && el("span", { class: "tie", title: `tie group ${row.tie}` }, letter(row.tie))];
}

const letter = (tie) => (tie <= 26 ? String.fromCharCode(96 + tie) : `t${tie}`);

function quality(row) {
  if (row.quality === null) return el("span", { class: "stamp warn" }, absent(row));
  return [plusMinus(fixed(row.quality), row.std), el("small", {}, interval(row.low, row.high))];
}

const against = (difference, p) => [signed(difference), p !== null && el("small", {}, `p ${probability(p)}`)];

function control(row, task) {
  if (row.control_difference === null) return MISSING;
  const beaten = (task.higher ? row.control_difference > 0 : row.control_difference < 0) && row.p_control < 0.05;
  const said = `${beaten ? "" : "does not beat it, "}p ${probability(row.p_control)}`;
  return [signed(row.control_difference), el("small", { class: beaten ? null : "warn" }, said)];
}

function macs(row) {
  const [total, effective] = [si(row.macs), si(row.effective_macs)];
  return total === effective ? total : [effective, el("small", {}, `of ${total}`)];
}

function latency(name, batch) {
  const [ms, speedup] = [`ms_${name}`, `speedup_${name}`];
  return number(
    ms,
    `ms, batch ${batch}`,
    (r) => r[ms],
    (r) => (r[ms] === null ? MISSING : [three(r[ms]), el("small", {}, `×${r[speedup].toFixed(2)}`)]),
    "Median; × is the speed against dense",
    true,
  );
}

function cost(row) {
  if (row.seconds === null) return MISSING;
  const teacher = row.teacher_forwards ? `, ${si(row.teacher_forwards)} teacher` : "";
  return [`${three(Math.round(row.seconds * 100) / 100)} s`, el("small", {}, `${row.steps} steps${teacher}`)];
}
