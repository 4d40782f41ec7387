"""What a plan amounts to, and about how long it takes: by the seconds a step that the board's records tell."""

from collections import Counter
from itertools import groupby
from statistics import median

from benchmarks.plan.job import Job
from benchmarks.plan.plan import Plan
from leaderboard.record.files import read_all
from leaderboard.record.layout import PROTOCOL1, RESULTS, strength_text


def described(plan: Plan) -> str:
    """Returns a line for each group of jobs, the curves that are left out, and totals."""
    speed, lines = seconds_a_step(), []
    width = max(len(f"{job.task} {_what(job)}") for job in plan.jobs) + 2
    for (task, what), group in groupby(plan.jobs, lambda job: (job.task, _what(job))):
        jobs = list(group)
        strengths = dict.fromkeys(strength_text(job.strength) for job in jobs)
        seeds = ",".join(str(seed) for seed in dict.fromkeys(job.seed for job in jobs))
        steps = sum(job.steps for job in jobs)
        knobs = f"strengths {', '.join(strengths)}; " if jobs[0].strength else ""
        lines.append(f"{task + ' ' + what:<{width}}{len(jobs):>5} jobs{steps:>9} steps  {knobs}seeds {seeds}")
    for jobs, reason in plan.skipped:
        lines.append(f"{jobs[0].task} {jobs[0].method}: skipped: {reason}")
    kinds = Counter(job.kind for job in plan.jobs)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    lines.append(
        f"{len(plan.jobs)} jobs ({counted}), {sum(job.steps for job in plan.jobs)} steps; {_time(plan, speed)}"
    )
    return "\n".join(lines)


def seconds_a_step() -> dict[str, float]:
    """Returns the median seconds of a training step of each task that has records, of any protocol."""
    found: dict[str, list[float]] = {}
    for record in read_all(RESULTS)[0] + read_all(PROTOCOL1)[0]:
        for point in record.points:
            costs = [run.result.cost for run in point.runs if run.result]
            found.setdefault(record.task.name, []).extend(c.seconds / c.steps for c in costs if c.steps)
    return {task: median(values) for task, values in found.items() if values}


def _time(plan: Plan, speed: dict[str, float]) -> str:
    known = sum(job.steps * speed[job.task] for job in plan.jobs if job.task in speed)
    unknown = sorted({job.task for job in plan.jobs if job.task not in speed})
    said = f"about {known / 60:.0f} minutes of training by the board's records, compiling and measuring apart"
    return said + (f"; unknown for {', '.join(unknown)}" if unknown else "")


def _what(job: Job) -> str:
    said = {"dense": "dense net", "teacher": "teacher", "trial": f"{job.method} trials"}
    return said.get(job.kind, job.method)
