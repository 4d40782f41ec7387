"""`python -m benchmarks.data`: lists the datasets and fetches them. Flags only."""

import sys
from pathlib import Path

from absl import flags

from benchmarks.cli import call
from benchmarks.plan.errors import UsageError
from tasks.data import DATASETS
from tasks.data.store.dataset import data_dir, missing, set_data_dir
from tasks.data.store.fetch import fetch


def listing(root: Path) -> str:
    """Each dataset with what is to be fetched, whether it is in `root`, licence and citation."""
    lines = [f"data directory {root}"]
    for name, dataset in DATASETS.items():
        absent = len(missing(dataset, root))
        state = "present" if not absent else "absent" if absent == len(dataset.files) else "incomplete"
        lines.append(f"  {name:<17}{dataset.size / 1e6:>7.1f} MB  {state:<12}{dataset.licence:<36}{dataset.citation}")
    return "\n".join(lines)


def main(values: flags.FlagValues) -> None:
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


def _flags() -> flags.FlagValues:
    """Flags of this program alone: another one has a --list, too."""
    values = flags.FlagValues()
    where = "Where datasets are; default $SLIMBENCH_DATA, else the user's cache."
    flags.DEFINE_string("data_dir", None, where, flag_values=values)
    flags.DEFINE_list("get", None, "Datasets to fetch, comma-separated.", flag_values=values)
    flags.DEFINE_bool("list", False, "Print the datasets, and whether they are there.", flag_values=values)
    return values


def cli(argv) -> int:
    """Exit code: 0 done, 2 the user's mistake or a dataset that cannot be had, in one line."""
    return call(main, _flags(), argv, __doc__)


if __name__ == "__main__":
    sys.exit(cli(sys.argv))
