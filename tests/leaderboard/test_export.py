"""The board in other formats, read back."""

import csv
import io
import re
from pathlib import Path

import pytest

from leaderboard import export
from leaderboard.board.board import boards
from leaderboard.record import files
from leaderboard.render.bibtex import as_bibtex, papers
from leaderboard.render.csv import as_csv
from leaderboard.render.latex import as_latex, latex
from methods import METHODS


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_raw_numbers_by_hand(toy):
    """Qualities 0.8 and 0.9 from dense 0.9 and 0.9: mean 0.85, std 0.05 √2, t 12.7; bytes 4000 and 5001 of 40 000."""
    one = toy({4: {0: (0.8, 4000), 1: (0.9, 5001)}, 2: {0: "no room", 1: "no room"}})
    full, failed = rows(as_csv(boards([one])))
    expected = {
        "task": "toy",
        "task_version": "1",
        "metric": "accuracy",
        "higher_is_better": "true",
        "division": "closed",
        "family": "quantization",
        "method": "rtn",
        "training": "none",
        "digest": "3dd6fc4b",
        "knob": "bits",
        "strength": "4",
        "device": "cpu x86_64 ×1",
        "commits": "0" * 40,
        "seeds_asked": "2",
        "seeds_finished": "2",
        "pareto_optimal": "true",
        "quality_mean": "0.85",
        "quality_std": "0.0707106781187",
        "dense_quality": "0.9",
        "dense_difference": "-0.05",
        "dense_high": "0.585310236809",
        "dense_p_corrected": "0.5",
        "dense_about": "over seeds alone",
        "reference": "dense",
        "reference_difference": "-0.05",
        "reference_p": "0.5",
        "control": "",
        "control_difference": "",
        "artifact_bytes": "4500.5",
        "payload_bytes": "4300.5",
        "weight_bits": "4",
        "memory_bytes": "4096",
        "ratio": "8.8879013443",
        "macs": "1234000",
        "effective_macs": "1234000",
        "bops": "4000000000",
        "execution": "simulated",
        "latency_batch_1_ms": "0.5",
        "speedup_batch_1": "1.8",
        "speedup_batch_1_low": "1.62",
        "speedup_batch_1_high": "1.98",
        "task_batch": "8",
        "latency_task_batch_ms": "2",
        "speedup_task_batch": "0.5",
        "optimization_s": "12",
        "steps": "300",
        "tuning_steps": "0",
        "teacher_forwards_examples": "0",
    }
    assert {name: full[name] for name in expected} == expected
    assert (failed["strength"], failed["seeds_finished"], failed["quality_mean"], failed["steps"]) == ("2", "0", "", "")


def test_csv_of_one_seed_has_no_spread(toy):
    assert rows(as_csv(boards([toy({4: {0: (0.8, 4000)}})])))[0]["quality_std"] == ""


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ('a"b,c\nd', 'a"b,c d'),
    ],
)
def test_csv_cells_are_text_and_no_formulas(toy, text, cell):
    (row,) = rows(as_csv(boards([toy({4: {0: (0.8, 4000)}}, knobs=(text,))])))
    assert row["knob"] == cell


def test_latex_table_by_hand(toy):
    one = toy({4: {0: (0.8, 4000)}, (2): {0: (0.9, 3000)}}, method="rtn_static", knobs=("50 % & more",))
    lines = as_latex(boards([one])).splitlines()
    assert lines[:2] == [r"\begin{table}", r"\centering"]
    assert lines[2].startswith(r"\caption{toy, closed division; accuracy; dense 0.9000 (n=1), 40 kB; bar $\geq$ 0.85")
    assert lines[4:6] == [
        r"\toprule",
        r" & method & strength & quality & against dense & against reference & bytes & ratio & bits a weight "
        r"& run as & training & cost & n \\",
    ]
    assert lines[7:9] == [
        r" & rtn\_static & 50 \% \& more 4 & 0.8000 [0.3365, 0.9693] & $-$0.1000 & $-$0.1000 & 4 kB "
        r"& $\times$10 & 4 & simulated & none & 12 s, 300 steps & 1 $\dagger$ \\",
        r"$\bullet$ & rtn\_static & 50 \% \& more 2 & 0.9000 [0.3644, 0.9930] & +0.0000 & +0.0000 & 3 kB "
        r"& $\times$13.3 & 4 & simulated & none & 12 s, 300 steps & 1 $\dagger$ \\",
    ]
    assert lines[9:] == [r"\bottomrule", r"\end{tabular}", r"\end{table}"]


def test_latex_is_escaped():
    assert latex("\\input{x} $a_b^c ~ 1% & #|<>") == (
        r"\textbackslash{}input\{x\} \$a\_b\textasciicircum{}c \textasciitilde{} 1\% \& \#\textbar{}"
        r"\textless{}\textgreater{}"
    )
    assert latex("a--b\n\\\\ 漢é ×") == r"a{-}{-}b \textbackslash{}\textbackslash{} ?? $\times$"


def test_bibtex_names_the_papers_of_the_methods_and_slimbench(toy):
    runs = {4: {0: (0.8, 4000)}}
    text = as_bibtex(boards([toy(runs, method=name) for name in ("lsq", "rtn", "mine", "dense")]))
    assert re.findall(r"^@\w+\{(.*),$", text, re.MULTILINE) == [
        "slimbench",
        "krishnamoorthi2018quantizing",
        "esser2020learned",
    ]
    assert text.startswith("% No paper is known for: dense, mine\n")
    assert text.count("{") == text.count("}")


def test_papers_are_those_that_the_docstrings_name():
    """Each arXiv number is in the file that names the paper of the entry's method."""
    sources = [path.read_text() for path in (Path(__file__).parents[2] / "methods").rglob("*.py")]
    entries = [(methods, entry) for methods, entry in papers() if methods != {"slimbench"}]
    assert len(entries) >= 7
    for methods, entry in entries:
        number = re.search(r"eprint = \{(.*)\}", entry)[1]
        for method in methods:
            (source,) = (text for text in sources if f'paper="{METHODS[method].about.paper}"' in text)
            assert re.search(rf"(arXiv |arXiv:){number}", source), (method, number)


@pytest.fixture
def results(toy, tmp_path):
    folder = tmp_path / "results"
    for one in (toy({4: {0: (0.8, 9)}}), toy({4: {0: (2.0, 9)}}, task=toy.loss, dense={0: 2.0})):
        files.write(files.place(folder, one), one)
    return folder


@pytest.mark.parametrize("name", export.FORMATS)
def test_command_prints_or_writes(results, tmp_path, capsys, name):
    argv = [f"--results={results}", f"--format={name}"]
    assert export.main(argv) == 0
    out, err = capsys.readouterr()
    assert out == export.FORMATS[name](boards(files.read_all(results)[0]))
    assert err == ""
    assert export.main([*argv, f"--out={tmp_path / 'new' / 'file'}"]) == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "new" / "file").read_bytes().decode() == out


def test_one_task(results, capsys):
    assert export.main([f"--results={results}", "--format=csv", "--task=text"]) == 0
    assert [row["task"] for row in rows(capsys.readouterr().out)] == ["text"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--format: must be given"),
        (["--format=xml"], "--format=xml: value should be one of <csv|latex|bibtex>"),
        (["--format=csv", "--task=x"], "--task: there are no records of 'x'; there are of text, toy"),
        (["--format=csv", "--out=."], "--out=.: is a folder"),
        (["--format=csv", "--out="], "--out: is empty; give it a value or leave it out"),
        (["--format=csv", "--task", ""], "an argument: is empty"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(results, capsys, flags, said):
    assert export.main([f"--results={results}", *flags]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
