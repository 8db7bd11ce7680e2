"""What every aten call of a function comes to: who served it, with which kernel, and why nobody before that."""

import json
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from corundum import _front, _kinds, _library
from corundum._record import table

_SHORT = {"float": "f", "bfloat": "bf", "int": "i", "uint": "u", "complex": "c"}
# What the table leaves out, but for a closing line: it computes nothing.
_QUIET = ("view", "metadata")


@dataclass(frozen=True)
class Launch:
    """One kernel that a call started."""

    kernel: str
    """The key in clear text: "pointwise/gelu f32->f32 flat"."""
    symbol: str
    """Its name in profilers."""
    grid: tuple[int, ...]
    """Blocks."""
    threads: int
    shared_bytes: int
    cluster: int
    target: str
    """The instruction set that it was compiled for."""
    state: str
    """Where this call found it: "memory", or made it from: "pack", "disk", "compiled"."""
    made_from: str
    """Where the code came from when it was made: "pack", "disk", "compiled"."""
    made_us: int
    """How long that took, in microseconds."""

    def __str__(self) -> str:
        blocks = "x".join(str(size) for size in self.grid if size != 1) or "1"
        shared = f" +{self.shared_bytes} B" if self.shared_bytes else ""
        cluster = f" cluster {self.cluster}" if self.cluster > 1 else ""
        return f"{self.kernel} <{blocks} x {self.threads}{shared}{cluster}>"


@dataclass(frozen=True)
class Candidate:
    """An implementation in the order in which it was asked."""

    name: str
    why_not: str | None
    """None for the one that served."""


@dataclass(frozen=True)
class ExplainedCall:
    """One aten call."""

    overload: str
    depth: int
    """Among the calls that led to it: 0 for what the program called."""
    inputs: list[Any]
    """In the schema's order: {"dtype", "shape", "stride", "device"} for a tensor, lists of these, numbers, text."""
    outputs: list[Any]
    us: float
    """Host time, calls within it included. A compile is in it."""
    implementation: str
    """Corundum's implementation that served, or ""."""
    reason: str
    """Why a call of an overload that Corundum covers went to ATen, or ""."""
    launches: list[Launch]

    @property
    def kind(self) -> str:
        """ "compute", "view", "metadata", "matmul", "composite"."""
        return "compute" if self.implementation or self.reason else _kinds.kind(self.overload)

    @property
    def candidates(self) -> list[Candidate]:
        """Who was asked, in order; the last one served."""
        if self.implementation:
            return [Candidate(self.implementation, None)]
        if not self.reason and _kinds.is_composite(f"aten::{self.overload}"):
            return [Candidate("its parts", None)]
        return [Candidate("corundum", self.reason or "no kernel"), Candidate("ATen", None)]

    @property
    def served_by(self) -> str:
        return self.candidates[-1].name

    @cached_property
    def signature(self) -> str:
        """The tensors and numbers of the call, short: "f32[64, 64], f32[64]"."""
        return ", ".join(text for text in map(_short, self.inputs) if text)

    def to_dict(self) -> dict[str, Any]:
        return {
            **{name: value for name, value in vars(self).items() if name not in ("launches", "signature")},
            "kind": self.kind,
            "candidates": [vars(one) for one in self.candidates],
            "launches": [vars(one) for one in self.launches],
        }


@dataclass
class Explanation:
    """What ran, in order. `print()` shows a table with equal calls in one row; `to_json()` has all of it."""

    calls: list[ExplainedCall] = field(default_factory=list)
    result: Any = None
    """What the function gave."""

    def __iter__(self) -> Iterator[ExplainedCall]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)

    def __getitem__(self, overload: str) -> list[ExplainedCall]:
        """The calls of an overload, which may be none."""
        return [call for call in self.calls if call.overload == overload]

    def to_json(self) -> str:
        return json.dumps({"calls": [call.to_dict() for call in self.calls]}, indent=2)

    def __str__(self) -> str:
        shown = [call for call in self.calls if call.kind not in _QUIET]
        if not self.calls:
            return "no aten call was made"
        groups: dict[tuple[str, ...], list[ExplainedCall]] = {}
        for call in shown:
            groups.setdefault(_row(call), []).append(call)
        rows = [("operator", "calls", "arguments", "served by", "kernel", "found in")]
        rows += [(row[0], str(len(calls)), *row[1:], _states(calls)) for row, calls in groups.items()]
        compute = [call for call in shown if call.kind == "compute"]
        served = sum(bool(call.implementation) for call in compute)
        hidden = len(self.calls) - len(shown)
        closing = f"Corundum served {served} of {len(compute)} calls that compute; {hidden} views and the like are not shown."
        return f"{table(rows, right={1})}\n{closing}"

    __repr__ = __str__


def explain(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Explanation:
    """Calls `fn(*args, **kwargs)` once, a module or a compiled function too, and tells of every aten call what became of it.

    Corundum is enabled while it works, when it is not. What a tracer (torch.compile) calls on tensors without memory is left out;
    what its generated code computes by itself is no aten call. An exception of `fn` is handed on.
    """
    with explaining() as found:
        found.result = fn(*args, **kwargs)
    return found


@contextmanager
def explaining() -> Iterator[Explanation]:
    """The same for a block; the result is filled when the block ends, also by an exception."""
    found = Explanation()
    with _front.enabled():
        token = _library._call("record_start", trace=True)["token"]
        try:
            yield found
        finally:
            found.calls = [_call_of(one) for one in _library._call("record_stop", token=token)["trace"]]


def explain_program(code: str | None, script: str | None, arguments: Sequence[str]) -> tuple[Explanation, str]:
    """The same for a program as `python -c CODE` or `python SCRIPT ARGUMENTS` runs it; and the error that it ended with, or ""."""
    before, ended = (sys.argv, sys.path[:]), ""
    sys.argv = [script or "-c", *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)) if script else "")
    try:
        with explaining() as found:
            try:
                if code is not None:
                    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
                else:
                    runpy.run_path(str(script), run_name="__main__")
            except SystemExit as stop:
                ended = "" if stop.code in (None, 0) else f"exit status {stop.code}"
            except Exception as error:
                traceback.print_exc()
                ended = f"{type(error).__name__}: {error}"
    finally:
        sys.argv, sys.path[:] = before
    return found, ended


def _call_of(call: dict[str, Any]) -> ExplainedCall:
    names = ("overload", "depth", "inputs", "outputs", "us", "implementation", "reason")
    return ExplainedCall(**{name: call[name] for name in names}, launches=[_launch_of(one) for one in call["launches"]])


def _launch_of(launch: dict[str, Any]) -> Launch:
    return Launch(
        kernel=launch["kernel"],
        symbol=launch["symbol"],
        grid=tuple(launch["grid"]),
        threads=launch["threads"],
        shared_bytes=launch["shared_bytes"],
        cluster=launch["cluster"],
        target=launch["target"],
        state=launch["state"],
        made_from=launch["from"],
        made_us=launch["made_us"],
    )


def _row(call: ExplainedCall) -> tuple[str, ...]:
    *refused, last = call.candidates
    served = last.name + "".join(f" ({one.name}: {one.why_not})" for one in refused)
    return ("  " * call.depth + call.overload, call.signature, served, "; ".join(map(str, call.launches)))


def _states(calls: Sequence[ExplainedCall]) -> str:
    """Where the kernels of equal calls were found, each way once: "compiled in 71.3 ms, memory"."""
    ways = {"pack": "pack in", "disk": "disk in", "compiled": "compiled in"}
    launches = [launch for call in calls for launch in call.launches]
    texts = [f"{ways[one.state]} {one.made_us / 1000:.1f} ms" if one.state in ways else one.state for one in launches]
    return ", ".join(dict.fromkeys(texts))


def _short(value: Any) -> str:
    """ "f32[64, 64]" of a tensor, with its strides where it is not contiguous; "" of what says nothing."""
    if isinstance(value, list):
        tensors = [one for one in value if isinstance(one, dict)]
        if len(tensors) > 3 and len(tensors) == len(value):
            return f"{len(tensors)} x {_short(tensors[0])}"
        return "[" + ", ".join(_short(one) if isinstance(one, (dict, list)) else str(one) for one in value) + "]"
    if not isinstance(value, dict):
        return "" if value is None or value is False else str(value)
    name = value["dtype"]
    letters = name.rstrip("0123456789")
    dtype = _SHORT[letters] + name[len(letters) :] if letters in _SHORT else name
    if "shape" not in value:
        return f"{dtype} {value['layout']}"
    strides = "" if _is_dense(value["shape"], value["stride"]) else f" strides {value['stride']}"
    return f"{dtype}{value['shape']}{strides}"


def _is_dense(shape: Sequence[int], stride: Sequence[int]) -> bool:
    expected = 1
    for size, step in zip(reversed(shape), reversed(stride), strict=True):
        if size != 1 and step != expected:
            return 0 in shape
        expected *= size
    return True
