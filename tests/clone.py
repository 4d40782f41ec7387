"""A copy of the repository, in which tests add what a page of the docs adds."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = ("leaderboard/results/", "leaderboard/protocol1/", "leaderboard/site/index")


def clone(folder: Path) -> Path:
    """Copies what git has or would add, but records and pages."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith(LEFT_OUT):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replaces the one place where a file has `old`."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")
