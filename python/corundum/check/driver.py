"""Checks calls against ATen: who served them, and whether the results are the same."""

import contextlib
import random
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils import _pytree as pytree

import corundum
from corundum import _library
from corundum.check.compare import speaker_of, unlike
from corundum.check.modes import Mode, recorded_elsewhere
from corundum.check.tensors import Guarded


@dataclass(frozen=True)
class Sample:
    """A call on given tensors. `text` is Python that defines `run()`, for the script of a failure."""

    label: str
    function: Callable[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]
    text: str
    writes: bool = False
    exact: bool = False
    is_sum: bool = False
    layout: str = "contiguous"
    slack: float = 0.0

    def tensors(self) -> list[torch.Tensor]:
        return [t for t in pytree.tree_leaves((self.args, self.kwargs)) if isinstance(t, torch.Tensor)]


OUTCOMES = ["served", "fell back", "unsupported", "ATen fails", "failed"]


@dataclass
class Verdict:
    outcome: str
    """One of OUTCOMES. Served: our kernels served every call of an overload of ours. Unsupported: none of ours was called."""
    message: str = ""
    served: dict[str, int] = field(default_factory=dict)
    fell_back: dict[str, dict[str, int]] = field(default_factory=dict)
    """Overload to reason to number of calls."""


@contextlib.contextmanager
def aten() -> Iterator[None]:
    """Nothing is Corundum's within the block."""
    with corundum.use(only=[]):
        yield


@contextlib.contextmanager
def unregistered() -> Iterator[None]:
    """Nothing of Corundum's is registered within the block; afterwards all is."""
    corundum.disable()
    try:
        yield
    finally:
        corundum.enable()


@contextlib.contextmanager
def guarded() -> Iterator[list[str]]:
    """What Corundum allocates within the block lies between canaries; afterwards the list says what was written beside."""
    found: list[str] = []
    _library._call("guards", on=True)
    try:
        yield found
    finally:
        found += _library._call("guards", on=False)["damage"]


@dataclass
class _Attempt:
    result: Any = None
    error: Exception | None = None

    def told(self) -> str:
        return f"{type(self.error).__name__}: {str(self.error).splitlines()[0] if str(self.error) else ''}"


def _seed() -> None:
    """Who draws random numbers draws the same ones. torch.manual_seed costs a millisecond where CUDA has not begun."""
    torch.default_generator.manual_seed(0)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(0)


def _attempt(mode: Mode, function: Callable[..., Any], args: Any, kwargs: Any) -> _Attempt:
    _seed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = mode.run(function, args, kwargs)
            if any(t.is_cuda for t in pytree.tree_leaves(result) if isinstance(t, torch.Tensor)):
                torch.cuda.synchronize()
            return _Attempt(result)
        except Exception as error:  # whatever ATen raises, we must raise too
            return _Attempt(error=error)


def in_double(tree: Any) -> Any:
    """The same on the CPU in double precision."""

    def one(t: Any) -> Any:
        if t in (torch.float16, torch.bfloat16, torch.float32) and isinstance(t, torch.dtype):
            return torch.float64
        if not isinstance(t, torch.Tensor):
            return t
        t = t.detach().cpu()
        if t.is_complex():
            return t.to(torch.complex128)
        return t.double() if t.is_floating_point() else t.clone()

    return pytree.tree_map(one, tree)


def absolute(tree: Any) -> Any:
    """The same in double precision, each number without its sign."""
    return pytree.tree_map(lambda t: t.abs() if isinstance(t, torch.Tensor) and t.dtype is not torch.bool else t, in_double(tree))


def judge(sample: Sample, mode: Mode) -> Verdict:
    """Makes the call with ATen and with Corundum and compares."""
    with aten():
        given = Guarded()
        args, kwargs = given.copy((sample.args, sample.kwargs))
        with unregistered() if mode.untouched else contextlib.nullcontext():
            theirs = _attempt(mode, sample.function, args, kwargs)
        mine = Guarded()
        own_args, own_kwargs = mine.copy((sample.args, sample.kwargs))
    with corundum.record() as calls, recorded_elsewhere() as elsewhere, guarded() as damage:
        ours = _attempt(mode, sample.function, own_args, own_kwargs)
    verdict = Verdict("unsupported")
    for call in [*calls, *elsewhere]:
        if call.served:
            verdict.served[call.overload] = call.served_count
        if call.fell_back:
            verdict.fell_back[call.overload] = call.fell_back
    if verdict.fell_back:
        verdict.outcome = "fell back"
    elif verdict.served:
        verdict.outcome = "served"
    with aten():
        problem = _problem(sample, mode, theirs, ours, given, mine) or "; ".join(damage)
        if problem and given.stray_write([given.copies[place][0] for place in given.written()]):
            return Verdict("ATen fails", "ATen writes outside of its result")
    if problem:
        return Verdict("failed", problem, verdict.served, verdict.fell_back)
    if theirs.error is not None:
        verdict.outcome = "ATen fails"
    return verdict


def _problem(sample: Sample, mode: Mode, theirs: _Attempt, ours: _Attempt, given: Guarded, mine: Guarded) -> str | None:
    if theirs.error is not None or ours.error is not None:
        if theirs.error is None:
            return f"Corundum raises {ours.told()}"
        if ours.error is None:
            return f"ATen raises {theirs.told()}, Corundum nothing"
        return None if ours.told() == theirs.told() else f"ATen raises {theirs.told()}; Corundum {ours.told()}"
    found = unlike(ours.result, theirs.result, None, sample.exact, slack=sample.slack)
    if found and mode.values and not sample.exact:  # in double precision only where the two differ: it is another run of the mode
        twin = _attempt(mode, sample.function, *in_double((sample.args, sample.kwargs)))
        sizes = _attempt(mode, sample.function, *absolute((sample.args, sample.kwargs))).result if sample.is_sum else None
        found = unlike(ours.result, theirs.result, twin.result, sizes=sizes, slack=sample.slack) if twin.error is None else found
    if found:
        return found
    # The arguments, too: what was written must be the same, and nothing else may have changed.
    return mine.stray_write([mine.copies[place][0] for place in given.written()])


# --- units of work ----------------------------------------------------------------------------------------------------------------


# A cell is a call in a mode. Its tensors are made when its turn comes; None: this call cannot be made so.
Cell = tuple[Callable[[], Sample | None], Mode]


@dataclass
class Unit:
    """What is checked and reported together: one overload, or one operator of op_db, with one dtype on one backend."""

    name: str
    """ "add.Tensor" or "op_db add"."""
    dtype: torch.dtype
    device: str
    cells: Callable[[random.Random], Iterator[Cell]]
    """In an order that does not depend on how many of them are made."""
    concerns: Callable[[], bool] = lambda: True
    """Whether it calls what is checked; asked when its turn comes."""
    is_many: bool = False
    """Of op_db: it is no overload, and calls some."""

    def title(self) -> str:
        return f"{self.name} {str(self.dtype).removeprefix('torch.')} {self.device}"


@dataclass
class Report:
    """What became of a unit, as data."""

    unit: str
    modes: dict[str, Counter[str]] = field(default_factory=dict)
    layouts: dict[str, Counter[str]] = field(default_factory=dict)
    served: Counter[str] = field(default_factory=Counter)
    fell_back: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, sample: Sample, mode: Mode, verdict: Verdict) -> None:
        self.modes.setdefault(mode.name, Counter())[verdict.outcome] += 1
        self.layouts.setdefault(sample.layout, Counter())[verdict.outcome] += 1
        self.served.update(verdict.served)
        for overload, reasons in verdict.fell_back.items():
            self.fell_back.setdefault(overload, Counter()).update(reasons)
        if verdict.outcome == "failed":
            self.failures.append(
                {"case": sample.label, "mode": mode.name, "message": verdict.message, "script": script(sample, mode)}
            )

    def row(self) -> dict[str, Any]:
        """As JSON data."""
        nested = {
            name: {key: dict(counts) for key, counts in getattr(self, name).items()} for name in ("modes", "layouts", "fell_back")
        }
        plain = {"unit": self.unit, "served": dict(self.served), "failures": self.failures, "seconds": round(self.seconds, 3)}
        return {**plain, **nested}


ALWAYS = {"a mode or a tracer sees each operator"}
"""Reasons to fall back that need no row: the call is made in such a way."""
PATIENCE = 4
"""So many times the cells that were asked for are tried before a unit counts as one that nothing of ours serves."""


def run(
    unit: Unit, seed: int, limit: int | None, allowed: set[tuple[str, str]] | None, tell: Callable[[str], None] = lambda label: None
) -> Report:
    """Checks a unit's cells; `limit` of them, chosen by the seed, or all; more when ATen served all of those. `allowed` are the
    (speaker, reason) pairs that may fall back; None: every reason may. `tell` hears of each cell before it is made."""
    begin, report = time.monotonic(), Report(unit.title())
    cells = iter([]) if not unit.concerns() else unit.cells(random.Random(seed))
    if limit is not None:
        every = list(cells)
        random.Random(f"{seed} {unit.title()}").shuffle(every)
        cells = iter(every)
    made = 0
    for make, mode in cells:
        sample = make()
        if sample is None:
            continue
        tell(f"{sample.label}, mode {mode.name}")
        report.add(sample, mode, _judged(sample, mode, allowed))
        made += 1
        reached = unit.is_many or unit.name in report.served
        if limit is not None and made >= (limit if reached else PATIENCE * limit):
            break
    report.seconds = time.monotonic() - begin
    return report


def _judged(sample: Sample, mode: Mode, allowed: set[tuple[str, str]] | None) -> Verdict:
    try:
        verdict = judge(sample, mode)
    except Exception:  # the checker's own fault is a failure, not an end
        return Verdict("failed", "the checker itself failed:\n" + traceback.format_exc(limit=-3))
    if allowed is not None and verdict.outcome == "fell back":
        hidden = [
            f"{o}: {r}"
            for o, reasons in verdict.fell_back.items()
            for r in reasons
            if (speaker_of(o), r) not in allowed and r not in ALWAYS
        ]
        if hidden:
            verdict.outcome = "failed"
            verdict.message = "fell back for a reason that the table of what is not covered does not give: " + "; ".join(hidden)
    return verdict


def script(sample: Sample, mode: Mode) -> str:
    """A program that shows a failure by itself."""
    made = "" if mode.name == "plain" else f'\n# The mode was "{mode.name}" (python/corundum/check/modes.py).'
    return f"""import torch
import corundum
{sample.text}
corundum.enable()
torch.manual_seed(0)
with corundum.use(only=[]):
    theirs = run()
torch.manual_seed(0)
ours = run(){made}
print(ours, theirs)
torch.testing.assert_close(ours, theirs, equal_nan=True)
"""
