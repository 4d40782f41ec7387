"""A record is somebody else's file: whatever it holds, it is refused in one line or shown as text."""

import json
import os
import random

import msgspec
import pytest
from markdown_it import MarkdownIt

from leaderboard import build
from leaderboard.board.board import boards
from leaderboard.board.claims import read, statuses
from leaderboard.record import files
from leaderboard.record.canonical import digest
from leaderboard.record.files import RecordError
from leaderboard.record.schema import GREATEST_INT
from leaderboard.render import pages, readme, terminal
from tests.leaderboard.conftest import MADE, NET, WHOLE

RUN = {
    "seed": 0,
    "dense": "c0",
    "identity": None,
    "provenance": MADE,
    "result": None,
    "failure": "x",
    "skipped": None,
}
RESULT = ("points", 0, "runs", 0, "result")
CONFIG = {"task": "toy", "task_version": 1, "method": "rtn", "net": NET, "eval_batch": 8, "budget": WHOLE}


@pytest.fixture
def good(toy):
    return toy({4: {0: (0.8, 5000), 1: (0.9, 5100)}})


def put(values, path, value):
    *heads, last = path
    for head in heads:
        values = values[head]
    values[last] = value


def nested(depth):
    return [nested(depth - 1)] if depth else 1


REFUSED = {  # field, value, what is said, where
    "1 MB name": (("method", "name"), "a" * 2**20, "length <= 100", "$.method.name"),
    "1 MB metric": (("task", "metric"), "a" * 2**20, "length <= 100", "$.task.metric"),
    "1 MB note": ((*RESULT, "notes"), ["a" * 2**20], "length <= 2000", "$.points[0].runs[0].result.notes[0]"),
    "1 MB key": (("config", "a" * 2**20), 1, "more than 20000 characters", "$.config"),
    "1 MB unknown key": (("a" * 2**20,), 1, "unknown field `aaa", "aaa`"),
    "1 MB of config": (("config", "a"), [0] * 2**19, "more than 20000 characters", "$.config"),
    "path as a name": (("method", "name"), "../../x", "regex", "$.method.name"),
    "path as a task": (("task", "name"), "..", "regex", "$.task.name"),
    "hidden name": (("task", "name"), ".x", "regex", "$.task.name"),
    "name with an end of line": (("task", "name"), "toy\n", "regex", "$.task.name"),
    "name with a zero-width space": (("method", "name"), "rtn\u200b", "regex", "$.method.name"),
    "name of another script": (("method", "name"), "rtո", "regex", "$.method.name"),
    "path as a digest": (("method", "digest"), "../x", "regex", "$.method.digest"),
    "SHA-256 cut short": ((*RESULT, "artifact"), "ab" * 31, "regex", "$.points[0].runs[0].result.artifact"),
    "2^63": ((*RESULT, "bytes"), 2**63, "`int` <= 9007199254740991", "$.points[0].runs[0].result.bytes"),
    "2^53": ((*RESULT, "macs"), 2**53, "`int` <= 9007199254740991", "$.points[0].runs[0].result.macs"),
    "2^63 in config": (("config", "x"), [-(2**63)], "-9223372036854775808 is out of range", "$.config"),
    "integer of 4000 digits": ((*RESULT, "bops"), 10**4000, "out of range", "$.points[0].runs[0].result.bops"),
    "sum beyond floats": ((*RESULT, "quality"), 1e308, "`float` <= 1e+100", "$.points[0].runs[0].result.quality"),
    "quotient beyond floats": (
        (*RESULT, "latency", "one", "median_ms"),
        1e-320,
        "`float` >= 1e-06",
        "$.points[0].runs[0].result.latency.one.median_ms",
    ),
    "nested": (("config", "x"), nested(9), "nested more than 8 deep", "$.config"),
    "nested 200 deep": (("config", "x"), nested(200), "nested more than 8 deep", "$.config"),
    "number for text": (("provenance", MADE, "device"), 3, "Expected `str`, got `int`", "$.provenance[...].device"),
    "text for a list": ((*RESULT, "notes"), "ab", "Expected `array`, got `str`", "$.points[0].runs[0].result.notes"),
    "1 for true": (("provenance", MADE, "dirty"), 1, "Expected `bool`, got `int`", "$.provenance[...].dirty"),
    "null": (("division",), None, "got `null`", "$.division"),
    "another schema": (("schema",), 5, "schema is 5, this code reads 4", "$.schema"),
    "many notes": ((*RESULT, "notes"), ["a"] * 201, "length <= 200", "$.points[0].runs[0].result.notes"),
    "many controls": (
        ("task", "controls"),
        dict.fromkeys(map(str, range(201)), 1.0),
        "length <= 200",
        "$.task.controls",
    ),
    "many points": (("points",), [{"strength": [4], "runs": [RUN]}] * 201, "length <= 200", "$.points"),
}


@pytest.mark.parametrize(("path", "value", "what", "where"), REFUSED.values(), ids=REFUSED)
def test_refused_with_file_and_field_in_one_short_line(good, tmp_path, path, value, what, where):
    values = msgspec.to_builtins(good)
    put(values, path, value)
    (tmp_path / "bad.json").write_text(json.dumps(values), "utf-8")
    with pytest.raises(RecordError) as caught:
        files.read(tmp_path / "bad.json")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'bad.json'}: ")
    assert what in message
    assert where in message
    assert len(message) < 1100
    assert message.isprintable()


def test_bounds_are_inclusive(good, tmp_path):
    values = msgspec.to_builtins(good)
    for path, value in (
        (("task", "metric"), "a" * 100),
        ((*RESULT, "notes"), ["a" * 2000]),
        ((*RESULT, "macs"), GREATEST_INT),
        ((*RESULT, "cost", "seconds"), 1e100),
        (("config",), CONFIG | {"x": nested(6), "y": ""}),
    ):
        put(values, path, value)
    values["config"]["y"] = "a" * (20_000 - len(json.dumps(values["config"])))
    values["method"]["digest"] = digest(values["config"])
    assert len(json.dumps(values["config"])) == 20_000
    (tmp_path / "a.json").write_text(json.dumps(values))
    assert files.read(tmp_path / "a.json").config == values["config"]


def broken(path):
    path.symlink_to(path.parent / "nothing.json")


def looping(path):
    path.symlink_to(path)


def linked(path):
    path.symlink_to(next(path.parent.glob("rtn-*.json")))


def sparse(path):
    with path.open("wb") as file:
        file.truncate(files.MOST_BYTES + 1)


UNREADABLE = {
    "empty": (lambda path: path.touch(), "not JSON: Expecting value"),
    "not UTF-8": (lambda path: path.write_bytes(b'{"schema": "\xff"}'), "not UTF-8 at byte 12"),
    "UTF-16": (lambda path: path.write_text("{}", "utf-16"), "not UTF-8 at byte 0"),
    "repeated key": (lambda path: path.write_text('{"a": {"b": 1, "b": 2}}'), "key 'b' occurs twice"),
    "nested lists": (lambda path: path.write_text("[" * 10**6), "nested too deeply"),
    "nested 900 deep": (lambda path: path.write_text('{"config":' * 900 + "1" + "}" * 900), "missing required"),
    "digits": (lambda path: path.write_text("9" * 10**6), "not JSON: Exceeds the limit"),
    "64 MB": (sparse, "64000001 bytes, at most 64000000 are read"),
    "folder": (lambda path: path.mkdir(), "is no file"),
    "pipe": (os.mkfifo, "is no file"),
    "link": (linked, "is a symbolic link"),
    "broken link": (broken, "is a symbolic link"),
    "link to itself": (looping, "is a symbolic link"),
}


@pytest.mark.parametrize(("name", "shown"), [("x.json", "x.json"), ("a\u202e\n\x1b[31m.json", "a [31m.json")])
@pytest.mark.parametrize(("make", "what"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_bad_file_does_not_hide_the_good_ones(toy, good, tmp_path, capsys, make, what, name, shown):
    results, page = tmp_path / "results", tmp_path / "board.md"
    other = toy({4: {0: (0.8, 5000)}}, task=toy.loss, dense={0: 2.0})
    for one in (good, other):
        files.write(files.place(results, one), one)
    make(results / "toy" / name)
    argv = [f"--results={results}", f"--out={page}"]
    assert build.main(argv) == 2
    assert page.read_text("utf-8") == pages.markdown(boards([other, good]), statuses(read(), boards([other, good])))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {results}/toy/{shown}: ")
    assert what in err
    assert err.count("\n") == 1
    assert err[:-1].isprintable()
    assert build.main([*argv, "--check"]) == 2
    page.write_text("edited")
    assert build.main([*argv, "--check"]) == 2
    assert "differs from the records" in capsys.readouterr().err


def test_a_linked_folder_is_named(good, tmp_path):
    files.write(files.place(tmp_path / "elsewhere", good), good)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "toy").symlink_to(tmp_path / "elsewhere" / "toy")
    records, (error,) = files.read_all(tmp_path / "results")
    assert records == []
    assert str(error) == f"{tmp_path}/results/toy: is a symbolic link; a record is a file"


PAGES = (lambda found: pages.markdown(found, []), terminal.text, readme.block)
HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=y>",
    "quotes": '"\'`"><b>',
    "control": "a\x00\x07\x1b[2Jb\r\nc\x9b31md",
    "directions": "a\u202eb\u2066c\u200fd",
    "zero width": "a\u200bb\u200dc\ufeffd\u2060",
    "lines": "a\u2028b\u2029c\x85d\x0b",
    "Markdown": "| x | y |\n# head\n[a](javascript:b) ![c](d) ***e*** <!-- board:end -->",
    "TeX": "\\input{x}$_^%&#~",
    "formula": "=cmd|' /C calc'!A0",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_strings_are_text_wherever_they_show(toy, text, tmp_path):
    """In every free field at once; pages keep their lines and hold no markup and nothing invisible."""
    task = toy.task | {"metric": text, "source": text, "modality": text, "fingerprint": text, "controls": {text: 1.0}}
    points = {4: {0: toy.result(0.8, 4000, notes=[text]), 1: text}}

    def page(task, points, **changes):
        one = toy(points, task=task, **changes)
        files.write(tmp_path / "a.json", one)
        one = files.read(tmp_path / "a.json")
        return [show(boards([one])) for show in PAGES]

    hostile = page(task, points, knobs=(text,))
    tame = page(
        toy.task | {"controls": {"a": 1.0}}, {4: {0: toy.result(0.8, 4000, notes=["a"]), 1: "a"}}, knobs=("bits",)
    )
    for ours, theirs in zip(hostile, tame, strict=True):
        assert len(ours.splitlines()) == len(theirs.splitlines())
        assert all(line.isprintable() for line in ours.splitlines())
    assert readme.END not in hostile[2]
    for ours, theirs in ((hostile[0], tame[0]), (hostile[2], tame[2])):
        assert tokens(ours) == tokens(theirs)


def tokens(page):
    """What an independent Markdown parser, HTML allowed, sees beside text."""
    found = []
    for token in MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(page):
        found += [token.type, *(child.type for child in token.children or () if child.type != "text_special")]
    return found


def test_any_mutation_is_refused_or_shown(toy, good, tmp_path):
    """Seeded fuzzing: one value anywhere becomes another of any kind; either it is refused or the page can be made."""
    draw = random.Random(0)
    others = [None, True, 0, -1, 0.5, 1e100, -1e100, GREATEST_INT, "", "x", "\u202e<b>", [], [1, 2], {}, {"a": [None]}]
    text = json.dumps(msgspec.to_builtins(good))
    believed = 0
    for _ in range(600):
        values = json.loads(text)
        put(values, draw.choice(list(paths(values))), draw.choice(others))
        if isinstance(values.get("method"), dict):
            values["method"]["digest"] = digest(values["config"])
        (tmp_path / "a.json").write_text(json.dumps(values))
        try:
            one = files.read(tmp_path / "a.json")
        except RecordError:
            pass
        else:
            believed += 1
            for show in PAGES:
                show(boards([one, good]))
    assert 50 < believed < 550


def paths(value, path=()):
    """Of every value inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from paths(item, (*path, key))
