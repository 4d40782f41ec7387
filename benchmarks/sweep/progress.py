"""Progress: a bar on a terminal, plain lines elsewhere."""

import sys
import time

from tqdm import tqdm


class Progress:
    """Counts steps over the whole grid. `at` says where the run is; `step` moves it on."""

    def __init__(self, total: int, every_s: float = 10.0) -> None:
        self._bar = tqdm(total=total, unit="step", disable=not sys.stderr.isatty(), dynamic_ncols=True, smoothing=0.02)
        self._total, self._done, self._every_s = total, 0, every_s
        self._start = self._said = time.monotonic()
        self._where = ""

    def at(self, *where: object) -> None:
        """Names the run: task, method, strength, seed."""
        self._where = " ".join(str(part) for part in where if part != "")
        self._bar.set_description(self._where)

    def step(self, count: int, step: int, steps: int, loss: float) -> None:
        """Counts more steps of the run.

        Args:
          count: steps done since the last call.
          step: of the run, where it is.
          steps: of the run in all.
          loss: of the last step.
        """
        self._done += count
        self._bar.update(count)
        self._bar.set_postfix_str(f"step {step}/{steps} loss {loss:.4f}")
        if self._bar.disable and time.monotonic() - self._said > self._every_s:
            self._said = time.monotonic()
            self.say(f"step {step}/{steps} loss {loss:.4f}, {self._left()} left")

    def skip(self, count: int) -> None:
        """Takes `count` steps out of the total: they turn out to be done already."""
        self._total -= count
        self._bar.total = self._total
        self._bar.refresh()

    def say(self, text: str) -> None:
        """Prints one line about the run."""
        line = f"{self._where}: {text}" if self._where else text
        if self._bar.disable:
            print(line, file=sys.stderr, flush=True)
        else:
            self._bar.write(line, file=sys.stderr)

    def close(self) -> None:
        """Ends the bar."""
        self._bar.close()

    def _left(self) -> str:
        rate = (time.monotonic() - self._start) / max(self._done, 1)
        return tqdm.format_interval(int(rate * (self._total - self._done)))
