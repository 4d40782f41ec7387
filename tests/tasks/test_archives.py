"""Archives: unpacked whole and inside their folder, or not at all."""

import hashlib
import io
import tarfile
import warnings

import numpy as np
import pytest

from tasks.data.archives import unpack
from tasks.data.store import DataError
from tests.tasks.packs import HELLO, PACK, dataset, files, zipped

each_kind = pytest.mark.parametrize("kind", PACK)


@each_kind
@pytest.mark.parametrize("name", ["../a.txt", "/a.txt", "sub/../../a.txt", "sub\\..\\a.txt", "C:/a.txt"])
def test_a_path_that_leads_out_is_refused(tmp_path, kind, name):
    refused(tmp_path, kind, [("a.txt", b"first"), (name, b"evil")], [repr(name), "leads out of the folder"])


@each_kind
def test_a_link_is_refused(tmp_path, kind):
    refused(tmp_path, kind, [("a.txt", b"first"), ("sub", "/etc"), ("sub/b.txt", b"evil")], ["'sub'", "is a link"])


def test_a_hard_link_and_a_device_are_refused(tmp_path):
    for form in (tarfile.LNKTYPE, tarfile.FIFOTYPE):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            info = tarfile.TarInfo("b")
            info.type, info.linkname = form, "/etc/passwd"
            archive.addfile(info)
        (tmp_path / "pack.tar.gz").write_bytes(out.getvalue())
        with pytest.raises(DataError, match="'b' is a link or a device"):
            unpack(tmp_path / "pack.tar.gz", tmp_path / "tiny", dataset("", None))


@each_kind
def test_an_archive_without_a_file_is_refused(tmp_path, kind):
    refused(tmp_path, kind, [("b.txt", b"hello")], ["holds no a.txt", "delete it"])


@each_kind
def test_a_name_twice_is_refused(tmp_path, kind):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate name", UserWarning)
        refused(tmp_path, kind, [("a.txt", b"one"), ("a.txt", b"two")], ["cannot be unpacked", "exists"])


@each_kind
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_archive_is_one_line(tmp_path, kind, share):
    noise = np.random.default_rng(0).bytes(100000)
    body = PACK[kind]([("a.txt", noise)])
    (tmp_path / f"pack.{kind}").write_bytes(body[: int(share * len(body))])
    with pytest.raises(DataError, match=rf"pack.{kind}: cannot be unpacked \(.*\); delete it to fetch it again"):
        unpack(tmp_path / f"pack.{kind}", tmp_path / "tiny", dataset("", None))
    assert files(tmp_path) == [f"pack.{kind}"]


def test_an_archive_without_a_hash_is_verified_by_what_it_holds(tmp_path):
    content = hashlib.sha256(f"a.txt {HELLO}\n".encode()).hexdigest()
    refused(tmp_path, "zip", [("a.txt", b"hellO")], ["its files are not those of tiny"], content=content)
    (tmp_path / "pack.zip").write_bytes(zipped([("a.txt", b"hello")]))
    unpack(tmp_path / "pack.zip", tmp_path / "tiny", dataset("", None, content=content))
    assert (tmp_path / "tiny/a.txt").read_bytes() == b"hello"


def refused(folder, kind, members, said, **changes):
    """Unpacking raises one line that says all of `said`, and leaves nothing but the archive."""
    archive = folder / f"pack.{kind}"
    archive.write_bytes(PACK[kind](members))
    with pytest.raises(DataError) as error:
        unpack(archive, folder / "tiny", dataset("", None, **changes))
    assert all(part in str(error.value) for part in (str(archive), *said)), error.value
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in folder.iterdir()) == [archive.name]
