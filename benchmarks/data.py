"""`python -m benchmarks.data`: lists the datasets and fetches them."""

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from leaderboard.command import Command, UsageError, call
from tasks.data import DATASETS
from tasks.data.store.dataset import DataError, data_dir, missing, set_data_dir
from tasks.data.store.fetch import fetch


def main(argv: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 2 the user's mistake or a dataset that cannot be had."""
    return call(_data, _command(), argv)


def _command() -> Command:
    values = flags.FlagValues()
    flags.DEFINE_bool("list", False, "Print the datasets, and whether they are there.", flag_values=values)
    flags.DEFINE_list("get", None, "Datasets to fetch.", flag_values=values)
    define_data_dir(values)
    return Command(__doc__, values, mistakes=(DataError,))


def define_data_dir(values: flags.FlagValues) -> None:
    """Defines --data_dir."""
    where = "Where datasets are; without it, $SLIMBENCH_DATA, else the user's cache."
    flags.DEFINE_string("data_dir", None, where, flag_values=values)


def _data(values: flags.FlagValues) -> int:
    if values.data_dir:
        set_data_dir(values.data_dir)
    names = values.get or []
    if not names and not values.list:
        raise UsageError("nothing to do; give --list, or --get with the names of datasets")
    for name in names:
        if name not in DATASETS:
            raise UsageError(f"--get: unknown name {name!r}; known are {', '.join(DATASETS)}")
    for name in names:
        print(f"{name}: in {fetch(DATASETS[name], data_dir(), progress=True)}")
    if values.list:
        print(listing(data_dir()))
    return 0


def listing(root: Path) -> str:
    """Returns each dataset with what is to be fetched, whether it is in `root`, licence and citation."""
    lines = [f"data directory {root}"]
    for name, dataset in DATASETS.items():
        absent = len(missing(dataset, root))
        state = "present" if not absent else "absent" if absent == len(dataset.files) else "incomplete"
        lines.append(f"  {name:<17}{dataset.size / 1e6:>7.1f} MB  {state:<12}{dataset.licence:<36}{dataset.citation}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
