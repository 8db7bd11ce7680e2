"""What is to be checked, as data that another process understands, and the units that it comes to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

import corundum
from corundum import _names
from corundum.check import sources
from corundum.check.compare import speaker_of
from corundum.check.driver import Unit, run
from corundum.check.modes import MODES, Mode


@dataclass(frozen=True)
class Wish:
    """What is to be checked."""

    names: tuple[str, ...] | None = None
    """ATen names; None: all."""
    families: tuple[str, ...] | None = None
    dtypes: tuple[str, ...] | None = None
    modes: tuple[str, ...] | None = None
    device: str = "cpu"
    breadth: sources.Breadth = "sample"
    """In "sample", `sample` cells of each unit."""
    sample: int = 12
    one_dtype: bool = False
    """Of each overload one dtype, another with each seed; all dtypes where no kernel of ours served that one."""
    seed: int = 0
    op_db: bool = True
    huge: bool = False
    """More than 2^31 elements, too, where the memory allows."""
    coverage: Path | None = None
    """The table of what is not covered (docs/coverage.md): a fallback for another reason is a failure. None: no table."""


def overloads_of(wish: Wish) -> list[str]:
    """The overloads that are to be checked. Raises ValueError for unknown names and families."""
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
        and torch._C._dispatch_has_computed_kernel_for_dispatch_key("aten::" + row["overload"], wish.device.upper())
        and (chosen is None or row["overload"] in chosen or row["overload"] + ".default" in chosen)
        and (wish.families is None or row["family"] in wish.families)
    ]


def all_units(wish: Wish) -> Iterator[Unit]:
    """In the same order in every process."""
    overloads, modes = overloads_of(wish), wanted_modes(wish)
    dtypes = [getattr(torch, name) for name in wish.dtypes] if wish.dtypes else None
    units = sources.own_units(overloads, dtypes, wish.device, modes, wish.breadth, wish.huge)
    yield from units
    if wish.op_db:
        yield from sources.op_db_units(overloads, dtypes, wish.device, modes, wish.breadth, wish.seed)


def one_dtype_each(units: Sequence[Unit], seed: int) -> list[int]:
    """Of the units of each name the number of one; `seed` takes turns with them."""
    groups = [list(group) for _, group in groupby(range(len(units)), key=lambda number: units[number].name)]
    return [group[(place + seed) % len(group)] for place, group in enumerate(groups)]


def check_unit(wish: Wish, unit: Unit, tell: Callable[[str], None] = lambda label: None) -> dict[str, Any]:
    """The unit's report as JSON data. `tell` hears of each call before it is made."""
    limit = wish.sample if wish.breadth == "sample" else None
    return run(unit, wish.seed, limit, allowed_fallbacks(wish.coverage) if wish.coverage else None, tell).row()


@cache
def allowed_fallbacks(table: Path) -> set[tuple[str, str]]:
    """(speaker, reason) of the rows of docs/coverage.md."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")] for line in table.read_text().splitlines() if line.startswith("| `")
    ]
    return {(speaker_of(row[0].strip("`")), row[-1]) for row in rows}


def wanted_modes(wish: Wish) -> list[Mode]:
    """The modes that were asked for (all of them: None) and mean something on the device."""
    unknown = [name for name in wish.modes or [] if name not in MODES]
    if unknown:
        raise ValueError(f"unknown mode {unknown[0]!r}; there are {', '.join(MODES)}")
    without = dict(left_out_modes(wish))
    return [mode for mode in _of_backend(wish) if mode.name not in without]


def left_out_modes(wish: Wish) -> list[tuple[str, str]]:
    """Modes that this machine cannot try, with the reason."""
    alone = wish.device == "cuda" and torch.cuda.device_count() < 2
    return [(mode.name, "this machine has one GPU") for mode in _of_backend(wish) if mode.name == "second device" and alone]


def _of_backend(wish: Wish) -> list[Mode]:
    chosen = [MODES[name] for name in wish.modes] if wish.modes else list(MODES.values())
    return [mode for mode in chosen if mode.backend in (None, wish.device)]
