"""From an overload's schema to calls of it, as text: what an argument means is known by its name.

A call is text over `x` and tensors made from it, so that a failure can be printed and run by itself.
"""

import inspect
import itertools
import keyword
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from corundum.check.compare import operator_of
from corundum.check.tensors import Recipe, Shape, dense

# Texts of an argument's values by its name, for (base name or "", argument). `{shape}` is x's shape. The first is the usual one.
VALUES: dict[tuple[str, str], list[str]] = {
    ("", "rounding_mode"): ["'trunc'", "'floor'", "None"],
    ("", "approximate"): ["'none'", "'tanh'"],
    ("", "alpha"): ["2", "1"],
    ("", "dim"): ["-1", "0"],
    ("", "keepdim"): ["False", "True"],
    ("", "dtype"): ["None"],
    ("", "non_blocking"): ["False"],
    ("", "half_to_float"): ["False"],
    ("", "lambd"): ["0.5", "0"],
    ("", "threshold"): ["1", "-0.5"],
    ("", "beta"): ["1.5", "1"],
    ("", "scale"): ["1.1", "1"],
    ("", "input_scale"): ["0.7", "1"],
    ("", "is_result"): ["False", "True"],
    ("", "self_is_result"): ["False", "True"],
    ("", "negative_slope"): ["0.1", "-0.2"],
    ("", "min_val"): ["-1"],
    ("", "max_val"): ["1"],
    ("polygamma", "n"): ["2", "1", "0"],
    ("", "decimals"): ["2", "-1", "0"],
    ("", "min"): ["-1", "None"],
    ("", "max"): ["2", "1"],
    ("", "eps"): ["1e-5"],
    ("logit", "eps"): ["None", "1e-5"],
    ("logit_", "eps"): ["None", "1e-5"],
    ("logit_backward", "eps"): ["None", "1e-5"],
    ("rrelu_with_noise", "training"): ["True", "False"],
    ("rrelu_with_noise_", "training"): ["True", "False"],
    ("", "normalized_shape"): ["list({shape}[-1:])"],
    ("", "padding_idx"): ["-1"],
    ("", "scale_grad_by_freq"): ["False"],
    ("", "sparse"): ["False"],
    ("", "ord"): ["2", "1", "float('inf')", "0", "3"],
    ("", "k"): ["min(3, {shape}[-1])", "{shape}[-1]", "0"],
    ("", "largest"): ["True", "False"],
    ("", "sorted"): ["True"],
    ("", "value"): ["3"],
    ("", "other"): ["2"],
    ("", "scalar"): ["2"],
    ("", "scalars"): ["[2]"],
    ("", "lr"): ["0.1"],
    ("", "lr_decay"): ["0.1"],
    ("", "beta1"): ["0.9"],
    ("", "beta2"): ["0.99"],
    ("", "weight_decay"): ["0.1", "0.0"],
    ("", "amsgrad"): ["False", "True"],
    ("", "maximize"): ["False", "True"],
    ("", "momentum"): ["0.9"],
    ("", "dampening"): ["0.1"],
    ("", "nesterov"): ["False", "True"],
    ("", "is_first_step"): ["False", "True"],
    ("", "scale_growth_factor"): ["2.0"],
    ("", "scale_backoff_factor"): ["0.5"],
    ("", "growth_interval"): ["2", "1"],
    ("", "p"): ["0.5", "0.25"],
    ("random_", "from"): ["0", "2"],
    ("random_", "to"): ["100"],
    ("native_dropout", "train"): ["True", "None", "False"],
    ("normal", "mean"): ["1.5"],
    ("", "weight"): ["0.3", "0.7"],
    ("", "element"): ["3"],
    ("", "test_element"): ["3"],
    ("", "assume_unique"): ["False"],
    ("", "invert"): ["False", "True"],
    ("", "exponent"): ["2", "0.5", "3", "-2", "1.5"],
    ("", "self"): ["2", "1"],
}
# Tensor arguments that are no second operand of x's shape and dtype.
TENSORS = {"mask": "mask", "condition": "mask", "indices": "index", "weight": "weight", "bias": "weight"}
# Tensor arguments that hold one number.
ONE_NUMBER = {("masked_fill", "value"), ("masked_fill_", "value"), ("fill_", "value")}
# Tensor arguments that are made of an operand: probabilities, a number.
MADE_OF = {
    ("bernoulli", "self"): "torch.nan_to_num(torch.sigmoid({0}), 0.5)",
    ("bernoulli_", "p"): "torch.nan_to_num(torch.sigmoid({0}), 0.5)",
    ("_amp_update_scale_", "self"): "{0}.as_strided((1,), (1,), {0}.storage_offset())",
}
# Tensor arguments beside lists of tensors: a number in the lists' memory, and lists of such.
NUMBERS_IN_MEMORY = {
    "grad_scale": "None",
    "found_inf": "None",
    "inv_scale": "torch.full((1,), 0.5, device=x.device)",
    "growth_tracker": "torch.ones((1,), dtype=torch.int32, device=x.device)",
    "lr": "torch.full((), 0.1, device=x.device)",
    "state_steps": "[torch.full((), 3.0, device=x.device)]",
}
# Lists that must be empty unless a flag is set.
ONLY_WITH = {"max_exp_avg_sqs": "amsgrad"}
FOUND = "torch.zeros((1,), device=x.device)"
# Where a whole number 0 as y is an error on a CPU, and on CUDA nobody says what comes out.
DIVISIONS = {"div", "divide", "floor_divide", "fmod", "remainder"}
# What ATen itself gets wrong: (operator, device) to dtypes. Its CPU kernel's step with momentum writes numbers that were never set
# where there is more than a vector of 16-bit numbers.
ATEN_IS_WRONG = {("_fused_sgd", "cpu"): (torch.float16, torch.bfloat16)}
# On a CPU ATen's vector code makes of NaN, infinity or -0 as y what its scalar code, for what is left over, does not.
IN_TWO_MINDS = {
    "_add_relu",
    "elu_backward",
    "hardshrink_backward",
    "hardswish_backward",
    "hardtanh_backward",
    "logit_backward",
    "softshrink_backward",
}
# Tensors that hold deviations, or averages and sums of squares; of these operators nothing else is NaN or infinite, for ATen's own
# squares overflow in some dtypes.
SQUARES = {"_fused_adam": "uv", "_fused_adamw": "uv", "_fused_adagrad": "z", "normal": "xy"}
# Whose second result says where numbers of the first stand: of equal numbers any, the same one twice never.
PLACES = {"topk"}


def at_places(overload, x, k, dim=-1, *rest, **more):  # type: ignore[no-untyped-def]
    """What an overload chooses: values, the values at its places, and how many different places of each row it names."""
    values, places = overload(x, k, dim, *rest, **more)
    if not x.dim():
        return values, places
    ordered = places.sort(dim).values
    different = (ordered.narrow(dim, 1, k - 1) != ordered.narrow(dim, 0, k - 1)).sum(dim) if k else places.sum(dim)
    return values, x.gather(dim, places), different


PLACES_SOURCE = inspect.getsource(at_places).replace("  # type: ignore[no-untyped-def]", "")


@dataclass(frozen=True)
class Call:
    """`text` calls the overload on the tensors named in `tensors`; `out` asks for an output like the functional result."""

    overload: str
    text: str
    tensors: tuple[str, ...]
    writes: bool
    """It writes x: x's elements must not share memory."""
    functional: str | None = None
    """For an out= overload: the text whose result says what the output looks like."""
    alone: str = ""
    """The text of the call without what is made of its result; not of out= overloads."""


def schema_of(overload: str) -> Any:
    return _op(overload)._schema


def draws(overload: str) -> bool:
    """Whether it takes random numbers from a generator."""
    return torch.Tag.nondeterministic_seeded in _op(overload).tags


def _op(overload: str) -> Any:
    base, _, name = overload.partition(".")
    return getattr(getattr(torch.ops.aten, base), name or "default")


def calls(overload: str) -> Iterator[Call]:
    """Every combination of the argument values, at most eight of them."""
    schema = schema_of(overload)
    base, _, name = overload.partition(".")
    names: list[str] = []
    choices: list[list[str]] = []
    operands = iter("xyzuvw")
    for argument in schema.arguments:
        if argument.is_out:
            continue
        texts, made = _values(base, argument, operands)
        names += [one for one in made if one not in names]
        prefix = f"{argument.name}=" if argument.kwarg_only else ""
        choices.append([prefix + text for text in texts])
    outs = [argument.name for argument in schema.arguments if argument.is_out]
    writes = any(a.alias_info is not None and a.alias_info.is_write for a in schema.arguments) and not outs
    target = f"torch.ops.aten.{base}.{name or 'default'}"
    if keyword.iskeyword(name):
        target = f"getattr(torch.ops.aten.{base}, {name!r})"
    for chosen in itertools.islice(_each_once(choices), 8):
        plain = ", ".join(_without_unused(schema, chosen))
        if not outs:
            text = alone = f"{target}({plain})"
            if not schema.returns:  # what it wrote is compared
                text = f"({alone}, [{', '.join(names)}])[1]"
            yield Call(overload, text, tuple(names), writes, alone=alone)
            continue
        results = ["out"] if len(outs) == 1 else [f"out[{k}]" for k in range(len(outs))]
        into = ", ".join(f"{argument}={result}" for argument, result in zip(outs, results, strict=True))
        functional = f"torch.ops.aten.{base}({plain})"
        yield Call(overload, f"{target}({plain}, {into})", tuple(names), False, functional)


def _without_unused(schema: Any, chosen: tuple[str, ...]) -> list[str]:
    """The arguments' texts, with lists empty whose flag is not set."""
    names = [argument.name for argument in schema.arguments if not argument.is_out]
    off = {name for name, flag in ONLY_WITH.items() if f"{flag}=False" in chosen}
    return ["[]" if name in off else text for name, text in zip(names, chosen, strict=True)]


def _each_once(choices: list[list[str]]) -> Iterator[tuple[str, ...]]:
    """The usual values; then each other value once, the rest as usual; then all combinations that are left."""
    usual = tuple(one[0] for one in choices)
    seen = {usual}
    yield usual
    for place, texts in enumerate(choices):
        for text in texts[1:]:
            chosen = (*usual[:place], text, *usual[place + 1 :])
            seen.add(chosen)
            yield chosen
    for chosen in itertools.product(*choices):
        if chosen not in seen:
            yield chosen


def _values(base: str, argument: Any, operands: Iterator[str]) -> tuple[list[str], list[str]]:
    """Texts of an argument, and the tensors that they name."""
    kind, name = str(argument.type), argument.name
    if name in NUMBERS_IN_MEMORY and "Tensor" in kind:
        return [FOUND if name == "found_inf" and kind == "Tensor" else NUMBERS_IN_MEMORY[name]], []
    if kind == "List[Tensor]":
        operand = next(operands)
        return [f"[{operand}]"], [operand]
    if name == "other" and base.startswith("_foreach"):
        return ["torch.full((), 2, dtype=x.dtype, device=x.device)"], []
    if kind in ("Tensor", "Optional[Tensor]"):
        if (base, name) in ONE_NUMBER:
            return ["torch.tensor(2)"], []
        if (base, name) == ("glu_backward", "self"):  # twice as long as its gradient, x
            operand = next(operands)
            return [f"torch.cat([x, {operand}], -1)"], [operand]
        if name == "weight" and base in ("embedding", "lerp", "lerp_"):
            operand = next(operands)
            return [operand], [operand]
        if name in TENSORS:
            made = TENSORS[name]
            return [made, "None"] if kind.startswith("Optional") else [made], [made]
        operand = next(operands)
        return [MADE_OF.get((base, name), "{0}").format(operand)], [operand]
    if (base, name) in VALUES:
        return VALUES[base, name], []
    if kind.startswith(("List[int]", "Optional[List[int]]")) and name == "dim":
        return ["[-1]", "[0]", "list(range(len({shape})))"], []
    if kind == "List[number]":
        return [text if text.startswith("[") else f"[{text}]" for text in VALUES["", name]], []
    if ("", name) in VALUES:
        return VALUES["", name], []
    if argument.has_default_value():
        return [repr(argument.default_value)], []
    raise LookupError(f"no value is known for the argument '{name}' ({kind}) of {base}: add one to check/calls.py")


def tensor(
    call: Call, name: str, shape: Shape, stride: Shape, offset: int, dtype: torch.dtype, device: str, seed: int, view: str = ""
) -> Recipe:
    """The tensor that a call's text names, for an x of this shape and layout."""
    if name == "mask":
        return Recipe(shape, dense(shape), 0, torch.bool, seed + 9)
    if name == "index":
        return Recipe((3, 4), (4, 1), 0, torch.int64, seed + 8, shape[0] if shape else 1)
    if name == "weight":
        return Recipe(shape[-1:], (1,) if shape else (), 0, dtype, seed + 7)
    operator = operator_of(call.overload)
    second = "divisor" if device != "cpu" and operator in DIVISIONS else "special"
    second = "numbers" if device == "cpu" and operator in IN_TWO_MINDS else second
    second = "signed" if operator in SQUARES else second
    is_second = name == ("x" if call.overload.endswith(".Scalar_Tensor") and operator in DIVISIONS else "y")
    kind = "squares" if name in SQUARES.get(operator, "") else second if is_second else "signed"
    return Recipe(shape, stride, offset, dtype, seed + ord(name) - ord("x"), kind, view)
