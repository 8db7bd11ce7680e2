"""Units in several processes. One that dies or hangs is a failure of its unit; the rest goes on in a new process."""

import contextlib
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing.connection import Connection, wait
from typing import Any

from corundum.check.driver import Report, Unit
from corundum.check.work import Wish

SILENCE = 300.0
"""Seconds without a finished unit after which a process is taken to hang."""
LABEL_BYTES = 1000


def in_processes(
    wish: Wish, units: Sequence[Unit], numbers: Sequence[int], jobs: int, late: Callable[[], bool] = lambda: False
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number, report as data) of units[number], in any order. Units of one name stay together: they share what they find out.
    None is begun when it is late."""
    groups = deque(deque(group) for _, group in groupby(numbers, key=lambda number: units[number].name))
    workers = [_Worker(wish) for _ in range(min(jobs, len(groups)))]
    try:
        while sum(worker.give(groups, late) for worker in workers):
            ready = wait([worker.pipe for worker in workers if worker.current is not None], timeout=1.0)
            for place, worker in enumerate(workers):
                if worker.current is None:
                    continue
                if worker.pipe in ready:
                    answer = worker.take()
                elif time.monotonic() - worker.heard > SILENCE:
                    answer = worker.fail(f"no answer for {SILENCE:.0f} seconds")
                else:
                    continue
                yield answer[0], answer[1] or worker.failure(units[answer[0]])
                if answer[1] is None:
                    groups.appendleft(worker.waiting)
                    workers[place] = _Worker(wish)
    finally:
        for worker in workers:
            worker.process.kill()


@dataclass
class _Worker:
    wish: Wish
    current: int | None = None
    waiting: deque[int] = field(default_factory=deque)
    heard: float = 0.0
    why: str = ""

    def __post_init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would have the parent's threads, or none
        self.pipe, theirs = context.Pipe()
        self.label = context.Array("c", LABEL_BYTES, lock=False)
        self.process = context.Process(target=_work, args=(self.wish, theirs, self.label), daemon=False)
        self.process.start()
        theirs.close()

    def give(self, groups: deque[deque[int]], late: Callable[[], bool]) -> bool:
        """Gives it a unit if it has none and there are any. Whether it works on one."""
        if self.current is not None:
            return True
        if late():
            return False
        while not self.waiting and groups:
            self.waiting = groups.popleft()
        if not self.waiting:
            return False
        self.current, self.heard = self.waiting.popleft(), time.monotonic()
        self.label.value = b""
        with contextlib.suppress(OSError):  # it has died: the pipe's end says so
            self.pipe.send(self.current)
        return True

    def take(self) -> tuple[int, dict[str, Any] | None]:
        """The answer to the unit that it works on; None when the process has ended instead."""
        assert self.current is not None
        try:
            answer: dict[str, Any] = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return self.fail(f"the process ended with exit code {self.process.exitcode}")
        number, self.current = self.current, None
        return number, answer

    def fail(self, why: str) -> tuple[int, None]:
        assert self.current is not None
        self.process.kill()
        self.why = why
        return self.current, None

    def failure(self, unit: Unit) -> dict[str, Any]:
        label = self.label.value.decode(errors="replace") or unit.title()
        row = Report(unit.title()).row()
        return {
            **row,
            "failures": [{"case": label, "mode": "any", "message": self.why, "script": "# the process ended: no script"}],
        }


def _work(wish: Wish, pipe: Connection, label: Any) -> None:
    """A worker: takes numbers, gives reports, until the pipe closes."""
    import torch

    import corundum
    from corundum.check.work import all_units, check_unit

    torch.set_num_threads(2)  # enough for work to be divided, few enough for many workers
    corundum.enable()
    units = list(all_units(wish))

    def tell(text: str) -> None:
        label.value = text.encode()[: LABEL_BYTES - 1]

    while True:
        try:
            number = pipe.recv()
        except EOFError:
            return
        pipe.send(check_unit(wish, units[number], tell))
