"""`corundum check`: every overload that Corundum covers, held against ATen.

Calls come from the overloads' schemas over sizes, layouts and dtypes, and from torch's op_db (sources.py); they are made in many
ways (modes.py). What counts is what our own kernels served: served, fell back and unsupported are three numbers.
"""

import contextlib
import functools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corundum
from corundum._facts import facts
from corundum.check import results
from corundum.check.work import Unit, Wish, all_units, check_unit, left_out_modes, one_dtype_each, overloads_of
from corundum.check.workers import in_processes

__all__ = ["Files", "Wish", "check"]

Row = dict[str, Any]


@dataclass
class Files:
    """Where results go."""

    out: Path | None = None
    """A JSON line a unit."""
    resume: bool = False
    """Units that stand in `out`, of the same commit and seed, are not done again."""
    summary: Path | None = None
    """A JSON line an operator and dtype, to be committed."""


def check(
    wish: Wish,
    files: Files | None = None,
    progress: Callable[[int, int], None] | None = None,
    as_json: bool = False,
    jobs: int = 1,
    minutes: float | None = None,
) -> bool:
    """Checks, then prints failures and a table, or JSON. True when all was done, nothing failed and every overload was reached.

    With `jobs` above 1 in so many processes: one that dies or hangs is a failure of its unit. After `minutes` no unit is begun.
    """
    files, began = files or Files(), time.monotonic()
    corundum.enable()
    overloads, units = overloads_of(wish), list(all_units(wish))
    late = functools.partial(_is_late, None if minutes is None else began + 60 * minutes)
    about = {**facts(wish.device), "seed": wish.seed}
    done = results.read(files.out, about) if files.out is not None and files.resume else {}
    for mode, why in left_out_modes(wish):
        print(f"mode '{mode}' is left out: {why}", file=sys.stderr)
    rows: dict[int, Row] = {number: done[unit.title()] for number, unit in enumerate(units) if unit.title() in done}
    wanted = one_dtype_each(units, wish.seed) if wish.one_dtype else list(range(len(units)))
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(files.out.open("a" if files.resume else "w")) if files.out is not None else None
        while open_units := [number for number in wanted if number not in rows]:
            for number, row in _done(wish, units, open_units, jobs, late):
                rows[number] = {**about, **row}
                if sink is not None:
                    sink.write(json.dumps(rows[number]) + "\n")
                    sink.flush()
                if progress is not None:
                    progress(len(rows), len(wanted))
            if late():
                break
            missed = results.not_served(rows.values(), overloads)
            wanted = [number for number, unit in enumerate(units) if number in rows or unit.name in missed]
    in_order = [rows[number] for number in sorted(rows)]
    if open_units := [number for number in wanted if number not in rows]:
        print(f"{len(open_units)} of {len(wanted)} units were not begun in {minutes} minutes: --resume goes on", file=sys.stderr)
    if files.summary is not None:
        spent = {"seconds": round(time.monotonic() - began), "jobs": jobs, "units": len(wanted), "units_done": len(rows)}
        results.write_summary(files.summary, in_order, {**about, **spent}, overloads)
    return results.conclude(in_order, overloads, wish.seed, as_json) and not open_units


def _is_late(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


def _done(
    wish: Wish, units: Sequence[Unit], open_units: Sequence[int], jobs: int, late: Callable[[], bool]
) -> Iterator[tuple[int, Row]]:
    if jobs > 1:
        yield from in_processes(wish, units, open_units, jobs, late)
        return
    for number in open_units:
        if late():
            return
        yield number, check_unit(wish, units[number])
