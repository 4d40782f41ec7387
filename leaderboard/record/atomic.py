"""Atomic file writes: another process sees the old file or the new one, never a part of either."""

import os
import secrets
from pathlib import Path


def write_atomically(path: str | os.PathLike, content: str | bytes) -> None:
    """Writes a file, text as UTF-8, and makes its folder; it is on the disk when this returns.

    A symbolic link stays, and what it points to is written. A device or a pipe, such as /dev/stdout, is written in
    place. Raises OSError that names `path`; then nothing is left behind, and an old file is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as file:
                file.write(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name[:100]}.{secrets.token_hex(8)}.tmp")  # unique: others may write, too
    try:
        with open(temporary, "xb") as file:  # not mkstemp: the mode is what the umask says
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Makes a rename in `folder` outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
