"""Files: told by SHA-256, and made under temporary names, so that they are whole or not there."""

import contextlib
import hashlib
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.data.store.dataset import DataError

DAY = 86400  # seconds


def sha256(path: Path) -> str:
    """Returns the hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, found: str, expected: str) -> None:
    """Raises DataError where two digests of the content of `path` differ.

    Args:
        path: the file, for the message.
        found: its hex digest.
        expected: the publisher's.
    """
    if found != expected:
        raise DataError(
            f"{path}: SHA-256 is {found}, must be {expected}: damaged, cut short or not the publisher's; "
            "delete it to fetch it again"
        )


def content(folder: Path, files: Iterable[str]) -> str:
    """Returns one digest for the names and the content of many files of a folder."""
    return digest({file: sha256(folder / file) for file in files})


def digest(hashes: dict[str, str]) -> str:
    """Returns the SHA-256 over the lines `<name> <hash>`, in order of names."""
    return hashlib.sha256("".join(f"{name} {hashes[name]}\n" for name in sorted(hashes)).encode()).hexdigest()


@contextlib.contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, this call's alone: make a file or folder there, then rename it to `path`.

    What is left there is removed in the end; what killed processes left beside `path` is removed at the start.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob("*.part"):
        if _abandoned(left):
            _remove(left)
    temporary = path.with_name(f"{path.name}~{socket.gethostname()}~{os.getpid()}~{secrets.token_hex(4)}.part")
    try:
        yield temporary
    finally:
        _remove(temporary)


def _abandoned(path):
    """Whether the process that makes a temporary path is gone, or began more than a day ago."""
    with contextlib.suppress(OSError):  # gone in between
        match path.name.rsplit("~", 3):
            case _, host, pid, _:
                gone = host == socket.gethostname() and pid.isdigit() and not _runs(int(pid))
                return gone or time.time() - path.stat().st_mtime > DAY
    return False


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _remove(path):
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink()
