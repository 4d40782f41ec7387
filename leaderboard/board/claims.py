"""What papers claim, beside what the board reproduces."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from leaderboard.board.board import Board
from leaderboard.record import canonical
from leaderboard.record.schema import Name, Strength
from leaderboard.record.text import plain
from leaderboard.stats.summary import Summary

CLAIMS = Path(__file__).parent / "claims.json"


class ClaimError(ValueError):
    """A file of claims that cannot be believed; the message names the file and the field."""


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One number of a paper, in the units of the task's metric."""

    task: Name
    method: Name
    strength: Strength
    metric: Annotated[str, Meta(min_length=1)]  # the task's
    paper: Annotated[str, Meta(min_length=1)]
    arxiv: Annotated[str, Meta(pattern=r"^[0-9]{4}\.[0-9]{4,5}\Z")] | None  # None of a source that is not there
    where: Annotated[str, Meta(min_length=1)]  # in the paper, and what stands there
    value: float
    tolerance: Annotated[float, Meta(gt=0)]  # of |reproduced - value| that still is a match


class Status(NamedTuple):
    """A claim beside what was reproduced; None where nothing was."""

    claim: Claim
    reproduced: Summary | None
    status: Literal["matched", "below", "above", "not attempted"]  # below: worse than claimed; above: better


def read(path: str | Path = CLAIMS) -> list[Claim]:
    """Returns the claims in a file, a JSON list. Raises ClaimError."""
    try:
        text = Path(path).read_bytes().decode()
        canonical.parse(text)
        claims = msgspec.json.decode(text, type=list[Claim])
    except OSError as error:
        raise ClaimError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ClaimError(f"{path}: {plain(str(error))}") from None
    for i, claim in enumerate(claims):
        if claim in claims[:i]:
            raise ClaimError(f"{path}: the same as $[{claims.index(claim)}] - at `$[{i}]`")
    return claims


def statuses(claims: Sequence[Claim], boards: Sequence[Board]) -> list[Status]:
    """Returns the status of each claim, in their order.

    A claim is reproduced by the closed row of its method and strength, all seeds of which finished; of several
    configurations, by the one that is best on valid. Raises ClaimError where a claim is not in the task's metric.
    """
    known = {board.task.name: board for board in boards if board.registered}
    return [_status(claim, known.get(claim.task)) for claim in claims]


def _status(claim: Claim, board: Board | None) -> Status:
    if board is None:
        return Status(claim, None, "not attempted")
    if claim.metric != board.task.metric:
        message = f"claim of {claim.paper}: metric is {claim.metric!r}, that of {claim.task} is {board.task.metric!r}"
        raise ClaimError(plain(message))
    sign = 1 if board.task.higher_is_better else -1
    rows = [row for d in board.divisions if d.name == "closed" for row in d.rows if _meant(claim, row)]
    known = [row.figures for row in rows if row.figures is not None]
    if not known:
        return Status(claim, None, "not attempted")
    reproduced = max(known, key=lambda figures: sign * figures.valid).quality
    gain = sign * (reproduced.mean - claim.value)
    if abs(gain) <= claim.tolerance or math.isclose(abs(gain), claim.tolerance):
        return Status(claim, reproduced, "matched")
    return Status(claim, reproduced, "above" if gain > 0 else "below")


def _meant(claim, row):
    return row.record.method.name == claim.method and row.whole and row.point.strength == claim.strength
