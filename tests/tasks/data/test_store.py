"""Datasets on their way in: fetched and verified whole or not at all, then decoded once."""

import contextlib
import gc
import hashlib
import http.server
import io
import os
import socket
import subprocess
import threading
import time

import numpy as np
import pooch
import pytest
from numpy.testing import assert_array_equal

from tasks.data import DATASETS
from tasks.data.store import cache
from tasks.data.store import fetch as fetching
from tasks.data.store.cache import decoded
from tasks.data.store.dataset import DataError, data_dir, missing, set_data_dir
from tasks.data.store.fetch import fetch
from tasks.data.store.files import content, scratch
from tests.tasks.packs import HELLO, PACK, dataset, files, tar


@pytest.fixture
def serve(monkeypatch):
    """serve(name, body, length=None) -> url on this machine; `length`: what the server says the body has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    bodies = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body, length = bodies.get(self.path, (b"", None))
            self.send_response(200 if self.path in bodies else 404)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def add(name, body, length=None):
        bodies[f"/{name}"] = (body, length)
        return f"http://127.0.0.1:{server.server_port}/{name}"

    yield add
    server.shutdown()
    thread.join()
    server.server_close()


def test_data_dir_is_the_flag_then_the_variable_then_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("SLIMBENCH_DATA", raising=False)
    assert data_dir() == pooch.os_cache("slimbench").absolute()
    monkeypatch.setenv("SLIMBENCH_DATA", str(tmp_path))
    assert data_dir() == tmp_path
    set_data_dir(tmp_path / "other")
    assert data_dir() == tmp_path / "other"


def test_a_file_is_fetched_and_verified(serve, tmp_path):
    tiny = dataset(serve("a.txt", b"hello"), HELLO)
    assert missing(tiny, tmp_path) == ["a.txt"]
    assert fetch(tiny, tmp_path) == tmp_path / "tiny"
    assert files(tmp_path) == ["tiny/a.txt"]
    assert (tmp_path / "tiny/a.txt").read_bytes() == b"hello"
    assert missing(tiny, tmp_path) == []


def test_a_file_in_place_is_used_as_it_is(tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/a.txt").write_bytes(b"mine")
    fetch(dataset("http://127.0.0.1:9/a.txt", HELLO), tmp_path)
    assert (tmp_path / "tiny/a.txt").read_bytes() == b"mine"


def test_a_bar_is_shown_when_asked(serve, tmp_path, capsys):
    fetch(dataset(serve("a.txt", b"hello"), HELLO), tmp_path, progress=True)
    assert "100%" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # the library leaves it to the collector
@pytest.mark.parametrize(
    ("body", "length", "said"), [(b"hellO", None, HELLO), (b"hel", 5, "3 bytes read"), (None, None, "404")]
)
def test_wrong_truncated_or_absent_is_one_line_and_nothing_stays(serve, tmp_path, body, length, said):
    url = serve("a.txt" if body else "b.txt", body or b"", length).replace("b.txt", "a.txt")
    with pytest.raises(DataError) as error:
        fetch(dataset(url, HELLO), tmp_path)
    for part in (url, said, HELLO, "5 bytes", f"put the file (5 bytes, SHA-256 {HELLO}) at {tmp_path / 'tiny/a.txt'}"):
        assert part in str(error.value)
    assert "\n" not in str(error.value)
    assert files(tmp_path) == []
    del error
    gc.collect()


def test_no_network_is_one_line_that_says_what_to_put_where(tmp_path):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.zip"
        with pytest.raises(DataError) as error:
            fetch(dataset(url, None), tmp_path)
    assert f"at {tmp_path / 'downloads/a.zip'}, or what it holds into {tmp_path / 'tiny'}" in str(error.value)
    assert "\n" not in str(error.value)
    assert files(tmp_path) == []


@pytest.mark.parametrize("kind", PACK)
def test_an_archive_is_fetched_and_unpacked(serve, tmp_path, kind):
    body = PACK[kind]([("top/a.txt", b"hello"), ("top/sub/b.txt", b"b"), ("c.txt", b"above what is left out")])
    url = serve(f"pack.{kind}", body)
    tiny = dataset(url, hashlib.sha256(body).hexdigest(), ("a.txt", "sub/b.txt"), strip=1)
    fetch(tiny, tmp_path)
    assert files(tmp_path) == [f"downloads/pack.{kind}", "tiny/a.txt", "tiny/sub/b.txt"]
    assert (tmp_path / "tiny/sub/b.txt").read_bytes() == b"b"


def test_an_archive_put_there_by_hand_is_used_and_verified(tmp_path):
    body = tar([("folder", None), ("a.txt", b"hello")])
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads/pack.tar.gz").write_bytes(body)
    unreachable = "http://127.0.0.1:9/pack.tar.gz"
    with pytest.raises(DataError, match=rf"downloads/pack.tar.gz: SHA-256 is .*, must be {HELLO}.*delete it"):
        fetch(dataset(unreachable, HELLO), tmp_path)
    fetch(dataset(unreachable, hashlib.sha256(body).hexdigest()), tmp_path)
    assert (tmp_path / "tiny/a.txt").read_bytes() == b"hello"


def test_an_archive_that_another_process_unpacks_meanwhile_is_used(tmp_path, monkeypatch):
    tiny = dataset("http://127.0.0.1:9/pack.zip", HELLO)
    looked = []

    def look(*args):
        absent = missing(*args)
        if not looked:
            (tmp_path / "tiny").mkdir()
            (tmp_path / "tiny/a.txt").write_bytes(b"theirs")
        looked.append(absent)
        return absent

    monkeypatch.setattr(fetching, "missing", look)
    assert fetch(tiny, tmp_path) == tmp_path / "tiny"
    assert looked == [["a.txt"], []]


def test_a_folder_that_lacks_files_is_left_alone(tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/mine.txt").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"lacks a\.txt and 2 more; put it there, or delete"):
        fetch(dataset("http://127.0.0.1:9/pack.zip", HELLO, ("a.txt", "mine.txt", "b.txt", "c.txt")), tmp_path)
    assert files(tmp_path) == ["tiny/mine.txt"]


def splits():
    x = np.arange(7, dtype=np.int32)
    return {"x": x, "mask": x > 2}, {"x": x[:2]}, {"x": x[:1].reshape(1, 1)}


def test_arrays_are_decoded_once_per_content(tmp_path):
    calls = []
    first = decoded("tiny", tmp_path, "key", lambda: calls.append(1) or splits())
    again = decoded("tiny", tmp_path, "key", lambda: calls.append(2) or splits())
    decoded("tiny", tmp_path, "other key", lambda: calls.append(3) or splits())
    assert calls == [1, 3]
    for data in (first, again):
        assert_array_equal(data.train["mask"], [False] * 3 + [True] * 4)
        assert_array_equal(data.calibration["x"], np.arange(7))
        assert data.test["x"].shape == (1, 1)
        assert data.train["x"].dtype == np.int32
    assert len(files(tmp_path)) == 2


def saved(save, *args, **arrays):
    out = io.BytesIO()
    save(out, *args, **arrays)
    return out.getvalue()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda raw: b"", "cannot be read"),
        (lambda raw: raw[:-100], "cannot be read"),
        (lambda raw: raw[:200] + bytes([raw[200] ^ 1]) + raw[201:], "cannot be read"),
        (lambda raw: saved(np.save, np.arange(3)), "cannot be read"),
        (lambda raw: saved(np.savez, **{"valid/x": np.arange(3), "test/x": np.arange(3)}), "holds no array of train/"),
        (lambda raw: saved(np.savez, **{"train/x": np.arange(3), "valid/x": np.arange(3)}), "holds no array of test/"),
        (lambda raw: saved(np.savez, **{"train/x": np.array([{}])}), "cannot be read"),
    ],
    ids=["empty", "cut", "flipped", "npy", "no train", "no test", "pickled"],
)
def test_a_damaged_cache_is_set_aside_and_made_again(tmp_path, capsys, spoil, said):
    decoded("tiny", tmp_path, "key", splits)
    (path,) = (tmp_path / "decoded").iterdir()
    whole, bad = path.read_bytes(), spoil(path.read_bytes())
    path.write_bytes(bad)
    with pytest.raises(DataError, match=f"{path.name}: {said}"):
        cache._read(path)
    assert_array_equal(decoded("tiny", tmp_path, "key", splits).calibration["x"], np.arange(7))
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert f"{path}: {said}" in err
    assert path.read_bytes() == whole
    assert path.with_name(f"{path.name}.bad").read_bytes() == bad


def test_what_killed_processes_left_is_removed(tmp_path):
    here, dead = socket.gethostname(), subprocess.Popen(["true"])
    dead.wait()
    left = {  # by name: seconds ago, and whether it stays
        f"a~{here}~{dead.pid}~0f.part": (5, False),
        f"b~{here}~{os.getpid()}~0f.part": (5, True),
        f"c~{here}~{os.getpid()}~0f.part": (100_000, False),
        f"d~elsewhere~{dead.pid}~0f.part": (5, True),
        f"e~elsewhere~{dead.pid}~0f.part": (100_000, False),
        "mine.part": (100_000, True),
        f"f~{here}~{dead.pid}~0f.txt": (100_000, True),
    }
    for name, (ago, _) in left.items():
        (tmp_path / name).mkdir() if name < "c" else (tmp_path / name).write_bytes(b"part")
        os.utime(tmp_path / name, (time.time() - ago,) * 2)
    with scratch(tmp_path / "new") as temporary:
        temporary.mkdir()
        (temporary / "half").write_bytes(b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        name for name, (_, stays) in left.items() if stays
    )


def test_a_temporary_path_is_its_own_and_goes_where_its_maker_fails(tmp_path):
    with scratch(tmp_path / "a") as one, scratch(tmp_path / "a") as other:
        assert one != other
        assert one.parent == other.parent == tmp_path
    with contextlib.suppress(KeyError), scratch(tmp_path / "a") as one:
        one.write_bytes(b"half")
        raise KeyError
    assert files(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "decoded").write_text("in the way")
    assert_array_equal(decoded("tiny", tmp_path, "key", splits).calibration["x"], np.arange(7))
    assert files(tmp_path) == ["decoded"]


def test_content_is_told_by_names_and_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"hello")
    (tmp_path / "b").write_bytes(b"hello")
    lines = f"a {HELLO}\nb {HELLO}\n"
    assert content(tmp_path, ["b", "a"]) == hashlib.sha256(lines.encode()).hexdigest()
    assert content(tmp_path, ["a"]) != content(tmp_path, ["b"])


def test_every_dataset_says_what_it_is():
    for name, known in DATASETS.items():
        assert known.name == name
        assert known.licence
        assert known.citation
        assert known.size > 1e6
        for download in known.downloads:
            assert download.url.startswith("https://")
            assert (download.sha256 or known.content or "").islower()
            assert len(download.sha256 or known.content) == 64
        assert known.archive or [download.name for download in known.downloads] == list(known.files)
