"""Names of files and folders: where records lie, and what a run leaves in its workdir.

RESULTS/<task>/<method>-<digest>.json                                   a record; those of protocol 1 are in PROTOCOL1
WORKDIR/<task>/dense-net-<identity>/seed<k>/                            dense.json, artifact.slim, early-<step>.slim
WORKDIR/<task>/<method>-<identity>/<strength>/seed<k>/                  run.json, artifact.slim
WORKDIR/<task>/<method>-tuning-<identity>/<settings>/                   trial.json
WORKDIR/records/                                                        the records, as in RESULTS
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"
PROTOCOL1 = Path(__file__).parents[1] / "protocol1"
DENSE, RUN, TRIAL, ARTIFACT, RECORDS = "dense.json", "run.json", "trial.json", "artifact.slim", "records"


def record_file(folder: Path, task: str, method: str, digest: str) -> Path:
    """Returns the file of a record under a folder of records.

    Args:
        folder: folder of records.
        task: name of the task.
        method: name of the method.
        digest: `method.digest` of the record.
    """
    return folder / task / f"{method}-{digest}.json"


def dense_folder(workdir: Path, task: str, identity: str, seed: int, teacher: bool = False) -> Path:
    """Returns the folder of one dense net, or of one larger net that teaches.

    Args:
        workdir: folder of the whole run.
        task: name of the task.
        identity: digest of all that can change the net.
        seed: seed of the net.
        teacher: whether it is the task's teacher instead of the dense net.
    """
    return workdir / task / f"{'teacher' if teacher else 'dense-net'}-{identity}" / f"seed{seed}"


def run_folder(workdir: Path, task: str, method: str, identity: str, strength: Sequence[float], seed: int) -> Path:
    """Returns the folder of one run.

    Args:
        workdir: folder of the whole run.
        task: name of the task.
        method: name of the method.
        identity: digest of all that can change the run.
        strength: one number per knob.
        seed: seed of the run.
    """
    return workdir / task / f"{method}-{identity}" / strength_folder(strength) / f"seed{seed}"


def trial_folder(workdir: Path, task: str, method: str, identity: str, settings: Mapping[str, float]) -> Path:
    """Returns the folder of one trial of a method's settings.

    Args:
        workdir: folder of the whole run.
        task: name of the task.
        method: name of the method.
        identity: digest of all that can change the trials.
        settings: values by name.
    """
    return workdir / task / f"{method}-tuning-{identity}" / settings_text(settings)


def settings_text(settings: Mapping[str, float]) -> str:
    """Returns the exact settings, names in order, since files keep no other: "rate=0.5", "alpha=0.9,temperature=2"."""
    return ",".join(f"{name}={strength_text((value,))}" for name, value in sorted(settings.items()))


def strength_text(strength: Sequence[float]) -> str:
    """Returns the exact numbers: "8", "0.5+8" of two knobs, "0.3333333333333333", "" without a knob; -0.0 is "0"."""
    return "+".join(repr(part + 0.0).removesuffix(".0") for part in strength)


def strength_folder(strength: Sequence[float]) -> str:
    """Returns the name of a strength's folder in a workdir: its exact text, "none" without a knob."""
    return strength_text(strength) or "none"
