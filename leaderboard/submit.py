"""`python -m leaderboard.submit`: checks the records of a finished run against its files, and places them on the board.

`python -m leaderboard.build` then makes the pages anew. A record that is there already is left if it says the same.
It is replaced only if the new one holds every one of its runs, bit for bit the same artifacts: with more seeds, more
strengths, newer timings. Its verifications are kept. Of each record it says whether it is ranked and, if not, why and
what to do.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from absl import flags

from leaderboard.board.board import boards
from leaderboard.command import Command, UsageError, call, complain
from leaderboard.inputs import governing
from leaderboard.record import evidence
from leaderboard.record.files import RecordError, place, read, read_all, refusal, write
from leaderboard.record.layout import RECORDS, RESULTS, strength_text
from leaderboard.record.registry import Known
from leaderboard.record.schema import Record

AGAIN = "run it again on the board's task and data, in an up-to-date clone"
DELETE = "delete it first if it is to be replaced"


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 all is on the board, 2 a flag is wrong or a record was refused; others are placed."""
    return call(_submit, _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    flags.DEFINE_string("out", str(RESULTS), "Folder of records.", flag_values=values)
    flags.DEFINE_bool("dry_run", False, "Check, and say what would be done; write nothing.", flag_values=values)
    return Command(__doc__, values, arguments=("RUNDIR",))


def _submit(values: flags.FlagValues, rundir: str) -> int:
    folder, out = Path(rundir) / RECORDS, Path(values.out)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; RUNDIR must be the --workdir of a finished benchmarks.run")
    records, refused = read_all(folder)
    placed = []
    for record in records:
        try:
            placed.append(_placed(record, Path(rundir), out, dry=values.dry_run))
        except RecordError as error:
            refused.append(error)
    there = read_all(out)[0] if out.is_dir() else []
    standing = _standing(there, [one.record for one in placed], governing(out))
    for one in placed:
        print(f"{one.done:<10} {one.path}: {'would be ' if values.dry_run else ''}{standing(one.record)}")
    if values.dry_run:
        print("nothing was written, as --dry_run asks")
    elif placed:
        print("next: python -m leaderboard.build makes the pages; python -m benchmarks.verify makes a run again")
    return complain(refused)


class _Placed(NamedTuple):
    """A record that its files agree with, as it is on the board."""

    done: str  # "placed", "unchanged" or "replaced"
    path: Path
    record: Record


def _placed(record: Record, rundir: Path, out: Path, *, dry: bool) -> _Placed:
    """Checks and places one record, or only checks it. Raises RecordError with the first thing that is wrong."""
    for what in evidence.problems(record, rundir):
        raise refusal(place(rundir / RECORDS, record), what)
    path, done = place(out, record), "placed"
    if path.exists():
        there = read(path)
        kept = [found for found in there.verified if found not in record.verified]
        record = msgspec.structs.replace(record, verified=kept + record.verified)
        if record == there:
            return _Placed("unchanged", path, record)
        _check_kept(there, record, path)
        done = "replaced"
    if not dry:
        write(path, record)
    return _Placed(done, path, record)


def _standing(there: list[Record], placed: list[Record], known: Mapping[str, Known] | None) -> Callable[[Record], str]:
    """Returns what says of a record that is placed whether it is ranked, else why not and what to do."""
    tasks = {record.task.name for record in placed}
    every = {_key(record): record for record in [*there, *placed] if record.task.name in tasks}
    found = boards(list(every.values()), known)
    stale = {_key(one.record): one.reason for board in found for one in board.stale}
    rows = [row for board in found for division in board.divisions for row in division.rows]
    ranked = {_key(row.record) for row in rows if row.places}

    def told(record: Record) -> str:
        if _key(record) in stale:
            return f"placed, not ranked: {stale[_key(record)]}; {AGAIN}"
        if _key(record) not in ranked:
            return f"placed, not ranked: {_unranked(record)}"
        return "placed and ranked"

    return told


def _key(record: Record) -> tuple[str, str, str]:
    return record.task.name, record.method.name, record.method.digest


def _unranked(record: Record) -> str:
    """Why a record of the board has no rank, and what to do."""
    if record.task.window is None:
        return "the task has no window of bytes yet, so nothing is ranked on it"
    runs = [run for point in record.points for run in point.runs]
    if not any(run.result for run in runs):
        skipped = next((run.skipped for run in runs if run.skipped), None)
        return f"skipped: {skipped}; nothing is to be done" if skipped else "no run finished; run with --retry=failed"
    most = record.task.window[1]
    return f"at no strength did every seed finish within {most} bytes, the largest budget; run smaller strengths"


def _check_kept(there: Record, new: Record, path: Path) -> None:
    """Raises RecordError if something of the record `there` would be lost."""
    if there.task.fingerprint != new.task.fingerprint:
        raise refusal(path, f"is of other data; {DELETE} - at `$.task.fingerprint`")
    runs = _runs(new)
    for (strength, seed), outcome in _runs(there).items():
        if runs.get((strength, seed)) != outcome:
            run = f"seed {seed} at strength {strength}" if strength else f"seed {seed}"
            raise refusal(path, f"holds another run of {run}; {DELETE} - at `$.points`")


def _runs(record) -> dict:
    """Returns (strength, seed) -> what ran and came out, timings apart; without what was skipped."""
    return {
        (strength_text(point.strength), run.seed): (run.dense, run.failure, run.result and run.result.artifact)
        for point in record.points
        for run in point.runs
        if run.skipped is None
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
