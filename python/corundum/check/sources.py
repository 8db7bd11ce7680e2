"""Where checked calls come from: the schemas of our overloads over sizes and layouts, and torch's own op_db."""

import contextlib
import functools
import itertools
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch

import corundum
from corundum.check.calls import ATEN_IS_WRONG, PLACES, PLACES_SOURCE, Call, at_places, calls, draws, tensor
from corundum.check.compare import ATEN_IS_OFF, is_exact, is_sum, operator_of
from corundum.check.driver import Cell, Sample, Unit, aten
from corundum.check.modes import Mode
from corundum.check.tensors import LAYOUTS, STRIDED_SOURCE, Recipe, Shape, dense, layouts, shapes

# What a mode other than "plain" is tried on: one tensor of some layouts.
MODE_SHAPE: Shape = (4, 6)
MODE_LAYOUTS = ["contiguous", "transposed", "misaligned"]
# How much is made of a call: "sample" of few sizes, "full" of every size once and every layout at some, "product" of every pair.
# "thin" is what full makes of dtypes other than LEAD's: every size of a sample in some layout.
Breadth = Literal["sample", "thin", "full", "product"]
LEAD = (torch.float32, torch.int64)
# Dtypes that a second operand has beside x's own, for promotion.
MIXED = [torch.int32, torch.float16, torch.float64]
SHAPES_A_LAYOUT, SHAPES_A_VARIANT = 4, {"thin": 2, "full": 6}
OP_DB_SAMPLES = {"thin": 4, "full": 16}


def of_dtype(breadth: Breadth, dtype: torch.dtype) -> Breadth:
    return "thin" if breadth == "full" and dtype not in LEAD else breadth


def own_units(
    overloads: Sequence[str],
    dtypes: Sequence[torch.dtype] | None,
    device: str,
    modes: Sequence[Mode],
    breadth: Breadth,
    huge: bool,
) -> Iterator[Unit]:
    """One unit an overload and dtype that it says it covers; composites are covered through their parts."""
    for row in corundum.ops():
        if row["overload"] not in overloads or row["via"]:
            continue
        # Slow modes see one dtype: what they do does not depend on it.
        lead = "float32" if "float32" in row["dtypes"] else next(iter(row["dtypes"]), None)
        for name in row["dtypes"]:
            dtype = getattr(torch, name)
            if dtype in ATEN_IS_WRONG.get((operator_of(row["overload"]), device), ()):
                continue
            if dtypes is None or dtype in dtypes:
                tried = [mode for mode in modes if breadth != "full" or name == lead or not mode.slow]
                tried = [mode for mode in tried if not (mode.repeats and draws(row["overload"]))]
                cells = _own(row["overload"], dtype, device, tried, of_dtype(breadth, dtype), huge)
                yield Unit(row["overload"], dtype, device, cells)


def _own(
    overload: str, dtype: torch.dtype, device: str, modes: Sequence[Mode], breadth: Breadth, huge: bool
) -> Callable[[random.Random], Iterator[Cell]]:
    def cells(order: random.Random) -> Iterator[Cell]:
        seed = order.randrange(1 << 20)
        plain, others = [m for m in modes if m.name == "plain"], [m for m in modes if m.name != "plain"]
        for number, call in enumerate(calls(overload)):

            def of(
                shape: Shape,
                layout: str,
                stride: Shape,
                offset: int,
                view: str = "",
                call: Call = call,
                second: torch.dtype = dtype,
            ) -> Callable[[], Any]:
                return functools.cache(lambda: _sample(call, shape, layout, stride, offset, dtype, device, seed, view, second))

            for mode in plain:
                yield from ((of(*chosen), mode) for chosen in _grid(breadth, number == 0, order))
                for view in ["conj", "neg"] if dtype.is_complex else ["neg"] if dtype.is_floating_point else []:
                    yield of(MODE_SHAPE, "contiguous", dense(MODE_SHAPE), 0, view), mode
                if "y" in call.tensors:
                    for other in MIXED:
                        if other is not dtype:
                            yield of(MODE_SHAPE, "contiguous", dense(MODE_SHAPE), 0, "", call, other), mode
                if huge and dtype.itemsize == 1:
                    yield from ((make, mode) for make in _huge(call, dtype, device, seed))
            for make, mode in _in_modes(of, others, breadth, number == 0, order):
                yield functools.partial(_wanted, make, mode, call), mode

    return cells


def _grid(breadth: Breadth, usual: bool, order: random.Random) -> Iterator[tuple[Shape, str, Shape, int]]:
    """(shape, layout, strides, offset) of what a call is made on; `usual`: its arguments have their usual values."""
    every = [(shape, *layout) for shape in shapes(breadth in ("full", "product")) for layout in layouts(shape)]
    if breadth in ("sample", "product"):
        yield from every
        return
    if breadth == "thin" and usual:
        yield from (order.choice(list(same)) for _, same in itertools.groupby(every, key=lambda one: one[0]))
        return
    if usual:
        yield from (one for one in every if one[1] == "contiguous")
    by_layout = {name: [one for one in every if one[1] == name] for name in LAYOUTS}
    for name, those in by_layout.items():
        if usual and name != "contiguous":
            yield from order.sample(those, min(SHAPES_A_LAYOUT, len(those)))
    if not usual:
        yield from order.sample(every, SHAPES_A_VARIANT[breadth])


def _in_modes(
    of: Callable[..., Callable[[], Any]], modes: Sequence[Mode], breadth: Breadth, usual: bool, order: random.Random
) -> Iterator[tuple[Callable[[], Any], Mode]]:
    """In full: every mode on a contiguous tensor, one other layout and unusual arguments in the quick ones."""
    found = [one for one in layouts(MODE_SHAPE) if one[0] in MODE_LAYOUTS]
    whole = breadth in ("sample", "product")
    if not whole:
        found = found[:1] + ([order.choice(found[1:])] if usual and breadth == "full" else [])
    for name, stride, offset in found:
        make = of(MODE_SHAPE, name, stride, offset)
        first = usual and name == found[0][0]
        if whole or (first and breadth == "full"):
            yield from ((make, mode) for mode in modes)
        else:  # gradients depend on layout and arguments; of the rest one in turn
            quick = [mode for mode in modes if not mode.slow]
            turn = order.choice(quick) if quick else None
            yield from ((make, mode) for mode in quick if mode.name == "backward" or mode is turn)


def _wanted(make: Callable[[], Sample | None], mode: Mode, call: Call) -> Sample | None:
    sample = make()
    wanted = sample is not None and mode.wants(sample.tensors(), call.writes or bool(call.functional))
    return sample if wanted else None


def _huge(call: Call, dtype: torch.dtype, device: str, seed: int) -> Iterator[Callable[[], Sample | None]]:
    """More elements than 32 bits count, of one byte each, where the memory is there for all copies."""
    for shape in [((1 << 31) + 17,), (3, (1 << 30) + 5)]:
        wanted = 16 * (len(call.tensors) + 1) * (1 << 31)

        def make(shape: Shape = shape, wanted: int = wanted) -> Sample | None:
            if free_memory(device) < wanted:
                print(f"{call.text} on {shape}: wants {wanted >> 30} GB of memory, not made", file=sys.stderr)
                return None
            return _sample(call, shape, "huge", dense(shape), 0, dtype, device, seed)

        yield make


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
    second: torch.dtype | None = None,
) -> Sample | None:
    """None where the call cannot be made of such a tensor. `second`: the dtype of y, where it is not x's."""
    if call.writes and layout == "expanded" and 0 not in shape:
        return None  # its elements share memory: an error that tests/torch/test_errors.py looks at
    if "{shape}[-1]" in call.text and not shape:
        return None
    recipes = {name: tensor(call, name, shape, stride, offset, dtype, device, seed, view) for name in call.tensors}
    if second is not None and second is not dtype:
        recipes["y"] = replace(recipes["y"], dtype=second, kind="divisor")
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
    made_of = [STRIDED_SOURCE]
    if operator_of(call.overload) in PLACES:
        text, made_of = "at_places(" + text.replace("(", ", ", 1), [STRIDED_SOURCE, PLACES_SOURCE]
    function = eval(f"lambda {', '.join(names)}: {text}", {"torch": torch, "at_places": at_places})
    body = "\n".join([*made_of, *lines, "", "def run():", f"    return {text}"])
    where = f"{text} on {shape} {str(dtype).removeprefix('torch.')} {layout}{' ' + view if view else ''}, seed {seed}"
    if second is not None and second is not dtype:
        where += f", y {str(second).removeprefix('torch.')}"
    slack = ATEN_IS_OFF.get(operator_of(call.overload), 0.0)
    return Sample(where, function, made, {}, body, call.writes, is_exact(call.overload), is_sum(call.overload), layout, slack)


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


# Overloads that nearly every operator of op_db calls on its way.
COMMON = {"_to_copy", "clone", "copy_", "fill_.Scalar", "zero_"}


def op_db_units(
    overloads: Sequence[str],
    dtypes: Sequence[torch.dtype] | None,
    device: str,
    modes: Sequence[Mode],
    breadth: Breadth,
    seed: int,
) -> Iterator[Unit]:
    """One unit an operator of op_db and dtype. Whether it calls an overload of ours is found when its turn comes."""
    wanted = set(overloads)
    for op in _op_db():
        reached = functools.cache(functools.partial(_reached, op, device, seed))
        for dtype in sorted(op.supported_dtypes(device), key=str):
            if dtypes is None or dtype in dtypes:
                concerns = functools.partial(_concerns, reached, wanted, dtype)
                cells = _of_op_db(op, dtype, device, modes, of_dtype(breadth, dtype), seed, reached)
                yield Unit(f"op_db {op.full_name}", dtype, device, cells, concerns, is_many=True)


def _concerns(reached: Callable[[], set[str] | None], wanted: set[str], dtype: torch.dtype) -> bool:
    """Who only fills and copies does so whatever the dtype: two of them say enough."""
    called = reached()
    if called is None:
        return True
    found = called & wanted
    return bool(found - COMMON) or (bool(found) and (wanted <= COMMON or dtype in (torch.float32, torch.int64)))


def _op_db() -> list[Any]:
    try:
        from torch.testing._internal.common_methods_invocations import op_db
    except ImportError as error:
        raise RuntimeError(
            f"torch's op_db needs a package that is not here ({error}): pip install expecttest numpy pytest"
        ) from error
    return list(op_db)


def _reached(op: Any, device: str, seed: int) -> set[str] | None:
    """The overloads that a first sample calls; None when that raises: whose error it is, the check says."""
    dtype = next((d for d in (torch.float32, torch.int64, torch.bool) if d in op.supported_dtypes(device)), None)
    if dtype is None:
        return set()
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with aten():
                sample = next(iter(op.sample_inputs(device, dtype)))
        except Exception as error:
            print(f"op_db {op.full_name}: torch makes no samples here: {type(error).__name__}: {error}", file=sys.stderr)
            return set()
        with corundum.record() as calls_made:
            try:
                op(sample.input, *sample.args, **sample.kwargs)
            except Exception:
                return None
    return {call.overload for call in calls_made}


def _of_op_db(
    op: Any,
    dtype: torch.dtype,
    device: str,
    modes: Sequence[Mode],
    breadth: Breadth,
    seed: int,
    reached: Callable[[], set[str] | None],
) -> Callable[[random.Random], Iterator[Cell]]:
    def cells(order: random.Random) -> Iterator[Cell]:
        random_numbers = any(draws(overload) for overload in reached() or ())
        tried = [mode for mode in modes if not (mode.repeats and random_numbers)]
        torch.manual_seed(seed)
        with aten(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inputs = list(enumerate(op.sample_inputs(device, dtype)))
            if dtype is torch.float32 and op.error_inputs_func is not None:  # their dtypes are their own
                inputs += enumerate((wrong.sample_input for wrong in op.error_inputs(device)), len(inputs))
        if breadth in OP_DB_SAMPLES:
            inputs = sorted(order.sample(inputs, min(OP_DB_SAMPLES[breadth], len(inputs))), key=lambda one: one[0])
        forms = [("", op.op, False)] + ([("in-place ", op.inplace_variant, True)] if op.inplace_variant is not None else [])
        for place, (number, sample) in enumerate(inputs):
            for form, function, writes in forms:
                made = Sample(
                    f"{form}{op.full_name} {str(dtype).removeprefix('torch.')}, sample {number}, seed {seed}",
                    function,
                    [sample.input, *sample.args],
                    dict(sample.kwargs),
                    _op_db_text(op, dtype, device, seed, number, writes),
                    writes,
                    is_exact(op.aten_name),
                    is_sum(op.aten_name),
                    "op_db",
                    ATEN_IS_OFF.get(op.aten_name, 0.0),
                )
                for mode in tried:
                    if mode.name == "plain" or _is_tried(mode, made, place, dtype, breadth):
                        yield functools.partial(_same, made), mode

    return cells


def _same(made: Sample) -> Sample:
    return made


def _is_tried(mode: Mode, made: Sample, place: int, dtype: torch.dtype, breadth: Breadth) -> bool:
    """Two samples see every mode; in full, one sees the quick ones, and of one dtype the slow ones."""
    if breadth == "thin" and mode.name != "backward":
        return False
    if breadth in OP_DB_SAMPLES and (place > 0 or (mode.slow and (dtype is not torch.float32 or made.writes))):
        return False
    return place < 2 and mode.wants(made.tensors(), made.writes)


def _op_db_text(op: Any, dtype: torch.dtype, device: str, seed: int, number: int, writes: bool) -> str:
    function = "op.inplace_variant" if writes else "op"
    return f"""from torch.testing._internal.common_methods_invocations import op_db
op = next(one for one in op_db if one.full_name == {op.full_name!r})

def run():
    torch.manual_seed({seed})
    s = [*op.sample_inputs({device!r}, {dtype}), *(e.sample_input for e in op.error_inputs({device!r}))][{number}]
    return {function}(s.input, *s.args, **s.kwargs)"""
