"""Claims are read strictly and compared within their tolerance."""

import json
from pathlib import Path

import pytest

from leaderboard import build, inputs
from leaderboard.board import claims
from leaderboard.board.board import boards
from leaderboard.board.claims import ClaimError, read, statuses
from leaderboard.record import files
from leaderboard.render import pages

CLAIM = {
    "task": "toy",
    "method": "rtn",
    "strength": [4],
    "metric": "accuracy",
    "paper": "Doe et al. 2020",
    "arxiv": "2001.00001",
    "where": "table 1",
    "value": 0.8,
    "tolerance": 0.05,
}


def written(tmp_path, *rows):
    path = tmp_path / "claims.json"
    path.write_text(json.dumps(rows))
    return path


def status(tmp_path, records, **changes):
    (found,) = statuses(read(written(tmp_path, CLAIM | changes)), boards(records))
    return found


@pytest.mark.parametrize(
    ("quality", "wanted"), [(0.8, "matched"), (0.85, "matched"), (0.75, "matched"), (0.9, "above"), (0.7, "below")]
)
def test_status(toy, tmp_path, quality, wanted):
    at_2, at_4 = (toy.result(q, 10, outcomes=f"{'1' * round(q * 20):0<20}") for q in (0.1, quality))
    found = status(tmp_path, [toy({2: {0: at_2}, 4: {0: at_4}})])
    assert (found.status, found.reproduced.mean, found.reproduced.n) == (wanted, quality, 1)


def test_less_of_a_loss_is_above(toy, tmp_path):
    run = toy({(): {0: (1.9, 10)}}, task=toy.loss, method="dense", knobs=())
    changes = {"task": "text", "method": "dense", "strength": [], "metric": "bits", "value": 2.0}
    assert status(tmp_path, [run], **changes).status == "above"


@pytest.mark.parametrize(
    "changes", [{"strength": [8]}, {"strength": [4, 4]}, {"strength": []}, {"method": "lsq"}, {"task": "text"}]
)
def test_not_attempted(toy, tmp_path, changes):
    found = status(tmp_path, [toy({4: {0: (0.8, 10)}})], **changes)
    assert (found.status, found.reproduced) == ("not attempted", None)


def test_failed_seeds_and_open_runs_reproduce_nothing(toy, tmp_path):
    half = toy({4: {0: (0.8, 10), 1: "no room"}})
    open_ = toy({4: {0: (0.8, 10)}}, digest="bb", division="open")
    assert status(tmp_path, [half, open_]).status == "not attempted"


def test_of_several_configurations_the_best_on_valid(toy, tmp_path):
    lucky = toy({4: {0: toy.result(0.8, 10, valid_quality=0.5)}}, digest="aa")
    chosen = toy({4: {0: toy.result(0.6, 10, valid_quality=0.6)}}, digest="bb")
    assert status(tmp_path, [lucky, chosen]).status == "below"


def test_a_chain(toy, tmp_path):
    run = toy({(0.5, 8): {0: (0.8, 10)}}, knobs=("sparsity", "bits"))
    assert status(tmp_path, [run], strength=[0.5, 8]).status == "matched"


def test_of_another_metric(toy, tmp_path):
    with pytest.raises(ClaimError, match=r"Doe et al. 2020: metric is 'error', that of toy is 'accuracy'"):
        status(tmp_path, [toy({4: {0: (0.8, 10)}})], metric="error")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": 1}, "unknown field `colour` - at `$[0]`"),
        ({"task": "../x"}, "`$[0].task`"),
        ({"value": "0.8"}, "`$[0].value`"),
        ({"tolerance": 0}, "`$[0].tolerance`"),
        ({"arxiv": "https://arxiv.org/abs/2001.00001"}, "`$[0].arxiv`"),
        ({"strength": 4}, "`$[0].strength`"),
        ({"value": float("nan")}, "NaN is not a number"),
    ],
)
def test_bad_claims_are_refused_in_one_line(tmp_path, changes, message):
    path = written(tmp_path, CLAIM | changes)
    with pytest.raises(ClaimError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_claim_is_made_once(tmp_path):
    with pytest.raises(ClaimError, match=r"the same as \$\[0\] - at `\$\[1\]`"):
        read(written(tmp_path, CLAIM, CLAIM))
    with pytest.raises(ClaimError, match="No such file"):
        read(tmp_path / "nowhere.json")


def test_bad_claims_stop_the_build_in_one_line(toy, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inputs, "RESULTS", Path("leaderboard/results"))
    monkeypatch.setattr(claims.read, "__defaults__", (written(tmp_path, CLAIM | {"value": None}),))
    files.write("leaderboard/results/toy/rtn-3dd6fc4b.json", toy({4: {0: (0.9, 4000)}}))
    assert build.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_page_shows_them(toy, tmp_path):
    board = boards([toy({4: {0: (0.9, 10), 1: (0.7, 10)}})])
    page = pages.markdown(
        board, statuses(read(written(tmp_path, CLAIM, CLAIM | {"strength": [2], "arxiv": None})), board)
    )
    cells = "toy | rtn | 4 | accuracy | 0.8000 | 0.8000 \\[0.2149, 0.9832\\] | 2 | ± 0.0500 | matched"
    assert f"| {cells} | Doe et al. 2020, arXiv 2001.00001, table 1 |" in page
    assert "| 2 | accuracy | 0.8000 | – | – | ± 0.0500 | not attempted | Doe et al. 2020, table 1 |" in page


def test_the_committed_claims_are_of_tasks_and_methods_of_the_suite():
    from methods import METHODS
    from tasks import TASKS

    for claim in read():
        assert claim.metric == TASKS[claim.task].metric.name
        assert (claim.strength == []) == (claim.method == "dense")
        assert claim.method in METHODS
