"""`corundum check`: every overload that Corundum covers, held against ATen.

Calls come from the overloads' schemas over sizes, layouts and dtypes, and from torch's op_db (sources.py); they are made in many
ways (modes.py). What counts is what our own kernels served: served, fell back and unsupported are three numbers.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import torch

import corundum
from corundum._facts import facts
from corundum.check import sources
from corundum.check.compare import operator_of
from corundum.check.driver import OUTCOMES, Unit, run, wanted_modes


@dataclass
class Wish:
    """What is to be checked."""

    names: list[str] | None = None
    """ATen names; None: all."""
    families: list[str] | None = None
    dtypes: list[str] | None = None
    modes: list[str] | None = None
    device: str = "cpu"
    full: bool = False
    """All sizes and every cell; otherwise `sample` cells of each unit."""
    sample: int = 12
    seed: int = 0
    op_db: bool = True
    huge: bool = False
    """More than 2^31 elements, too, where the memory allows."""
    coverage: Path | None = None
    """The table of what is not covered (docs/coverage.md): a fallback for another reason is a failure. None: no table."""


def check(
    wish: Wish,
    out: Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
    as_json: bool = False,
) -> bool:
    """Checks, then prints failures and a table, or JSON. True when nothing failed and every overload was reached.

    `out` gets a JSON line a unit; with `resume`, units that stand there, of the same commit, are not done again.
    """
    corundum.enable()
    overloads = _overloads(wish)
    units = list(_units(wish, overloads))
    about = {**facts(wish.device), "seed": wish.seed}
    done = _done(out, about) if out is not None and resume else {}
    allowed = allowed_fallbacks(wish.coverage) if wish.coverage is not None else None
    sink: TextIO | None = out.open("a" if resume else "w") if out is not None else None
    reports: list[dict[str, Any]] = []
    for number, unit in enumerate(units):
        if unit.title() in done:
            reports.append(done[unit.title()])
            continue
        report = run(unit, wish.seed, None if wish.full else wish.sample, allowed)
        row = {**about, **report.row()}
        reports.append(row)
        if sink is not None:
            sink.write(json.dumps(row) + "\n")
            sink.flush()
        if progress is not None:
            progress(number + 1, len(units))
    return conclude(reports, overloads, wish, as_json)


def _overloads(wish: Wish) -> list[str]:
    from corundum import _names

    rows = corundum.ops()
    chosen = _names.resolve(wish.names, None, rows)["only"]
    known = {row["family"] for row in rows}
    for family in wish.families or []:
        if family not in known:
            raise ValueError(f"unknown family {family!r}; there are {', '.join(sorted(known))}")
    return [
        row["overload"]
        for row in rows
        if not row["via"]
        and wish.device in row["backends"]
        and (chosen is None or row["overload"] in chosen or row["overload"] + ".default" in chosen)
        and (wish.families is None or row["family"] in wish.families)
    ]


def _units(wish: Wish, overloads: Sequence[str]) -> Iterator[Unit]:
    modes = wanted_modes(wish.modes, wish.device)
    dtypes = [getattr(torch, name) for name in wish.dtypes] if wish.dtypes else None
    yield from sources.own_units(overloads, dtypes, wish.device, modes, wish.full, wish.huge)
    if wish.op_db:
        yield from sources.op_db_units(overloads, dtypes, wish.device, modes, wish.seed)


def allowed_fallbacks(table: Path) -> set[tuple[str, str]]:
    """(operator, reason) of the rows of docs/coverage.md: a row speaks for all forms of its operator, in-place and out=, too."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")] for line in table.read_text().splitlines() if line.startswith("| `")
    ]
    return {(operator_of(row[0].strip("`")), row[-1]) for row in rows}


def _done(out: Path, about: dict[str, Any]) -> dict[str, dict[str, Any]]:
    if not out.is_file():
        return {}
    rows = [json.loads(line) for line in out.read_text().splitlines() if line.endswith("}")]
    return {row["unit"]: row for row in rows if (row["commit"], row["seed"]) == (about["commit"], about["seed"])}


def conclude(reports: Sequence[dict[str, Any]], overloads: Sequence[str], wish: Wish, as_json: bool) -> bool:
    """Prints what failed, what was not reached and how often each outcome came. True when all is well."""
    total: dict[str, Counter[str]] = {}
    served: set[str] = set()
    failures: list[dict[str, str]] = []
    for row in reports:
        served |= set(row["served"])
        for mode, counts in row["modes"].items():
            total.setdefault(mode, Counter()).update(counts)
        failures += [{"unit": row["unit"], **failure} for failure in row["failures"]]
    missed = sorted(set(overloads) - served)
    if as_json:
        answer = {"passed": not failures and not missed, "modes": total, "failures": failures, "not_reached": missed}
        print(json.dumps({**answer, "seed": wish.seed}, indent=2))
    else:
        _print(total, failures, missed, wish)
    return not failures and not missed


def _print(total: dict[str, Counter[str]], failures: list[dict[str, str]], missed: list[str], wish: Wish) -> None:
    from corundum._record import table

    for failure in failures:
        print(f"\nFAILED {failure['unit']}: {failure['case']}, mode {failure['mode']}\n  {failure['message']}")
        print("  " + failure["script"].replace("\n", "\n  "))
    everything = sum(total.values(), Counter())
    lines = [(mode, *(str(counts[o]) for o in OUTCOMES)) for mode, counts in {**total, "all": everything}.items()]
    print(table([("mode", *OUTCOMES), *lines], right=range(1, len(OUTCOMES) + 1)))
    if missed:
        print(f"{len(missed)} overloads were never served by a kernel of ours: {', '.join(missed)}", file=sys.stderr)
    passed = everything.total() - len(failures)
    print(f"{passed} passed, {len(failures)} failed, {len(missed)} overloads not reached; seed {wish.seed}")
