"""THE table of columns: Markdown, terminal, LaTeX and CSV are made of it, and the page is told it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from leaderboard.board import display
from leaderboard.board.board import Division
from leaderboard.board.rows import Figures, Timing, against_reference, strength
from leaderboard.record.schema import TaskInfo
from leaderboard.render import cells
from leaderboard.render.cells import Cell, Entry, figure, nothing
from leaderboard.stats.summary import Summary

Value = float | str | None
COST: Mapping[str, Callable[[Figures], float]] = {
    "bytes": lambda f: f.bytes,
    "macs": lambda f: f.effective_macs,
    "bops": lambda f: f.bops,
    "latency_1": lambda f: f.latency.one.median_ms,
    "latency": lambda f: f.latency.batch.median_ms,
    "cost": lambda f: f.seconds,
}
"""Column -> what a row costs, in the column's unit."""
NARROW = (
    *("optimal", "method", "strength", "quality", "difference", "reference", "bytes", "ratio", "weight_bits"),
    *("execution", "training", "cost", "n"),
)
"""The columns that a paper has room for."""


class Column(NamedTuple):
    """What is shown of a row under one title. `title`, `head` and `hint` may hold {metric} and {batch}, the task's."""

    id: str
    title: str
    unit: str  # of display.UNITS, or "text"
    value: Callable[[Entry], Value]  # what it is sorted by
    better: str = ""  # "low" or "high", "task" where the task says it
    hint: str = ""
    text: Cell | None = None  # where it is not the value by its unit
    note: Cell = nothing  # what is small beside it
    show: Cell | None = None  # text and note as one, where they are not simply joined
    head: str = ""  # the page's title, where it is another
    raw: Callable[[Figures], dict[str, Value]] = lambda figures: {}  # names and numbers of CSV

    def cell(self, entry: Entry) -> str:
        """Returns all that is shown of a row, as one text."""
        return self.show(entry) if self.show else f"{self.main(entry)} {self.note(entry)}".rstrip()

    def main(self, entry: Entry) -> str:
        """Returns the cell without what is small in it."""
        value = self.value(entry)
        if self.text:
            return self.text(entry)
        return value if isinstance(value, str) else display.shown(value, self.unit)


def grid(task: TaskInfo, division: Division, ids: Sequence[str] = ()) -> list[list[str]]:
    """Returns header and rows of a table, unescaped.

    Args:
        task: of the division.
        division: its rows.
        ids: of the columns to show; default: all.
    """
    kept = [column for column in COLUMNS if not ids or column.id in ids]
    header = [filled(column.title, task) for column in kept]
    return [header, *([column.cell(entry) for column in kept] for entry in entries(task, division))]


def entries(task: TaskInfo, division: Division) -> list[Entry]:
    """Returns the rows of a division, in their order."""
    rows = zip(division.rows, division.optimal, strict=True)
    return [Entry(task, row, optimal, division.devices) for row, optimal in rows]


def filled(text: str, task: TaskInfo) -> str:
    """Returns a title or hint as it reads for a task."""
    return text.replace("{metric}", task.metric).replace("{batch}", str(task.eval_batch))


def _of(get: Callable[[Figures], Value]) -> Callable[[Entry], Value]:
    return lambda entry: None if entry.row.figures is None else get(entry.row.figures)


def _summary(name: str, value: Summary) -> dict[str, Value]:
    return {f"{name}_{key}": number for key, number in value._asdict().items() if key != "n"}


def _latency(id: str, batch: str, of: Callable[[Figures], Timing], raw: Callable[[Timing], dict]) -> Column:
    def show(entry: Entry) -> str:
        return figure(lambda f: f"{display.shown(COST[id](f), 'ms')} {cells.speedup(of(f))}{cells.device(entry)}")(
            entry
        )

    return Column(
        id,
        f"latency, batch {batch}",
        "ms",
        _of(COST[id]),
        "low",
        "Median; × is the speed against dense, the median of paired rounds, and their quartiles",
        note=figure(lambda f: cells.speedup(of(f)), missing=""),
        show=show,
        raw=lambda f: raw(of(f)),
    )


COLUMNS = (
    Column("optimal", "", "text", lambda e: "●" if e.optimal else "", hint="Pareto-optimal in quality and bytes"),
    Column(
        "rank",
        "rank",
        "rank",
        lambda e: min((place.rank[0] for place in e.row.places), default=None),
        "low",
        "The ranks that it may have among what methods offer under a budget of bytes",
        text=cells.rank,
    ),
    Column("method", "method", "text", lambda e: e.row.label),
    Column("strength", "strength", "text", lambda e: e.row.strength, text=lambda e: strength(e.row)),
    Column(
        "quality",
        "quality",
        "quality",
        _of(lambda f: f.quality.mean),
        "task",
        "Mean ± standard deviation over seeds, and its 95 % interval",
        text=cells.quality,
        note=figure(lambda f: display.ends(f.quality.low, f.quality.high), missing=""),
        head="{metric}",
        raw=lambda f: _summary("quality", f.quality),
    ),
    Column(
        "difference",
        "against dense",
        "difference",
        _of(lambda f: f.quality.mean - f.dense),
        "task",
        "Quality − dense, its 95 % interval and p, over seeds and examples",
        note=cells.dense_note,
        show=cells.against_dense,
        head="vs dense",
        raw=lambda f: {"dense_quality": f.dense},
    ),
    Column(
        "reference",
        "against reference",
        "difference",
        lambda e: against_reference(e.row),
        "task",
        "Quality − the net of equal training: dense, or dense plus recovery for methods that train",
        note=lambda e: cells.p(e, "reference"),
        show=cells.against_reference,
        head="vs reference",
    ),
    Column(
        "control",
        "against control",
        "difference",
        lambda e: cells.difference(e, "control"),
        "task",
        "Quality − the control’s best row, on valid, of no more bytes",
        note=cells.control_note,
        show=cells.against_control,
        head="vs control",
    ),
    Column(
        "bytes", "bytes", "B", _of(COST["bytes"]), "low", "Artifact file", raw=lambda f: {"artifact_bytes": f.bytes}
    ),
    Column(
        "ratio",
        "ratio",
        "ratio",
        _of(lambda f: f.ratio),
        "high",
        "Dense bytes / bytes",
        raw=lambda f: {"ratio": f.ratio},
    ),
    Column(
        "weight_bits",
        "bits a weight",
        "number",
        _of(lambda f: f.weight_bits),
        "low",
        "Stored bits of a weight that multiplies or is looked up, mean",
        raw=lambda f: {"weight_bits": f.weight_bits},
    ),
    Column(
        "payload",
        "payload",
        "B",
        _of(lambda f: f.payload),
        "low",
        "Bytes of the file that are values, not their description",
        raw=lambda f: {"payload_bytes": f.payload},
    ),
    Column(
        "memory",
        "memory",
        "B",
        _of(lambda f: f.memory),
        "low",
        "Weights as they are packed and the largest set of live activations, batch {batch}",
        raw=lambda f: {"memory_bytes": f.memory},
    ),
    Column(
        "macs",
        "MACs",
        "count",
        _of(COST["macs"]),
        "low",
        "Of one example; “a of b” multiply by a nonzero weight",
        note=figure(cells.of_macs, missing=""),
        raw=lambda f: {"macs": f.macs, "effective_macs": f.effective_macs},
    ),
    Column(
        "bops",
        "BOPs",
        "count",
        _of(COST["bops"]),
        "low",
        "Bit operations of one example",
        raw=lambda f: {"bops": f.bops},
    ),
    _latency(
        "latency_1",
        "1",
        lambda f: f.latency.one,
        lambda t: {
            "latency_batch_1_ms": t.median_ms,
            "speedup_batch_1": t.speedup,
            "speedup_batch_1_low": t.low,
            "speedup_batch_1_high": t.high,
        },
    ),
    _latency(
        "latency",
        "{batch}",
        lambda f: f.latency.batch,
        lambda t: {
            "task_batch": t.batch,
            "latency_task_batch_ms": t.median_ms,
            "speedup_task_batch": t.speedup,
            "speedup_task_batch_low": t.low,
            "speedup_task_batch_high": t.high,
        },
    ),
    Column("execution", "run as", "text", _of(lambda f: f.execution), raw=lambda f: {"execution": f.execution}),
    Column(
        "training",
        "training",
        "text",
        lambda e: e.row.record.method.budget,
        hint="None; the task’s recovery from the dense net; or full, from birth, as many steps as dense and recovery",
    ),
    Column(
        "cost",
        "cost",
        "s",
        _of(COST["cost"]),
        "low",
        "Of optimizing, with all tuning of the curve; compilation apart",
        note=figure(cells.steps, missing=""),
        show=figure(lambda f: f"{display.shown(f.seconds, 's')}, {cells.steps(f)}"),
        raw=lambda f: {
            "optimization_s": f.seconds,
            "steps": f.steps,
            "tuning_steps": f.tuning_steps,
            "teacher_forwards_examples": f.teacher_forwards,
        },
    ),
    Column(
        "n",
        "n",
        "seeds",
        lambda e: e.row.finished,
        "high",
        "Seeds; † a single one; 2/3: one of three failed",
        text=cells.seeds,
    ),
)
"""In the board's order."""
