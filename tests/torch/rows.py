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
    *(
        Row(name, FLOATING)
        for name in ["i0", "special_i0e", "special_i1", "special_i1e", "special_entr", "sinc", "digamma", "lgamma"]
    ),
    # ATen's own of float64 are off by up to 1e-5, between 5 and 8 and left of -2 above all.
    *(
        Row("special_" + name, [torch.float32, torch.int32, torch.bool])
        for name in ["bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "airy_ai"]
    ),
    *(
        Row("special_" + name, [*WIDE, torch.int64])
        for name in [
            "modified_bessel_k0",
            "modified_bessel_k1",
            "scaled_modified_bessel_k0",
            "scaled_modified_bessel_k1",
            "spherical_bessel_j0",
            "ndtri",
            "log_ndtr",
        ]
    ),
    # ATen's overflow before their results do, where integers get that far.
    *(Row("special_modified_bessel_" + name, WIDE) for name in ("i0", "i1")),
    Row("special_erfcx", [torch.float64]),  # ATen rounds x^2 before e^(x^2): 4e-6 off in float32, where ours is not
    *(
        Row(name, FLOATING)
        for name in ["logit", "mish", "hardsigmoid", "hardswish", "hardtanh", "softplus", "softshrink", "leaky_relu", "elu"]
    ),
    Row("hardshrink", FLOATING, True),
    Row("threshold", _numbers, True, (1, 2)),
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
    *(Row(name, FLOATING) for name in ("logaddexp", "logaddexp2", "igamma", "igammac")),
    *(Row(name, FLOATING) for name in ("xlogy", "special_xlog1py")),
    *(Row("special_" + name, WIDE) for name in ("zeta", "hermite_polynomial_h", "hermite_polynomial_he")),
    *(Row(f"special_{name}", WIDE) for name in ("laguerre_polynomial_l", "legendre_polynomial_p")),
    *(Row(f"special_{shifted}chebyshev_polynomial_{kind}", [torch.float64]) for shifted in ("", "shifted_") for kind in "tuvw"),
    Row("heaviside", _real, True),
    Row("nextafter", WIDE, True),
    *(Row(name, INTEGERS, True) for name in ("gcd", "lcm")),
    *(
        Row(name + "_backward", FLOATING, False, arguments)
        for name, arguments in {
            "silu": (),
            "mish": (),
            "hardsigmoid": (),
            "hardswish": (),
            "hardtanh": (-1, 1),
            "softplus": (1.5, 2),
            "softshrink": (0.5,),
            "hardshrink": (0.5,),
            "leaky_relu": (0.1, False),
            "threshold": (0.5,),
            "logit": (),
        }.items()
    ),
    Row("_prelu_kernel", FLOATING),
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
