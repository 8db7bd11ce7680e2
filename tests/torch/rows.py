"""Rows of the pointwise table, as data: what cases.py makes the functional, in-place and out= cases of."""

import os
import zlib
from typing import NamedTuple

import torch

aten = torch.ops.aten

FULL = os.environ.get("CORUNDUM_TEST_FULL", "0") != "0"
HALF = [torch.float16, torch.bfloat16]
WIDE = [torch.float32, torch.float64]
FLOATING = WIDE + HALF
COMPLEX = [torch.complex64, torch.complex128]
INTEGERS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
BOOL = [torch.bool]


class Row(NamedTuple):
    name: str
    dtypes: list[torch.dtype]
    exact: bool = False
    arguments: tuple = ()
    """What follows the tensors."""


def rotated(row):
    """A few dtypes of a row, others for each row; all of them when all is asked for."""
    if FULL or len(row.dtypes) <= 3:
        return row.dtypes
    start = zlib.crc32(row.name.encode())
    return [row.dtypes[(start + i * 5) % len(row.dtypes)] for i in range(3)]


_any = [*FLOATING, *COMPLEX, *INTEGERS, *BOOL]
_real = [*FLOATING, *INTEGERS, *BOOL]
_numbers = [*FLOATING, *INTEGERS]

UNARY_ROWS = [
    *(
        Row(name, _any)
        for name in [
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "tanh",
            "asinh",
            "acosh",
            "atanh",
            "exp",
            "exp2",
            "expm1",
            "log",
            "log2",
            "log10",
            "log1p",
            "sqrt",
            "rsqrt",
            "sigmoid",
            "reciprocal",
            "angle",
        ]
    ),
    # ATen's overflow before their results do, where integers get that far.
    *(Row(name, [*FLOATING, *COMPLEX]) for name in ("sinh", "cosh")),
    *(Row(name, _real) for name in ["erf", "erfc", "erfinv"]),
    *(Row(name, [*_numbers, *COMPLEX]) for name in ("neg", "abs")),
    *(Row(name, _any) for name in ("sgn", "isnan", "isinf", "logical_not")),
    Row("conj_physical", COMPLEX, True),
    *(Row(name, _real, True) for name in ("sign", "signbit", "isposinf", "isneginf")),
    *(Row(name, _numbers, True) for name in ("floor", "ceil", "trunc", "round", "relu")),
    Row("frac", FLOATING, True),
    Row("bitwise_not", [*INTEGERS, *BOOL], True),
    Row("nan_to_num", [*FLOATING, *COMPLEX], True, (1.5, 2.0)),
    Row("silu", FLOATING),
    Row("pow.Tensor_Scalar", [*FLOATING, *INTEGERS, *COMPLEX], False, (3,)),
]
BINARY_ROWS = [
    *(Row(name, _real, True) for name in ("maximum", "minimum", "fmax", "fmin")),
    *(Row(name, _any, True) for name in ("logical_and", "logical_or", "logical_xor")),
    *(Row(name, INTEGERS, True) for name in ("bitwise_left_shift", "bitwise_right_shift")),
    *(Row(name, FLOATING) for name in ("floor_divide", "remainder")),
    Row("fmod", FLOATING, True),
    Row("pow.Tensor_Tensor", [*FLOATING, *COMPLEX]),
    *(Row(name, _real) for name in ("atan2", "copysign")),
    Row("hypot", FLOATING),
    Row("rsub", [*_numbers, *COMPLEX]),
    *(Row(name, WIDE) for name in ("polar", "complex")),
    Row("sigmoid_backward", FLOATING),
    Row("lerp.Scalar", [*FLOATING, *COMPLEX], False, (0.7,)),
]


def has_kernel(overload):
    """Whether ATen has the overload and autograd does not see through it."""
    name, _, suffix = overload.partition(".")
    if (suffix or "default") not in getattr(getattr(aten, name, None), "overloads", list)():
        return False
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    return has("aten::" + overload, "CPU") or not has("aten::" + overload, "CompositeImplicitAutograd")


def overload_of(*names):
    """The first that ATen has: its name and a function; or neither."""
    for overload in names:
        if has_kernel(overload):
            name, _, suffix = overload.partition(".")
            return overload, getattr(getattr(aten, name), suffix or "default")
    return None, None


def forms(row):
    """The functional, in-place and out= overloads of a row, each with its function."""
    name, _, suffix = row.name.partition(".")
    first, second = (f".{suffix}", f".{suffix}_out") if suffix else (".Tensor", ".Tensor_out")
    in_place = {"pow.Tensor_Scalar": ".Scalar", "pow.Tensor_Tensor": ".Tensor"}.get(row.name, first)
    return (
        overload_of(name + first, name),
        overload_of(f"{name}_{in_place}", f"{name}_"),
        overload_of(name + second, f"{name}.out", f"{name}.grad_input"),
    )
