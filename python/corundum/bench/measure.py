"""Measures one case: who served it, and device time, host time and memory beside ATen's."""

import contextlib
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

import corundum
from corundum.bench import cases
from corundum.bench.cases import Entry
from corundum.bench.timing import CudaTimer, Patience, Samples, Side, cpu_times, host_times, interval, ratio

Found = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What all cases of a run have in common."""

    device: str
    shipped: bool
    """Time what users get, whoever serves it; otherwise a case counts only if our own kernels served all of it."""
    patience: Patience
    timer: CudaTimer | None


def measure(bench: Bench, entry: Entry) -> Found:
    """The numbers of a case, or {"not_covered": why}, or {"error": what PyTorch said}."""
    try:
        function, args, kwargs = entry.case.build(functools.partial(cases.real, device=bench.device))
    except torch.OutOfMemoryError:
        return {"error": "does not fit into the memory"}

    def run() -> Any:
        return function(*args, **kwargs)

    try:
        with torch.no_grad(), corundum.record() as record:
            result = run()
        found: Found = {"served_by": served_by(record), "own": is_own(record)}
        if not found["own"] and not bench.shipped:
            return {**found, "not_covered": why_not(record)}
        found["bytes"] = cases.bytes_moved(function, args, kwargs, result)
        del result
        with torch.no_grad():
            for name in entry.measure:
                found |= _MEASURES[name](bench, run, found["bytes"]) if name in _MEASURES else {}
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        return {"error": (str(error).strip() or type(error).__name__).splitlines()[0]}
    return found


# --- who served -------------------------------------------------------------------------------------------------------------------


def _working(record: corundum.Record) -> list[corundum.Call]:
    """The calls that compute, without those that only call others."""
    idle = [call.composite and not call.served and not call.fell_back for call in record]
    return [call for call, is_idle in zip(record, idle, strict=True) if call.kind in ("compute", "matmul") and not is_idle]


def is_own(record: corundum.Record) -> bool:
    """Whether our own kernels did all of the work."""
    working = _working(record)
    return bool(working) and all(call.served_count == call.count for call in working)


def why_not(record: corundum.Record) -> str:
    """What was left to ATen, and why."""
    left = [call for call in _working(record) if call.served_count != call.count]
    whys = [f"{call.overload}: {'; '.join(call.fell_back) or 'no kernel of ours'}" for call in left]
    return ", ".join(whys) or "no call that computes was made"


def served_by(record: corundum.Record) -> dict[str, str]:
    return {call.overload: call.served_by for call in _working(record)}


# --- what is measured -------------------------------------------------------------------------------------------------------------


def _device(bench: Bench, run: Callable[[], Any], moved: int) -> Found:
    """Device time; percent of a copy of the same bytes; for products, percent of the rate of a large one."""
    source = torch.empty(max(1, moved // 2), dtype=torch.uint8, device=bench.device).fill_(7)
    target = torch.empty_like(source)
    sides = [Side(run, True), Side(run, False), Side(lambda: target.copy_(source), False)]
    samples = bench.timer.times(sides, bench.patience) if bench.timer is not None else cpu_times(sides, bench.patience)
    found = _pair("", samples)
    own_us = found["own_us"]["median"]
    found |= {"copy": ratio(samples[2], samples[0]), "copy_us": interval(samples[2]), "tb_per_s": moved / own_us / 1e6}
    if flops := _flops(run):
        found["tflop_per_s"] = flops / own_us / 1e6
        found["of_rate"] = found["tflop_per_s"] / _rate(bench)
    return found


def _host(bench: Bench, run: Callable[[], Any], _moved: int) -> Found:
    """Time until a call returns. "host" is ours over ATen's: smaller is better."""
    settle = torch.cuda.synchronize if bench.device == "cuda" else (lambda: None)
    samples = host_times([Side(run, True), Side(run, False)], bench.patience, settle)
    return {**_pair("host_", samples), "host": ratio(samples[0], samples[1])}


def _memory(bench: Bench, run: Callable[[], Any], _moved: int) -> Found:
    """Most bytes that a call had allocated at a time, results included."""
    peak = _peak_cuda if bench.device == "cuda" else _peak_cpu
    return {f"{name}_peak_bytes": peak(Side(run, own)) for name, own in (("own", True), ("aten", False))}


_MEASURES: dict[str, Callable[[Bench, Callable[[], Any], int], Found]] = {"device": _device, "host": _host, "memory": _memory}


def _pair(prefix: str, samples: Samples) -> Found:
    """Our time and ATen's."""
    key = "aten" if not prefix else f"{prefix}aten"
    return {
        f"{prefix}own_us": interval(samples[0]),
        f"{prefix}aten_us": interval(samples[1]),
        key: ratio(samples[1], samples[0]),
        "pairs": len(samples[0]),
    }


def _peak_cuda(side: Side) -> int:
    with side.mask():
        side.run()
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        side.run()
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated() - before)


def _peak_cpu(side: Side) -> int:
    """From the profiler's notes of every allocation."""
    with side.mask(), torch.autograd.profiler.profile(profile_memory=True) as profile:
        side.run()
    now = most = 0
    for event in profile.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return most


def _flops(run: Callable[[], Any]) -> int:
    """Of the matrix products of a call, by torch's own formulas."""
    from torch.utils.flop_counter import FlopCounterMode

    with contextlib.redirect_stdout(None), FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


@functools.cache
def _rate(bench: Bench) -> float:
    """TFLOP/s of a large product of bfloat16 (CPU: float32) by ATen, measured once a run."""
    size, dtype = (8192, torch.bfloat16) if bench.device == "cuda" else (2048, torch.float32)
    a, b = (torch.randn(size, size, device=bench.device).to(dtype) for _ in range(2))
    sides = [Side(lambda: torch.mm(a, b), False)] * 2
    samples = bench.timer.times(sides, bench.patience) if bench.timer is not None else cpu_times(sides, bench.patience)
    return 2 * math.prod((size, size, size)) / interval(samples[0])["median"] / 1e6
