"""A small dataset for tests, archives of it, and the files in a folder."""

import dataclasses
import hashlib
import io
import stat
import tarfile
import zipfile

from tasks.data.store.dataset import Dataset, Download

HELLO = hashlib.sha256(b"hello").hexdigest()


def dataset(url, sha256, files=("a.txt",), **changes):
    plain = Dataset("tiny", "tiny", (Download(url, 5, sha256),), tuple(files), "none", "nobody")
    return dataclasses.replace(plain, **changes)


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def tar(members):
    """A tar.gz of (name, content); content None is a folder, a str is the target of a link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content if isinstance(content, bytes) else b""))
    return out.getvalue()


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            if isinstance(content, str):
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, content)
    return out.getvalue()


PACK = {"tar.gz": tar, "zip": zipped}
