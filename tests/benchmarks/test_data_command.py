"""`python -m benchmarks.data`: what it lists and fetches, and one line with exit code 2 where it cannot."""

import dataclasses

import pytest

from benchmarks import data
from tasks.data import DATASETS
from tasks.data.store.dataset import Dataset, Download


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """cli(*args) -> (exit code, stdout, stderr), with this test's own data directory."""
    monkeypatch.setenv("SLIMBENCH_DATA", str(tmp_path))

    def call(*args):
        code = data.main(args)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_list_says_size_presence_licence_and_citation(cli, tmp_path):
    (tmp_path / "shakespeare_char").mkdir()
    (tmp_path / "shakespeare_char/input.txt").write_bytes(b"")
    (tmp_path / "sst2/SST-2").mkdir(parents=True)
    (tmp_path / "sst2/SST-2/dev.tsv").write_bytes(b"")
    code, out, _ = cli("--list")
    assert code == 0
    head, *lines = out.splitlines()
    assert head == f"data directory {tmp_path}"
    assert [line.split()[0] for line in lines] == list(DATASETS)
    states = {line.split()[0]: line.split()[3] for line in lines}
    assert {name for name, state in states.items() if state == "absent"} == DATASETS.keys() - {"shakespeare", "sst2"}
    assert (states["shakespeare"], states["sst2"]) == ("present", "incomplete")
    assert " 2428.9 MB " in lines[-1]
    for line, dataset in zip(lines, DATASETS.values(), strict=True):
        assert f" {dataset.licence} " in line
        assert line.endswith(dataset.citation)


def test_get_fetches_with_a_bar_and_data_dir_says_where(cli, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(data, "fetch", lambda dataset, root, progress: asked.append((dataset.name, root, progress)))
    assert cli("--get=mnist,fsdd", f"--data_dir={tmp_path / 'here'}")[0] == 0
    assert asked == [("mnist", tmp_path / "here", True), ("fsdd", tmp_path / "here", True)]


def test_get_of_what_is_there_says_where(cli, monkeypatch, tmp_path):
    tiny = Dataset("tiny", "tiny", (Download("http://127.0.0.1:9/a.txt", 5, "0" * 64),), ("a.txt",), "none", "nobody")
    monkeypatch.setitem(data.DATASETS, "tiny", tiny)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/a.txt").write_bytes(b"hello")
    assert cli("--get=tiny") == (0, f"tiny: in {tmp_path / 'tiny'}\n", "")


def test_a_user_without_a_home_is_told_what_to_give(cli, monkeypatch):
    for name in ("SLIMBENCH_DATA", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    bad(cli("--list"), ["no data directory", "home", "give --data_dir or set SLIMBENCH_DATA"])


def test_no_network_is_one_line_and_exit_code_2(cli, monkeypatch):
    # Port 9 of this machine: nobody listens.
    download = dataclasses.replace(DATASETS["fsdd"].downloads[0], url="http://127.0.0.1:9/fsdd.zip")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setitem(data.DATASETS, "fsdd", dataclasses.replace(DATASETS["fsdd"], downloads=(download,)))
    bad(cli("--get=fsdd"), ["http://127.0.0.1:9/fsdd.zip: cannot be fetched", "put the file", "downloads/fsdd.zip"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], ["--list", "--get"]),
        (["--get=mnist,imagenet"], ["--get", "'imagenet'", "mnist, cifar10"]),
        (["--get"], ["get"]),
        (["--get="], ["--get: is empty"]),
        (["--data_dir="], ["--data_dir: is empty"]),
        (["--list=maybe"], ["--list=maybe: must be true or false"]),
        (["--lst"], ["lst"]),
        (["mnist"], ["'mnist'", "is not a flag"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli, args, said):
    bad(cli(*args), said)


def bad(result, said):
    code, out, err = result
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert all(part in err for part in said), err
