"""Timers and statistics: device time, host time, medians and intervals of interleaved samples."""

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

Run = Callable[[], Any]
SHORT_US = 20.0
"""Device times under this come from replayed graphs of 100 calls: an event costs a microsecond or two itself."""


class CudaTimer:
    """Device time in microseconds. The L2 cache is flushed by a write and then a read that leaves it clean."""

    def __init__(self) -> None:
        self._dirty = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")
        self._clean = torch.ones(64 << 20, dtype=torch.float32, device="cuda")
        for _ in range(2000):  # about 0.3 s: an idle GPU runs its first kernels at a low clock
            self._flush()
        torch.cuda.synchronize()

    def _flush(self) -> None:
        self._dirty.fill_(1)
        self._clean.amax()  # an operator that Corundum leaves to ATen

    def once(self, runs: Sequence[Run], switch: Sequence[Callable[[], Any]], pairs: int) -> list[list[float]]:
        """Times the runs in turn, `pairs` times; switch[i] is entered around run i. One list of samples a run."""
        for run, mask in zip(runs, switch, strict=True):
            with mask():
                for _ in range(3):
                    run()
        torch.cuda.synchronize()
        events: list[list[tuple[torch.cuda.Event, torch.cuda.Event]]] = [[] for _ in runs]
        torch.cuda._sleep(100_000_000)  # keeps the queue ahead of the host
        for _ in range(pairs):
            for number, (run, mask) in enumerate(zip(runs, switch, strict=True)):
                self._flush()
                start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                with mask():
                    start.record()
                    run()
                    stop.record()
                events[number].append((start, stop))
        torch.cuda.synchronize()
        return [[start.elapsed_time(stop) * 1e3 for start, stop in own] for own in events]

    def graphs(self, runs: Sequence[Run], switch: Sequence[Callable[[], Any]], pairs: int, calls: int = 100) -> list[list[float]]:
        """The same by replaying graphs of `calls` calls each."""
        graphs = []
        for run, mask in zip(runs, switch, strict=True):
            with mask():
                run()
                torch.cuda.synchronize()
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph):
                    for _ in range(calls):
                        run()
            graphs.append(graph)
            graph.replay()
        torch.cuda.synchronize()
        samples: list[list[float]] = [[] for _ in runs]
        for _ in range(pairs):
            for own, graph in zip(samples, graphs, strict=True):
                start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                start.record()
                graph.replay()
                stop.record()
                torch.cuda.synchronize()
                own.append(start.elapsed_time(stop) * 1e3 / calls)
        return samples


def host_times(
    runs: Sequence[Run], switch: Sequence[Callable[[], Any]], pairs: int, calls: int, settle: Callable[[], Any] = lambda: None
) -> list[list[float]]:
    """Microseconds a call of `calls` back-to-back calls; `settle` runs outside the timed part, before and after."""
    for run, mask in zip(runs, switch, strict=True):
        with mask():
            for _ in range(3):
                run()
    samples: list[list[float]] = [[] for _ in runs]
    for _ in range(pairs):
        for own, run, mask in zip(samples, runs, switch, strict=True):
            with mask():
                settle()
                begin = time.perf_counter()
                for _ in range(calls):
                    run()
                own.append((time.perf_counter() - begin) / calls * 1e6)
                settle()
    return samples


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> dict[str, float]:
    """Median of the pairs' ratios theirs / ours, with its 95 % interval (bootstrap of the median, fixed seed)."""
    pairs = [a / b for a, b in zip(theirs, ours, strict=True)]
    generator = random.Random(0)
    medians = sorted(statistics.median(generator.choices(pairs, k=len(pairs))) for _ in range(1000))
    return {"median": statistics.median(pairs), "low": medians[25], "high": medians[974]}


def geomean(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))
