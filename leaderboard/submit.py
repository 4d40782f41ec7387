"""`python -m leaderboard.submit`: checks the records of a finished run against its files, and places them on the board.

`python -m leaderboard.build` then makes the pages anew. A record that is there already is left if it says the same.
It is replaced only if the new one holds every one of its runs, bit for bit the same artifacts: with more seeds, more
strengths, newer timings. Its verifications are kept.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from absl import flags

from leaderboard.command import Command, UsageError, call, complain
from leaderboard.record import evidence
from leaderboard.record.files import RecordError, place, read, read_all, refusal, write
from leaderboard.record.layout import RECORDS, RESULTS, strength_text
from leaderboard.record.schema import Record

DELETE = "delete it first if it is to be replaced"


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 all is on the board, 2 a flag is wrong or a record was refused; others are placed."""
    return call(_submit, _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    flags.DEFINE_string("out", str(RESULTS), "Folder of records.", flag_values=values)
    return Command(__doc__, values, arguments=("RUNDIR",))


def _submit(values: flags.FlagValues, rundir: str) -> int:
    folder = Path(rundir) / RECORDS
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; RUNDIR must be the --workdir of a finished benchmarks.run")
    records, refused = read_all(folder)
    for record in records:
        try:
            print(_placed(record, Path(rundir), Path(values.out)))
        except RecordError as error:
            refused.append(error)
    return complain(refused)


def _placed(record: Record, rundir: Path, out: Path) -> str:
    """Checks and places one record; says what was done. Raises RecordError with the first thing that is wrong."""
    for what in evidence.problems(record, rundir):
        raise refusal(place(rundir / RECORDS, record), what)
    path = place(out, record)
    if not path.exists():
        write(path, record)
        return f"placed     {path}"
    there = read(path)
    kept = [found for found in there.verified if found not in record.verified]
    record = msgspec.structs.replace(record, verified=kept + record.verified)
    if record == there:
        return f"unchanged  {path}"
    _check_kept(there, record, path)
    write(path, record)
    return f"replaced   {path}"


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
