"""TO BE DELETED once rows, divisions and boards carry their statistics: what the page shows of them till then."""

import importlib


def interval(summary):
    return [getattr(summary, "low", None), getattr(summary, "high", None)]


def comparisons(row):
    return getattr(row, "comparisons", {})


def rank(row):
    return getattr(row, "rank", None)


def tie(row):
    return getattr(row, "tie", None)


def scores(division):
    return getattr(division, "scores", [])


def aggregate(boards):
    module = _module("aggregate")
    return module.aggregate(boards) if module else []


def profiles(boards):
    module = _module("aggregate")
    return module.profiles(boards) if module else {}


def claims(boards):
    module = _module("claims")
    return module.statuses(module.read(), boards) if module else []


def _module(name):
    try:
        return importlib.import_module(f"leaderboard.{name}")
    except ModuleNotFoundError:
        return None
