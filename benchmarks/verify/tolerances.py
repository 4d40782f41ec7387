"""Whether a run made again is the run that a record holds, and how far apart they may be."""

from typing import NamedTuple

from leaderboard.record.schema import Dense, Result

BYTES_SHARE = 0.05


class Check(NamedTuple):
    """One comparison of a recorded run with the one made again."""

    name: str
    passed: bool
    said: str


def checks(allowed: float, recorded: tuple[Dense, Result], again: tuple[Dense, Result]) -> list[Check]:
    """Returns the comparisons of dense net, quality, bytes, MACs and artifact.

    Args:
      allowed: difference of qualities.
      recorded: dense net and result of the record.
      again: those made again.
    """
    (dense, result), (dense_again, result_again) = recorded, again
    same = result_again.artifact == result.artifact
    return [
        _dense(dense, dense_again, allowed),
        _near("quality", result_again.quality, result.quality, allowed),
        _near("bytes", result_again.bytes, result.bytes, 0 if same else BYTES_SHARE * result.bytes),
        _near("MACs", result_again.macs, result.macs, 0),
        Check("artifact", True, "bit for bit the same" if same else "another file, the tolerances count"),
    ]


def _dense(recorded, again, allowed):
    if again.checkpoint == recorded.checkpoint:
        same = (again.quality, again.bytes) == (recorded.quality, recorded.bytes)
        return Check("dense net", same, f"{again.checkpoint}, the same weights")
    return _near("dense net", again.quality, recorded.quality, allowed)


def _near(name, found, recorded, allowed):
    said = f"{found:.10g}, recorded {recorded:.10g}"
    return Check(name, abs(found - recorded) <= allowed, said + (f", allowed ±{allowed:.4g}" if allowed else ""))
