"""Timers and statistics: device time, host time, medians and intervals of interleaved samples.

A side is what is timed: a call, and the mask of operators that holds while it runs. The sides of a case are run in turn, so that a
clock that changes changes all of them.
"""

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

import corundum

SHORT_US = 20.0
"""Device times under this come from replayed graphs of 100 calls: an event costs a microsecond or two itself."""
GRAPH_CALLS = 100
HOST_CALLS = 100
"""Most back-to-back calls of a sample of host time; fewer than a GPU's queue takes before a launch waits."""


@dataclass(frozen=True)
class Patience:
    """How long a case may be measured: at least `pairs` samples a side, then more until the interval is narrow or time is up."""

    pairs: int = 15
    most: int = 61
    seconds: float = 0.3
    width: float = 0.02
    """Of the interval of the medians' ratio, relative: good enough to stop."""


@dataclass(frozen=True)
class Side:
    """What is timed. `own`: with Corundum's kernels; otherwise with ATen's."""

    run: Callable[[], Any]
    own: bool

    def mask(self) -> AbstractContextManager[None]:
        """Holds while the side runs."""
        return nullcontext() if self.own else corundum.use(only=[])


Samples = list[list[float]]
"""Microseconds, one list a side."""


def collect(round_of: Callable[[int], Samples], patience: Patience) -> Samples:
    """Samples from `round_of(count)`, until patience ends. The first two sides are the ones whose ratio must be sure."""
    start = time.perf_counter()
    samples = round_of(patience.pairs)
    while len(samples[0]) < patience.most and time.perf_counter() - start < patience.seconds:
        found = ratio(samples[1], samples[0])
        if found["high"] - found["low"] <= patience.width * found["median"]:
            break
        for have, more in zip(samples, round_of(patience.pairs), strict=True):
            have += more
    return samples


class CudaTimer:
    """Device time. The L2 cache is flushed by a write and then a read that leaves it clean."""

    def __init__(self) -> None:
        self._dirty = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")
        self._clean = torch.ones(64 << 20, dtype=torch.float32, device="cuda")
        self._stream = torch.cuda.Stream()
        for _ in range(2000):  # about 0.3 s: an idle GPU runs its first kernels at a low clock
            self._flush()
        torch.cuda.synchronize()

    def _flush(self) -> None:
        self._dirty.fill_(1)
        torch.amax(self._clean, 0)

    def times(self, sides: Sequence[Side], patience: Patience) -> Samples:
        """Device time of a call: one by one behind a flush, or from graphs where that is too short to be seen."""
        samples = collect(lambda pairs: self._one_by_one(sides, pairs), patience)
        if min(statistics.median(own) for own in samples) >= SHORT_US:
            return samples
        try:
            with torch.cuda.stream(self._stream):
                self._refuse_waiting(sides)  # a capture that fails would leave torch's generators in the midst of it
                graphs = [self._capture(side) for side in sides]
        except RuntimeError:  # a call that waits for the device cannot be captured: its samples hold that wait, too
            return samples
        torch.cuda.synchronize()
        return collect(lambda pairs: self._replay(graphs, pairs), patience)

    def _one_by_one(self, sides: Sequence[Side], pairs: int) -> Samples:
        for side in sides:
            with side.mask():
                side.run()
                side.run()
        torch.cuda.synchronize()
        events: list[list[tuple[torch.cuda.Event, torch.cuda.Event]]] = [[] for _ in sides]
        torch.cuda._sleep(20_000_000)  # keeps the queue ahead of the host
        for _ in range(pairs):
            for number, side in enumerate(sides):
                self._flush()
                start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                with side.mask():
                    start.record()
                    side.run()
                    stop.record()
                events[number].append((start, stop))
        torch.cuda.synchronize()
        return [[start.elapsed_time(stop) * 1e3 for start, stop in own] for own in events]

    def _refuse_waiting(self, sides: Sequence[Side]) -> None:
        """Raises RuntimeError if a call waits for the device."""
        torch.cuda.set_sync_debug_mode("error")
        try:
            for side in sides:
                with side.mask():
                    side.run()
        finally:
            torch.cuda.set_sync_debug_mode("default")

    def _capture(self, side: Side) -> torch.cuda.CUDAGraph:
        """torch.cuda.graph() would also collect garbage and empty the allocator's cache, which takes longer than the rest."""
        graph = torch.cuda.CUDAGraph()
        with side.mask():
            side.run()
            torch.cuda.synchronize()
            graph.capture_begin()
            try:
                for _ in range(GRAPH_CALLS):
                    side.run()
            finally:
                graph.capture_end()
        graph.replay()
        return graph

    def _replay(self, graphs: Sequence[torch.cuda.CUDAGraph], pairs: int) -> Samples:
        samples: Samples = [[] for _ in graphs]
        for _ in range(pairs):
            for own, graph in zip(samples, graphs, strict=True):
                start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                start.record()
                graph.replay()
                stop.record()
                torch.cuda.synchronize()
                own.append(start.elapsed_time(stop) * 1e3 / GRAPH_CALLS)
        return samples


def cpu_times(sides: Sequence[Side], patience: Patience, sample_us: float = 5_000) -> Samples:
    """Time of a call on the processor: samples of so many calls that the shortest side fills `sample_us`."""
    shortest = min(own[0] for own in _round(sides, 1, 1))
    calls = max(1, int(sample_us / max(shortest, 0.1)))
    return collect(lambda pairs: _round(sides, pairs, calls), patience)


def host_times(sides: Sequence[Side], patience: Patience, settle: Callable[[], Any]) -> Samples:
    """Time until a call returns, of back-to-back calls; `settle` waits for the device, outside of what is timed."""
    shortest = min(own[0] for own in _round(sides, 1, 1, settle))
    calls = min(HOST_CALLS, max(1, int(2_000 / shortest)))
    return collect(lambda pairs: _round(sides, pairs, calls, settle), patience)


def _round(sides: Sequence[Side], pairs: int, calls: int, settle: Callable[[], Any] = lambda: None) -> Samples:
    for side in sides:
        with side.mask():
            side.run()
    samples: Samples = [[] for _ in sides]
    for _ in range(pairs):
        for own, side in zip(samples, sides, strict=True):
            run = side.run
            with side.mask():
                settle()
                begin = time.perf_counter()
                for _ in range(calls):
                    run()
                own.append((time.perf_counter() - begin) / calls * 1e6)
                settle()
    return samples


def interval(values: Sequence[float]) -> dict[str, float]:
    """The median with its 95 % interval (bootstrap of the median, fixed seed)."""
    generator = random.Random(0)
    medians = sorted(statistics.median(generator.choices(values, k=len(values))) for _ in range(400))
    return {"median": statistics.median(values), "low": medians[10], "high": medians[389]}


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> dict[str, float]:
    """Median of the pairs' ratios theirs / ours, with its 95 % interval."""
    return interval([a / b for a, b in zip(theirs, ours, strict=True)])


def geomean(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))
