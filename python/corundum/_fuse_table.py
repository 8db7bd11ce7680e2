"""What the operators of a traced function compute, as expressions over the names of their arguments in ATen's schemas."""

from typing import Literal

Kind = Literal["same", "float", "bool"]
"""Which dtype the arguments meet in: torch's promotion; to floats; torch's promotion, and the result is a condition."""

_SAME_NAME = (
    "acos acosh asin asinh atan atanh cos cosh digamma erf erfc erfinv exp exp2 expm1 lgamma log log10 log1p log2 "
    "reciprocal rsqrt sigmoid sin sinh sqrt tan tanh"
)

EXPRESSIONS: dict[str, tuple[Kind, str]] = {
    **{name: ("float", name + "({self})") for name in _SAME_NAME.split()},
    "abs": ("same", "abs({self})"),
    "neg": ("same", "-{self}"),
    "sign": ("same", "sign({self})"),
    "sgn": ("same", "sign({self})"),
    "square": ("same", "{self} * {self}"),
    "ceil": ("same", "ceil({self})"),
    "floor": ("same", "floor({self})"),
    "round": ("same", "round({self})"),
    "trunc": ("same", "trunc({self})"),
    "relu": ("same", "max({self}, 0)"),
    "silu": ("same", "{self} / (1 + exp(-{self}))"),
    "add": ("same", "{self} + {alpha} * {other}"),
    "sub": ("same", "{self} - {alpha} * {other}"),
    "rsub": ("same", "{other} - {alpha} * {self}"),
    "mul": ("same", "{self} * {other}"),
    "div": ("float", "{self} / {other}"),
    "maximum": ("same", "max({self}, {other})"),
    "minimum": ("same", "min({self}, {other})"),
    "clamp_min": ("same", "max({self}, {min})"),
    "clamp_max": ("same", "min({self}, {max})"),
    "atan2": ("float", "atan2({self}, {other})"),
    "hypot": ("same", "hypot({self}, {other})"),
    "copysign": ("float", "copysign({self}, {other})"),
    "fmod": ("same", "fmod({self}, {other})"),
    "remainder": ("same", "remainder({self}, {other})"),
    "pow": ("same", "pow({self}, {exponent})"),
    "addcmul": ("same", "{self} + {value} * ({tensor1} * {tensor2})"),
    "addcdiv": ("same", "{self} + {value} * ({tensor1} / {tensor2})"),
    "where": ("same", "{condition} ? {self} : {other}"),
    "masked_fill": ("same", "{mask} ? {value} : {self}"),
    "leaky_relu": ("same", "{self} > 0 ? {self} : {self} * {negative_slope}"),
    "eq": ("bool", "{self} == {other}"),
    "ne": ("bool", "{self} != {other}"),
    "lt": ("bool", "{self} < {other}"),
    "le": ("bool", "{self} <= {other}"),
    "gt": ("bool", "{self} > {other}"),
    "ge": ("bool", "{self} >= {other}"),
    "isnan": ("bool", "isnan({self})"),
    "isinf": ("bool", "isinf({self})"),
    "isfinite": ("bool", "isfinite({self})"),
    "logical_not": ("bool", "!({self} != 0)"),
    "logical_and": ("bool", "{self} != 0 && {other} != 0"),
    "logical_or": ("bool", "{self} != 0 || {other} != 0"),
    "logical_xor": ("bool", "({self} != 0) != ({other} != 0)"),
    # What autograd asks for.
    "sigmoid_backward": ("same", "{grad_output} * (1 - {output}) * {output}"),
    "tanh_backward": ("same", "{grad_output} * (1 - {output} * {output})"),
    "silu_backward": ("same", "{grad_output} * sigmoid({self}) * (1 + {self} * (1 - sigmoid({self})))"),
    "threshold_backward": ("same", "{self} <= {threshold} ? 0 : {grad_output}"),
    "leaky_relu_backward": ("same", "{self} > 0 ? {grad_output} : {grad_output} * {negative_slope}"),
}

BITWISE = {"bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^"}

# Values are what they were: no element changes.
IDENTITIES = frozenset(["alias", "clone", "contiguous", "detach", "expand", "lift_fresh", "lift_fresh_copy", "positive", "view_as"])
# A gradient is added up once, at the end, by autograd: what comes after a sum is linear in it.
SUMS = frozenset(["sum", "view", "squeeze", "unsqueeze", "_unsafe_view", "reshape"])
