"""Case files: which calls are timed, how, and the bars that they are held to.

A line is {"group", "device": "cuda" | "cpu" | "any", "measure": ["device", "host", ...], "bars", "geomean", "case"}; the case is
one of `corundum pack` (docs/packs.md). Bars of a case: "aten" (ATen's time over ours, at least), "copy" (copy's time over ours, at
least), "host" (our host time over ATen's, at most). "geomean" holds bars of the whole group.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from corundum._cases import Case, layout_of, read_cases

FOLDER = Path(__file__).resolve().parent / "cases"
MEASURES = ("device", "host", "memory", "first")
# What must be measured to hold a case to a bar.
BARS = {"aten": "device", "copy": "device", "host": "host"}
_KEYS = {"group", "device", "measure", "bars", "geomean", "case"}


@dataclass(frozen=True)
class Entry:
    """One case, its alternatives chosen."""

    file: str
    """The case file's name, without its ending."""
    group: str
    measure: tuple[str, ...]
    bars: dict[str, float]
    geomean: dict[str, float]
    """Bars of the group's geometric means."""
    case: Case
    source: dict[str, Any] = field(repr=False)
    """The case as `corundum pack` takes it, alternatives chosen."""

    @property
    def title(self) -> str:
        """Says the case: no two of a group have the same."""
        args = [_text(value) for value in self.case.args] + [f"{name}={_text(value)}" for name, value in self.case.kwargs.items()]
        return f"{self.case.call.removeprefix('torch.')}({', '.join(args)})"


def names() -> list[str]:
    """Of the case files that come with Corundum."""
    return sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def find(name: str) -> Path:
    """A case file by its name or path."""
    path = Path(name) if name.endswith(".jsonl") else FOLDER / f"{name}.jsonl"
    if not path.is_file():
        raise ValueError(f"there is no case file {name!r}; those that come with Corundum are {', '.join(names())}")
    return path


def read(path: Path, device: str) -> Iterator[Entry]:
    """The entries of a file that are for the device. Raises ValueError, naming file and line, for what cannot be read."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}:{number}"
        entry = _parsed(where, line)
        if entry["device"] not in (device, "any"):
            continue
        for case in read_cases([entry["case"]]):
            source = {"call": case.call, "args": case.args, "kwargs": case.kwargs}
            chosen = Case(where, case.call, case.args, case.kwargs)
            bars, means = entry.get("bars", {}), entry.get("geomean", {})
            yield Entry(path.stem, entry["group"], tuple(entry["measure"]), bars, means, chosen, source)


def _parsed(where: str, line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: not valid JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(entry, dict) or not {"group", "device", "measure", "case"} <= set(entry) <= _KEYS:
        raise ValueError(f"{where}: a line has the keys {', '.join(sorted(_KEYS))}; bars and geomean may be left out")
    if entry["device"] not in ("cuda", "cpu", "any"):
        raise ValueError(f'{where}: "device" must be cuda, cpu or any, got {entry["device"]!r}')
    if not isinstance(entry["measure"], list) or not set(entry["measure"]) <= set(MEASURES):
        raise ValueError(f'{where}: "measure" must be a list of {", ".join(MEASURES)}, got {entry["measure"]!r}')
    for key in ("bars", "geomean"):
        if unknown := sorted(set(entry.get(key, {})) - set(BARS)):
            raise ValueError(f"{where}: there is no bar {unknown[0]!r}; bars are {', '.join(BARS)}")
    return entry


def real(described: dict[str, Any], device: str) -> torch.Tensor:
    """Random numbers of a description, on the device: normal ones, or within its "range"; integers divide: from 1 on."""
    dtype, shape, stride, offset, room = layout_of(described)
    low, high = described.get("range", (None, None))
    if dtype is torch.bool:
        flat = torch.randint(0, 2, (room,), device=device, dtype=torch.uint8).to(dtype)
    elif not (dtype.is_floating_point or dtype.is_complex):
        flat = torch.randint(low if low is not None else 1, high or 100, (room,), device=device).to(dtype)
    elif dtype.is_floating_point and low is not None:
        flat = torch.empty(room, device=device).uniform_(low, high).to(dtype)
    else:
        flat = torch.randn(room, device=device, dtype=torch.complex64 if dtype.is_complex else torch.float32).to(dtype)
    return flat.as_strided(shape, stride, offset)


# --- how many bytes a call has to move --------------------------------------------------------------------------------------------

# Read no more of their first tensor than they give.
_GATHERS = ("embedding", "index_select", "gather", "take", "index")
# Their first tensor is written and not read.
_FILLS = ("fill_", "zero_", "copy_", "uniform_", "normal_", "bernoulli_", "random_", "exponential_")


def bytes_moved(function: Any, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> int:
    """Bytes that must be read and written, each distinct element of an input once: what a perfect kernel would move."""
    name = getattr(function, "_schema", function)
    name = getattr(name, "name", getattr(name, "__name__", "")).removeprefix("aten::")
    inputs = tensors([*args, *(value for key, value in kwargs.items() if key != "out")])
    written = sum(_bytes(t) for t in tensors(result) or _written(function, args))
    if name in _GATHERS:
        return 2 * written + sum(_bytes(t) for t in inputs if t.dtype in (torch.int64, torch.int32))
    if name in _FILLS:
        inputs = inputs[1:]
    return written + sum(_bytes(t) for t in inputs)


def _written(function: Any, args: Sequence[Any]) -> list[torch.Tensor]:
    """What an ATen overload that returns nothing (foreach) writes."""
    if not hasattr(function, "_schema"):
        return []
    into = [argument.alias_info is not None and argument.alias_info.is_write for argument in function._schema.arguments]
    return [t for value, writes in zip(args, into, strict=False) if writes for t in tensors(value)]


def tensors(value: Any) -> list[torch.Tensor]:
    """All tensors of nested lists."""
    if isinstance(value, torch.Tensor):
        return [value]
    return [found for one in value for found in tensors(one)] if isinstance(value, (list, tuple)) else []


def _bytes(t: torch.Tensor) -> int:
    count = 1
    for size, step in zip(t.shape, t.stride(), strict=True):
        count *= size if step else 1
    return count * t.element_size()


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_text(one) for one in value) + "]"
    if not isinstance(value, dict) or "shape" not in value:
        return str(value)
    where = "".join(f" {key} {value[key]}" for key in ("stride", "offset") if key in value)
    several = f"{value['repeat']} x " if "repeat" in value else ""
    return f"{several}{value['dtype']}{value['shape']}{where}"
