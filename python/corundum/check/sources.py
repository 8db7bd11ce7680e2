"""Where checked calls come from: the schemas of our overloads over sizes and layouts, and torch's own op_db."""

import contextlib
import os
import random
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch

import corundum
from corundum.check.calls import Call, calls, tensor
from corundum.check.compare import is_exact
from corundum.check.driver import Sample, Unit, aten
from corundum.check.modes import Mode
from corundum.check.tensors import STRIDED_SOURCE, Recipe, Shape, dense, layouts, shapes

# What a mode other than "plain" is tried on: one tensor of some layouts.
MODE_SHAPE: Shape = (4, 6)
MODE_LAYOUTS = ["contiguous", "transposed", "misaligned"]


def own_units(
    overloads: Sequence[str],
    dtypes: Sequence[torch.dtype] | None,
    device: str,
    modes: Sequence[Mode],
    full: bool,
    huge: bool,
) -> Iterator[Unit]:
    """One unit an overload and dtype that it says it covers; composites are covered through their parts."""
    for row in corundum.ops():
        if row["overload"] not in overloads or row["via"]:
            continue
        for name in row["dtypes"]:
            dtype = getattr(torch, name)
            if dtypes is None or dtype in dtypes:
                yield Unit(row["overload"], dtype, device, _own(row["overload"], dtype, device, modes, full, huge))


def _own(overload: str, dtype: torch.dtype, device: str, modes: Sequence[Mode], full: bool, huge: bool) -> Any:
    def samples(order: random.Random) -> Iterator[tuple[Sample, Mode]]:
        seed = order.randrange(1 << 20)
        for call in calls(overload):
            for shape in shapes(full):
                for name, stride, offset in layouts(shape):
                    sample = _sample(call, shape, name, stride, offset, dtype, device, seed)
                    if sample is not None:
                        yield from ((sample, mode) for mode in modes if mode.name == "plain")
            yield from _views(call, dtype, device, modes, seed)
            if huge and dtype.itemsize == 1:
                yield from _huge(call, dtype, device, modes, seed)
            for name, stride, offset in layouts(MODE_SHAPE):
                if name not in MODE_LAYOUTS:
                    continue
                sample = _sample(call, MODE_SHAPE, name, stride, offset, dtype, device, seed)
                if sample is None:
                    continue
                tensors = sample.tensors()
                yield from (
                    (sample, m) for m in modes if m.name != "plain" and m.wants(tensors, call.writes or bool(call.functional))
                )

    return samples


def _views(call: Call, dtype: torch.dtype, device: str, modes: Sequence[Mode], seed: int) -> Iterator[tuple[Sample, Mode]]:
    """Conjugate and negative bits."""
    for view in ["conj", "neg"] if dtype.is_complex else ["neg"] if dtype.is_floating_point else []:
        sample = _sample(call, MODE_SHAPE, "contiguous", dense(MODE_SHAPE), 0, dtype, device, seed, view)
        if sample is not None:
            yield from ((sample, mode) for mode in modes if mode.name == "plain")


def _huge(call: Call, dtype: torch.dtype, device: str, modes: Sequence[Mode], seed: int) -> Iterator[tuple[Sample, Mode]]:
    """More elements than 32 bits count, of one byte each, where the memory is there for all copies."""
    for shape in [((1 << 31) + 17,), (3, (1 << 30) + 5)]:
        wanted = 16 * (len(call.tensors) + 1) * (1 << 31)
        if free_memory(device) < wanted:
            print(f"{call.text} on {shape}: wants {wanted >> 30} GB of memory, not made")
            continue
        sample = _sample(call, shape, "huge", dense(shape), 0, dtype, device, seed)
        if sample is not None:
            yield from ((sample, mode) for mode in modes if mode.name == "plain")


def free_memory(device: str) -> int:
    """Bytes."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _sample(
    call: Call,
    shape: Shape,
    layout: str,
    stride: Shape,
    offset: int,
    dtype: torch.dtype,
    device: str,
    seed: int,
    view: str = "",
) -> Sample | None:
    """None where the call cannot be made of such a tensor."""
    if call.writes and layout == "expanded" and 0 not in shape:
        return None  # its elements share memory: an error that tests/torch/test_errors.py looks at
    if "{shape}[-1]" in call.text and not shape:
        return None
    recipes = {name: tensor(call, name, shape, stride, offset, dtype, device, seed, view) for name in call.tensors}
    if "index" in recipes and (len(shape) != 2 or shape[0] == 0):
        return None  # an embedding's table
    text = call.text.replace("{shape}", str(tuple(shape)))
    names = list(recipes)
    made: list[Any] = [recipe.make(device) for recipe in recipes.values()]
    lines = [f"{name} = {recipe.text(device)}" for name, recipe in recipes.items()]
    if call.functional is not None:
        functional = call.functional.replace("{shape}", str(tuple(shape)))
        out = _output(functional, dict(zip(names, made, strict=True)), layout)
        if out is None:
            return None
        names, made = [*names, "out"], [*made, out]
        lines.append(f"out = {functional}")
    function = eval(f"lambda {', '.join(names)}: {text}", {"torch": torch})
    body = "\n".join([STRIDED_SOURCE, *lines, "", "def run():", f"    return {text}"])
    where = f"{text} on {shape} {str(dtype).removeprefix('torch.')} {layout}{' ' + view if view else ''}, seed {seed}"
    return Sample(where, function, made, {}, body, call.writes, is_exact(call.overload), layout)


def _output(functional: str, tensors: dict[str, torch.Tensor], layout: str) -> Any:
    """An output of the right shape and dtype, with other numbers in it; strided when x is."""
    with aten(), contextlib.suppress(Exception):  # what the functional form refuses, the out= form need not be asked
        like = eval(functional, {"torch": torch, **tensors})

        def one(t: torch.Tensor) -> torch.Tensor:
            recipe = Recipe(tuple(t.shape), tuple(t.stride()), 0, t.dtype, 77)
            if layout == "sliced" and t.dim():
                wide = (*t.shape[:-1], t.shape[-1] * 2)
                recipe = Recipe(tuple(t.shape), (*dense(wide)[:-1], 2), 0, t.dtype, 77)
            return recipe.make(str(t.device))

        return one(like) if isinstance(like, torch.Tensor) else tuple(one(t) for t in like)
    return None


# --- op_db ------------------------------------------------------------------------------------------------------------------------


def op_db_units(
    overloads: Sequence[str], dtypes: Sequence[torch.dtype] | None, device: str, modes: Sequence[Mode], seed: int
) -> Iterator[Unit]:
    """One unit an operator of op_db that calls an overload of ours, and dtype."""
    for op in _op_db():
        if not _reaches(op, set(overloads), device, seed):
            continue
        for dtype in sorted(op.supported_dtypes(device), key=str):
            if dtypes is None or dtype in dtypes:
                yield Unit(f"op_db {op.full_name}", dtype, device, _of_op_db(op, dtype, device, modes, seed))


def _op_db() -> list[Any]:
    try:
        from torch.testing._internal.common_methods_invocations import op_db
    except ImportError as error:
        raise RuntimeError(
            f"torch's op_db needs a package that is not here ({error}): pip install expecttest numpy pytest"
        ) from error
    return list(op_db)


def _reaches(op: Any, overloads: set[str], device: str, seed: int) -> bool:
    """Whether a first sample calls one of the overloads."""
    dtype = next((d for d in (torch.float32, torch.int64, torch.bool) if d in op.supported_dtypes(device)), None)
    if dtype is None:
        return False
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with aten():
                sample = next(iter(op.sample_inputs(device, dtype)))
        except Exception as error:
            print(f"op_db {op.full_name}: torch makes no samples here: {type(error).__name__}: {error}", file=sys.stderr)
            return False
        with corundum.record() as calls_made:
            try:
                op(sample.input, *sample.args, **sample.kwargs)
            except Exception:  # whose error it is, the check says
                return True
    return any(call.overload in overloads for call in calls_made)


def _of_op_db(op: Any, dtype: torch.dtype, device: str, modes: Sequence[Mode], seed: int) -> Any:
    def samples(order: random.Random) -> Iterator[tuple[Sample, Mode]]:
        torch.manual_seed(seed)
        with aten(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inputs = list(op.sample_inputs(device, dtype))
            if dtype is torch.float32 and op.error_inputs_func is not None:  # their dtypes are their own
                inputs += [wrong.sample_input for wrong in op.error_inputs(device)]
        forms = [("", op.op, False)]
        if op.inplace_variant is not None:
            forms.append(("in-place ", op.inplace_variant, True))
        for number, sample in enumerate(inputs):
            for form, function, writes in forms:
                text = _op_db_text(op, dtype, device, seed, number, writes)
                exact = is_exact(op.aten_name)
                made = Sample(
                    f"{form}{op.full_name} {str(dtype).removeprefix('torch.')}, sample {number}, seed {seed}",
                    function,
                    [sample.input, *sample.args],
                    dict(sample.kwargs),
                    text,
                    writes,
                    exact,
                    "op_db",
                )
                tensors = made.tensors()
                yield from ((made, m) for m in modes if m.name == "plain" or (number < 2 and m.wants(tensors, writes)))

    return samples


def _op_db_text(op: Any, dtype: torch.dtype, device: str, seed: int, number: int, writes: bool) -> str:
    function = "op.inplace_variant" if writes else "op"
    return f"""from torch.testing._internal.common_methods_invocations import op_db
op = next(one for one in op_db if one.full_name == {op.full_name!r})

def run():
    torch.manual_seed({seed})
    s = [*op.sample_inputs({device!r}, {dtype}), *(e.sample_input for e in op.error_inputs({device!r}))][{number}]
    return {function}(s.input, *s.args, **s.kwargs)"""
