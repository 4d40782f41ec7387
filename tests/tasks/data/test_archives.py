"""Archives: unpacked whole and inside their folder, or not at all; several processes may unpack one at once."""

import contextlib
import hashlib
import io
import struct
import tarfile
import threading
import zipfile

import numpy as np
import pytest

from tasks.data.store import archives
from tasks.data.store.archives import unpack
from tasks.data.store.dataset import DataError
from tests.tasks.packs import HELLO, PACK, dataset, files, zipped

each_kind = pytest.mark.parametrize("kind", PACK)


@each_kind
@pytest.mark.parametrize("name", ["../b.txt", "/b.txt", "sub/../../b.txt"])
def test_nothing_leads_out_of_the_folder(tmp_path, kind, name):
    archive = tmp_path / f"pack.{kind}"
    archive.write_bytes(PACK[kind]([("a.txt", b"first"), (name, b"evil")]))
    with contextlib.suppress(DataError):  # refused or put inside, as the library likes
        unpack(archive, tmp_path / "inner/tiny", dataset("", None))
    assert {path.split("/")[0] for path in files(tmp_path)} <= {archive.name, "inner"}
    assert {path.split("/")[1] for path in files(tmp_path / "inner")} <= {"a.txt", "b.txt", "sub"}


def test_a_link_out_of_a_tar_is_refused(tmp_path):
    refused(tmp_path, "tar.gz", [("a.txt", b"first"), ("sub", "/etc"), ("sub/b.txt", b"evil")], ["'sub'", "link"])


def test_a_link_in_a_zip_is_a_plain_file(tmp_path):
    (tmp_path / "pack.zip").write_bytes(zipped([("a.txt", b"first"), ("sub", "/etc")]))
    unpack(tmp_path / "pack.zip", tmp_path / "tiny", dataset("", None))
    assert not (tmp_path / "tiny/sub").is_symlink()
    assert (tmp_path / "tiny/sub").read_text() == "/etc"


@pytest.mark.parametrize("form", [tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_hard_link_and_a_device_are_refused(tmp_path, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo("b")
        info.type, info.linkname = form, "/etc/passwd"
        archive.addfile(info)
    (tmp_path / "pack.tar.gz").write_bytes(out.getvalue())
    with pytest.raises(DataError, match=r"cannot be unpacked \('b' is a (link to an absolute path|special file)"):
        unpack(tmp_path / "pack.tar.gz", tmp_path / "tiny", dataset("", None))
    assert files(tmp_path) == ["pack.tar.gz"]


@each_kind
def test_more_than_is_believed_is_refused(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(archives, "LEAST", 1000)
    members = [("a.txt", bytes(600)), ("b.txt", bytes(600))]
    refused(tmp_path, kind, members, ["it holds 1200 bytes or more, at most 1000 are believed"])
    monkeypatch.setattr(archives, "GROWTH", 240)  # times the 5 bytes of the dataset
    unpack(tmp_path / f"pack.{kind}", tmp_path / "tiny", dataset("", None))


def zip_with(offset, value):
    """A zip of a.txt whose 16 bits at `offset` of the local and of the central header are `value`."""
    body = bytearray(zipped([("a.txt", b"hello")]))
    central = body.index(b"PK\1\2")
    struct.pack_into("<H", body, 4 + offset, value)
    struct.pack_into("<H", body, central + 6 + offset, value)
    return bytes(body)


@pytest.mark.parametrize(("body", "said"), [(zip_with(2, 1), "encrypted"), (zip_with(4, 77), "compression")])
def test_an_encrypted_or_strangely_compressed_zip_is_one_line(tmp_path, body, said):
    (tmp_path / "pack.zip").write_bytes(body)
    with pytest.raises(DataError, match=rf"pack.zip: cannot be unpacked \(.*{said}.*\); delete it to fetch it again"):
        unpack(tmp_path / "pack.zip", tmp_path / "tiny", dataset("", None))
    assert files(tmp_path) == ["pack.zip"]


def test_a_full_disk_does_not_speak_of_a_damaged_archive(tmp_path, monkeypatch):
    (tmp_path / "pack.zip").write_bytes(zipped([("a.txt", b"hello")]))

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extract", full)
    with pytest.raises(DataError, match=r"tiny: .*pack\.zip cannot be unpacked there .*No space left") as error:
        unpack(tmp_path / "pack.zip", tmp_path / "tiny", dataset("", None))
    assert "delete" not in str(error.value)
    assert files(tmp_path) == ["pack.zip"]


@each_kind
def test_what_another_process_unpacked_meanwhile_is_used(tmp_path, kind, monkeypatch):
    archive, check = tmp_path / f"pack.{kind}", archives._check
    archive.write_bytes(PACK[kind]([("a.txt", b"hello")]))

    def other_is_first(*args):
        check(*args)
        monkeypatch.setattr(archives, "_check", check)
        unpack(archive, tmp_path / "tiny", dataset("", None))

    monkeypatch.setattr(archives, "_check", other_is_first)
    unpack(archive, tmp_path / "tiny", dataset("", None))
    assert files(tmp_path) == [f"pack.{kind}", "tiny/a.txt"]


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/mine.txt").write_bytes(b"mine")
    (tmp_path / "pack.zip").write_bytes(zipped([("a.txt", b"hello")]))
    with pytest.raises(DataError, match="tiny: is in the way"):
        unpack(tmp_path / "pack.zip", tmp_path / "tiny", dataset("", None))
    assert files(tmp_path) == ["pack.zip", "tiny/mine.txt"]


def test_several_at_once_all_succeed(tmp_path):
    (tmp_path / "pack.zip").write_bytes(zipped([(f"{i}.txt", b"hello" * 99) for i in range(200)]))
    errors, start = [], threading.Barrier(6)

    def one():
        start.wait()
        try:
            unpack(tmp_path / "pack.zip", tmp_path / "tiny", dataset("", None, ("0.txt", "199.txt")))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert errors == []
    assert len(files(tmp_path)) == 201


@each_kind
def test_an_archive_without_a_file_is_refused(tmp_path, kind):
    refused(tmp_path, kind, [("b.txt", b"hello")], ["holds no a.txt", "delete it"])


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
