"""The cases of a pack: calls, described in JSON, with tensors that have a shape and a dtype but no memory."""

import importlib
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

_CASE_KEYS = {"call", "args", "kwargs", "each"}
_TENSOR_KEYS = {"shape", "dtype", "stride", "offset", "range", "repeat"}
# Makes a tensor from its description.
Maker = Callable[[dict[str, Any]], torch.Tensor]


@dataclass(frozen=True)
class Case:
    """One call with all alternatives chosen."""

    where: str
    """For messages: file and line."""
    call: str
    args: list[Any]
    kwargs: dict[str, Any]

    def run(self) -> Any:
        """Makes the tensors on the meta device and calls. Raises ValueError when the call is not valid PyTorch."""
        try:
            function, args, kwargs = self.build(_tensor)
            with torch.no_grad():
                return function(*args, **kwargs)
        except (ValueError, TypeError, RuntimeError, IndexError, AttributeError, NotImplementedError) as error:
            first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f"{self.where}: {self.call}: {first_line}") from error

    def build(self, make: Maker) -> tuple[Any, list[Any], dict[str, Any]]:
        """The function and its arguments, with tensors that `make` makes."""
        args = [_build(value, make) for value in self.args]
        return _function(self.call), args, {name: _build(value, make) for name, value in self.kwargs.items()}


def read_cases(source: str | os.PathLike[str] | Iterable[dict[str, Any]]) -> Iterator[Case]:
    """All cases of a file of JSON lines (empty lines and lines that begin with # are skipped) or of a list, alternatives expanded.

    Raises ValueError, naming file and line, for what cannot be read.
    """
    for where, entry in _entries(source):
        if not isinstance(entry, dict):
            raise ValueError(f'{where}: expected an object such as {{"call": ..., "args": [...]}}, got {type(entry).__name__}')
        unknown = sorted(set(entry) - _CASE_KEYS)
        if unknown:
            raise ValueError(f"{where}: unknown key {unknown[0]!r}; a case has the keys {', '.join(sorted(_CASE_KEYS))}")
        calls = entry["call"] if isinstance(entry.get("call"), list) else [entry.get("call")]
        if not calls or not all(isinstance(call, str) for call in calls):
            raise ValueError(f'{where}: "call" must name a function, such as "torch.nn.functional.gelu" or "aten.add.Tensor"')
        args, kwargs = entry.get("args", []), entry.get("kwargs", {})
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ValueError(f'{where}: "args" must be a list and "kwargs" an object')
        for call, chosen in itertools.product(calls, _named_choices(where, entry.get("each", {}))):
            for variant in _alternatives(where, {"args": args, "kwargs": kwargs}, chosen):
                yield Case(where, call, variant["args"], variant["kwargs"])


def _entries(source: str | os.PathLike[str] | Iterable[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    if not isinstance(source, (str, os.PathLike)):
        yield from ((f"case {number}", entry) for number, entry in enumerate(source, 1))
        return
    path = Path(source)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"cannot read the cases in {path}: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            yield f"{path}:{number}", json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}:{number}: not valid JSON: {error.msg} at column {error.colno}") from error


def _named_choices(where: str, each: Any) -> Iterator[dict[str, Any]]:
    """The product of the alternatives under "each", which the arguments refer to as "$name"."""
    if not isinstance(each, dict) or not all(isinstance(values, list) and values for values in each.values()):
        raise ValueError(f'{where}: "each" must give a list of alternatives for each name')
    for values in itertools.product(*each.values()):
        yield dict(zip(each, values, strict=True))


def _alternatives(where: str, value: Any, chosen: dict[str, Any]) -> list[Any]:
    """Every way to pick one alternative for each dtype and shape inside `value`."""
    if isinstance(value, str) and value.startswith("$"):
        if value[1:] not in chosen:
            raise ValueError(f'{where}: "each" has no {value[1:]!r} for {value!r}')
        return [chosen[value[1:]]]
    if isinstance(value, list):
        return [list(picked) for picked in itertools.product(*(_alternatives(where, one, chosen) for one in value))]
    if not isinstance(value, dict):
        return [value]
    if "shape" in value:
        value = _tensor_fields(where, value, chosen)
    columns = [_alternatives(where, one, chosen) if not isinstance(one, _Choice) else one.options for one in value.values()]
    return [dict(zip(value, picked, strict=True)) for picked in itertools.product(*columns)]


@dataclass(frozen=True)
class _Choice:
    options: list[Any]


def _tensor_fields(where: str, tensor: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(tensor) - _TENSOR_KEYS)
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}; a tensor has the keys {', '.join(sorted(_TENSOR_KEYS))}")
    fields = dict(tensor)
    (shape,) = _alternatives(where, fields["shape"], chosen)
    (dtype,) = _alternatives(where, fields.get("dtype", "float32"), chosen)
    several = isinstance(shape, list) and bool(shape) and all(isinstance(one, list) for one in shape)
    fields["shape"] = _Choice(shape if several else [shape])
    fields["dtype"] = _Choice(dtype if isinstance(dtype, list) else [dtype])
    return fields


def _build(value: Any, make: Maker) -> Any:
    if isinstance(value, list):
        return [_build(one, make) for one in value]
    if isinstance(value, str) and value.startswith("torch."):  # a dtype or layout as an argument: "torch.float32"
        named = getattr(torch, value.removeprefix("torch."), None)
        return named if isinstance(named, (torch.dtype, torch.layout, torch.memory_format)) else value
    if not isinstance(value, dict) or "shape" not in value:
        return value
    if "repeat" in value:
        count = value["repeat"]
        if not isinstance(count, int) or count < 1:
            raise ValueError(f'"repeat" must be a number of tensors, got {count!r}')
        return [make(value) for _ in range(count)]
    return make(value)


def _tensor(described: dict[str, Any]) -> torch.Tensor:
    """Without memory."""
    dtype, shape, stride, offset, room = layout_of(described)
    return torch.empty(room, dtype=dtype, device="meta").as_strided(shape, stride, offset)


def layout_of(described: dict[str, Any]) -> tuple[torch.dtype, list[int], list[int], int, int]:
    """Dtype, shape, strides, offset and the elements of storage that they want. Raises ValueError for what is no tensor."""
    shape, dtype, stride, offset = described["shape"], described["dtype"], described.get("stride"), described.get("offset", 0)
    if not _are_sizes(shape):
        raise ValueError(f'"shape" must be a list of sizes, or a list of such lists, got {shape!r}')
    kind = getattr(torch, dtype, None) if isinstance(dtype, str) else None
    if not isinstance(kind, torch.dtype):
        raise ValueError(f'"dtype" must be a name such as "bfloat16", got {dtype!r}')
    if not isinstance(offset, int) or offset < 0:
        raise ValueError(f'"offset" must be a number of elements, got {offset!r}')
    if stride is None:
        stride = list(torch.empty(shape, dtype=kind, device="meta").stride())
    elif not _are_sizes(stride) or len(stride) != len(shape):
        raise ValueError(f'"stride" must have one number for each of the {len(shape)} dimensions, got {stride!r}')
    room = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True)) + 1 if 0 not in shape else offset
    return kind, shape, stride, offset, room


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in value)


def _function(call: str) -> Any:
    """ "torch.nn.functional.gelu", or an ATen overload: "aten.add.Tensor"."""
    head, *rest = call.split(".")
    if head not in ("torch", "aten") or not rest:
        raise ValueError('"call" must begin with "torch." or "aten."')
    found: Any = torch.ops.aten if head == "aten" else importlib.import_module("torch")
    for name in rest:
        found = getattr(found, name, None)
        if found is None:
            raise ValueError(f"torch has no {call!r}" if head == "torch" else f"ATen has no {call.removeprefix('aten.')!r}")
    if not callable(found):
        raise ValueError(f"{call!r} is not a function")
    return found
