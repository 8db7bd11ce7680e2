"""`corundum bench`: our kernels beside ATen's, interleaved in one run, held to the bars of case files.

A case counts only if our own kernels did all of its work (the dispatch record says so); otherwise it is "not covered", and its bars
are not met. Times are medians of at least 15 pairs with 95 % intervals; a bar is missed when the whole interval lies below it.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

import corundum
from corundum._facts import facts
from corundum._front import enabled
from corundum.bench import cases
from corundum.bench.cases import Entry
from corundum.bench.compare import Comparison, compare, identity, read_results
from corundum.bench.first_call import first_calls, why_not_planned
from corundum.bench.measure import Bench, measure
from corundum.bench.report import Tally, line
from corundum.bench.timing import CudaTimer, Patience

__all__ = ["Comparison", "Wish", "bench", "compare", "entries", "list_cases"]

Row = dict[str, Any]


@dataclass
class Wish:
    """What is to be timed."""

    files: list[str]
    """Case files, by name or path."""
    device: str = "cpu"
    threads: list[int] = field(default_factory=lambda: [1, 2])
    """CPU: numbers of threads to time with."""
    filter: str = ""
    """Only groups or cases that contain this."""
    measures: list[str] | None = None
    """Instead of what the files say."""
    shipped: bool = False
    patience: Patience = field(default_factory=Patience)


def entries(wish: Wish) -> list[Entry]:
    """The cases of a wish."""
    found = [entry for name in wish.files for entry in cases.read(cases.find(name), wish.device)]
    return [_as_wished(wish, entry) for entry in found if wish.filter in entry.group or wish.filter in entry.title]


def _as_wished(wish: Wish, entry: Entry) -> Entry:
    """What is not measured is held to no bar."""
    measured = tuple(wish.measures) if wish.measures else entry.measure
    bars, means = ({name: bar for name, bar in one.items() if cases.BARS[name] in measured} for one in (entry.bars, entry.geomean))
    return replace(entry, measure=measured, bars=bars, geomean=means)


def list_cases(wish: Wish) -> Iterator[str]:
    """The cases as lines of a case file of `corundum pack`. One that cannot be compiled ahead is a comment that says why."""
    target = "sm_90" if wish.device == "cuda" else "avx2"
    with enabled():  # once, not for each plan
        for entry in entries(wish):
            why = why_not_planned(entry, target)
            yield json.dumps(entry.source) if why is None else f"# {entry.title}: {why}"


def bench(
    wish: Wish,
    out: Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
    as_json: bool = False,
) -> bool:
    """Measures all cases and prints a line for each, for people or as JSON. True when every bar was met.

    `out` gets a JSON line a case. With `resume`, cases that stand there, of the same commit and device, are not measured again.
    """
    corundum.enable()
    chosen = entries(wish)
    if not chosen:
        raise ValueError(f"no case of {', '.join(wish.files)} is for {wish.device} and contains {wish.filter!r}")
    common = Bench(wish.device, wish.shipped, wish.patience, CudaTimer() if wish.device == "cuda" else None)
    about = {**facts(wish.device), "clocks": clocks(wish.device), "shipped": wish.shipped}  # an awake device's
    done = _done(out, about) if out is not None and resume else {}
    settings = wish.threads if wish.device == "cpu" else [None]
    tally = Tally()
    with out.open("a" if resume else "w") if out is not None else nullcontext() as sink:

        def emit(row: Row, known: bool = False) -> None:
            print(json.dumps(row) if as_json else line(row), flush=True)
            if sink is not None and not known:
                sink.write(json.dumps(row) + "\n")
                sink.flush()

        total = len(chosen) * len(settings)
        for number, (row, known) in enumerate(_rows(common, wish, chosen, settings, about, done), 1):
            tally.add(row)
            emit(row, known)
            if progress is not None:
                progress(number, total)
        for row in tally.groups(chosen):
            emit({**about, **row})
    print(json.dumps(tally.to_dict()) if as_json else tally.summary())
    return tally.good


def _rows(
    common: Bench, wish: Wish, chosen: Sequence[Entry], settings: Sequence[int | None], about: Row, done: dict[Any, Row]
) -> Iterator[tuple[Row, bool]]:
    """Each case's row, and whether it was known."""
    first = _first(wish, chosen)
    before = torch.get_num_threads()
    try:
        for threads in settings:
            if threads is not None:
                torch.set_num_threads(threads)
            for entry in chosen:
                head = {"file": entry.file, "group": entry.group, "title": entry.title, "threads": threads}
                if old := done.get(identity(head)):
                    yield old, True
                    continue
                found = measure(common, entry)
                row = {**about, **head, **found, **first.get(entry.title, {})}
                yield {**row, "passed": verdict(entry.bars, row)}, False
    finally:
        torch.set_num_threads(before)


def _first(wish: Wish, chosen: Sequence[Entry]) -> dict[str, Row]:
    """First calls, by title: all cases in the same three children."""
    wanted = {entry.title: entry for entry in chosen if "first" in entry.measure}
    return first_calls(list(wanted.values()), wish.device) if wanted else {}


def verdict(bars: dict[str, float], found: Row) -> dict[str, bool]:
    """Which bars are met: one is missed when the whole interval lies on its wrong side. "host" is better when smaller."""

    def met(name: str, bar: float) -> bool:
        if name not in found:  # not covered, or not measured
            return False
        return found[name]["low"] <= bar if name == "host" else found[name]["high"] >= bar

    return {name: met(name, bar) for name, bar in bars.items()}


def _done(out: Path, about: Row) -> dict[tuple[Any, ...], Row]:
    if not out.is_file():
        return {}
    rows = read_results(out)
    same = ("commit", "device", "torch", "shipped")
    return {identity(row): row for row in rows if all(row[key] == about[key] for key in same)}


def clocks(device: str) -> str:
    """What the device says of its clocks now."""
    if device == "cpu":
        found = re.findall(r"cpu MHz\s*: ([\d.]+)", Path("/proc/cpuinfo").read_text())
        return f"{max(map(float, found)):.0f} MHz" if found else "unknown"
    command = ["nvidia-smi", "--query-gpu=clocks.sm,clocks.mem,clocks.max.sm,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return "unknown"
