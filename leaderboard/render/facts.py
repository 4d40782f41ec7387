"""What is said of a board beside its tables: task, dense nets, devices, failures, stale records."""

from collections.abc import Callable, Sequence

from leaderboard.board.board import Board, Division
from leaderboard.board.display import number, si, spread
from leaderboard.board.rows import commits, name
from leaderboard.record.layout import strength_text
from leaderboard.record.schema import Record, TaskInfo
from leaderboard.stats.summary import mean


def task_facts(task: TaskInfo) -> list[str]:
    """Returns metric, data and controls."""
    better = "higher" if task.higher_is_better else "lower"
    facts = [f"metric: {task.metric}, {better} is better; {task.modality}; task version {task.version}"]
    facts += [f"data: {task.source}; {task.rows['test']} test examples; fingerprint {task.fingerprint}"]
    if task.window is not None:
        low, high = (si(size, "B") for size in task.window)
        facts.append(f"scores over {low} to {high}; margin {number(task.margin or 0)}")
    controls = [f"{name} {value:.4f}" for name, value in sorted(task.controls.items())]
    return facts + ([f"controls: {', '.join(controls)}"] if controls else [])


def division_facts(task: TaskInfo, division: Division) -> list[str]:
    """Returns what the dense nets are, whether they reach the task's bar, and the devices."""
    reached = [task.reaches(net.quality) for net in division.dense]
    quality = division.level
    size = mean([net.bytes for net in division.dense])
    verdict = "reached" if all(reached) else f"missed by {reached.count(False)} of {len(reached)} seeds"
    bar = f"bar {'≥' if task.higher_is_better else '≤'} {task.reach:g}, {verdict}"
    dense = f"dense {spread(quality)} (n={quality.n}), {si(size, 'B')}"
    return [f"{dense}; {bar}", f"device: {', '.join(_devices(division.devices))}"]


def _devices(names):
    """Numbered where there are several, as latencies then refer to them."""
    return names if len(names) == 1 else [f"{name} [{i}]" for i, name in enumerate(names, 1)]


def remarks(division: Division) -> list[str]:
    """Returns what was tuned, failed or was skipped, whose dense nets are others, fallbacks, several commits."""
    labels = {row.label: row.record for row in division.rows}
    chosen = [f"{label}: tuned to {text}" for label, record in labels.items() if (text := tuned(record))]
    mixed = [(label, commits(record)) for label, record in labels.items() if len(commits(record)) > 1]
    nets = [(label, own_nets(record, division)) for label, record in labels.items()]
    texts = [f"{label}: {text}" for label, text in nets if text]
    texts += [f"{label}: made at several commits, {', '.join(found)}" for label, found in mixed]
    return chosen + texts + [f"{name(row)}, {text}" for row in division.rows for text in row.remarks]


def tuned(record: Record) -> str:
    """Returns the settings that were chosen, of how many trials and where; "" where nothing is tuned."""
    tuning = record.tuning
    if tuning is None:
        return ""
    settings = ", ".join(f"{name} {number(value)}" for name, value in sorted(tuning.settings.items()))
    strength = f"{', '.join(record.method.knobs)} {strength_text(tuning.strength)}, " if record.method.knobs else ""
    return f"{settings}, best on valid of {len(tuning.trials)} trials at {strength}seed {tuning.seed}"


def stale(board: Board) -> list[str]:
    """Returns which records are not ranked, and why."""
    return [f"{s.record.method.name}-{s.record.method.digest} ({s.record.division}): {s.reason}" for s in board.stale]


def unregistered(boards: Sequence[Board]) -> list[str]:
    """Returns which records are of tasks that the registry does not have, or has without data."""
    return [f"{board.task.name}: {line}" for board in boards if not board.registered for line in stale(board)]


def own_nets(record: Record, division: Division) -> str:
    """Returns what is said of a record that started from other dense nets than those of its table; "" of others."""
    shown = {net.seed: net.checkpoint for net in division.dense}
    own = [net for net in record.dense if shown.get(net.seed, net.checkpoint) != net.checkpoint]
    if not own:
        return ""
    seeds = ", ".join(str(net.seed) for net in own)
    quality = number(mean([net.quality for net in own]))
    return f"has dense nets of its own (seeds {seeds}: {quality}); differences are to these"


def listed(title: str, items: Sequence[str], escape: Callable[[str], str]) -> list[str]:
    """Returns the lines of a list under its title; no lines if there are no items.

    Args:
        title: a line.
        items: of the list, unescaped.
        escape: what makes an item safe where it is shown.
    """
    return ["", title, "", *(f"- {escape(item)}" for item in items)] if items else []
