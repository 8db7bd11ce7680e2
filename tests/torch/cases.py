"""Every overload that is ours, each with calls that reach it, as data. A row runs over its dtypes and over all layouts."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from rows import BINARY_ROWS, COMPLEX, UNARY_ROWS, forms, rotated

aten = torch.ops.aten

FLOATS = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
INTEGERS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
HALVES = FLOATS[2:]
NUMBERS = [*FLOATS, *INTEGERS]
EVERY = [*NUMBERS, torch.bool]
WHOLE = [*INTEGERS, torch.bool]
# Only moved, never computed with.
MOVED = [
    torch.uint16,
    torch.uint32,
    torch.uint64,
    torch.complex64,
    torch.complex128,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
]


class Case(NamedTuple):
    overload: str
    """The one that must be ours."""
    function: Callable[..., Any]
    dtypes: list[torch.dtype]
    exact: bool = False
    """Bit for bit as ATen's."""
    through_double: bool = False
    """ATen rounds in the middle of 16-bit arithmetic, and not on every device: its float64 result counts there."""


# Functions of one tensor.
UNARY = {
    "gelu": Case("gelu", F.gelu, FLOATS, through_double=True),
    "gelu_tanh": Case("gelu", lambda x: F.gelu(x, approximate="tanh"), FLOATS, through_double=True),
    "tanh": Case("tanh", torch.tanh, [*FLOATS, torch.int32, torch.bool], through_double=True),
    "clamp": Case("clamp", lambda x: torch.clamp(x, -1, 2), NUMBERS[:8], True),
    "clamp_only_min": Case("clamp", lambda x: torch.clamp(x, min=1), NUMBERS, True),
    "clamp_only_max": Case("clamp", lambda x: torch.clamp(x, max=1), NUMBERS, True),
    "clamp_swapped": Case("clamp", lambda x: torch.clamp(x, 2, 1), [torch.float32, torch.int64], True),
    "clamp_promoted": Case("clamp", lambda x: torch.clamp(x, 0.5), [torch.int32, torch.uint8], True),
    "clamp_min": Case("clamp_min", lambda x: torch.clamp_min(x, 1), NUMBERS, True),
    "clamp_max": Case("clamp_max", lambda x: torch.clamp_max(x, 1), NUMBERS, True),
    "clamp_min_promoted": Case("clamp_min", lambda x: torch.clamp_min(x, 0.5), [torch.int16, torch.uint8], True),
    "add_number": Case("add.Tensor", lambda x: x + 2, EVERY),
    "mul_number": Case("mul.Tensor", lambda x: x * 0.5, [*FLOATS, torch.int64, torch.bool]),
    "number_minus": Case("sub.Tensor", lambda x: torch.sub(torch.tensor(3), x), NUMBERS),
    "div_number": Case("div.Tensor", lambda x: x / 3, EVERY),
    "div_floor_number": Case("div.Tensor_mode", lambda x: torch.div(x, 3, rounding_mode="floor"), FLOATS[:2], True),
    "to_float": Case("copy_", lambda x: x.to(torch.float32), [torch.float64, torch.bfloat16, torch.int64, torch.bool], True),
    "to_bfloat16": Case("copy_", lambda x: x.to(torch.bfloat16), [torch.float32, torch.float64, torch.int32], True),
    "to_bool": Case("copy_", lambda x: x.to(torch.bool), [torch.float32, torch.int64, torch.float16], True),
    "clone": Case("copy_", torch.clone, [*EVERY, *MOVED], True),
    "clone_contiguous": Case("copy_", lambda x: x.clone(memory_format=torch.contiguous_format), [*FLOATS, *MOVED], True),
    "masked_fill": Case("masked_fill.Scalar", lambda x: x.masked_fill(x > 0, 1), EVERY, True),
    "masked_fill_tensor": Case("masked_fill.Tensor", lambda x: x.masked_fill(x > 0, torch.tensor(7)), [*FLOATS, torch.int64], True),
    "where_number": Case("where.self", lambda x: torch.where(x > 0, x, 2), [*FLOATS, torch.int64, torch.bool], True),
    "where_promoted": Case("where.self", lambda x: torch.where(x > 0, x, 0.5), [torch.float64, torch.bfloat16, torch.int32], True),
    "where_numbers": Case("where.self", lambda x: torch.where(x > 0, 1.0, 0.0), [torch.float32, torch.int8], True),
}

# Functions of two tensors of one dtype.
BINARY = {
    "add": Case("add.Tensor", torch.add, EVERY),
    "add_alpha": Case("add.Tensor", lambda x, y: torch.add(x, y, alpha=3), NUMBERS, through_double=True),
    "sub": Case("sub.Tensor", torch.sub, NUMBERS),
    "mul": Case("mul.Tensor", torch.mul, EVERY),
    "div": Case("div.Tensor", torch.div, EVERY),
    "div_trunc": Case("div.Tensor_mode", lambda x, y: torch.div(x, y, rounding_mode="trunc"), FLOATS, True),
    "div_floor": Case("div.Tensor_mode", lambda x, y: torch.div(x, y, rounding_mode="floor"), FLOATS),
    "clamp_tensor": Case("clamp.Tensor", lambda x, y: torch.clamp(x, min=y), NUMBERS, True),
    "clamp_tensors": Case("clamp.Tensor", lambda x, y: torch.clamp(x, y, y + 1), NUMBERS[:6], True),
    "clamp_min_tensor": Case("clamp_min.Tensor", torch.clamp_min, NUMBERS, True),
    "clamp_max_tensor": Case("clamp_max.Tensor", torch.clamp_max, NUMBERS, True),
    "bitwise_and": Case("bitwise_and.Tensor", torch.bitwise_and, WHOLE, True),
    "bitwise_or": Case("bitwise_or.Tensor", torch.bitwise_or, WHOLE, True),
    "bitwise_xor": Case("bitwise_xor.Tensor", torch.bitwise_xor, WHOLE, True),
    "where": Case("where.self", lambda x, y: torch.where(x > y, x, y), NUMBERS, True),
    "tanh_backward": Case("tanh_backward", aten.tanh_backward, FLOATS, through_double=True),
    "gelu_backward": Case("gelu_backward", aten.gelu_backward, FLOATS, through_double=True),
    "gelu_tanh_backward": Case(
        "gelu_backward", lambda x, y: aten.gelu_backward(x, y, approximate="tanh"), FLOATS, through_double=True
    ),
}

# Methods that write their first tensor and return it.
IN_PLACE = {
    "add_": Case("add_.Tensor", lambda x, y: x.add_(y, alpha=2), FLOATS[:3], through_double=True),
    "sub_": Case("sub_.Tensor", lambda x, y: x.sub_(y), FLOATS[:3]),
    "mul_": Case("mul_.Tensor", lambda x, y: x.mul_(y), FLOATS[:3]),
    "div_": Case("div_.Tensor", lambda x, y: x.div_(y), FLOATS[:3]),
    "div_trunc_": Case("div_.Tensor_mode", lambda x, y: x.div_(y, rounding_mode="trunc"), FLOATS, True),
    "gelu_": Case("gelu_", lambda x, y: aten.gelu_(x), FLOATS[:3], through_double=True),
    "tanh_": Case("tanh_", lambda x, y: x.tanh_(), FLOATS[:3], through_double=True),
    "clamp_": Case("clamp_", lambda x, y: x.clamp_(-1, 1), NUMBERS[:5], True),
    "clamp_tensor_": Case("clamp_.Tensor", lambda x, y: x.clamp_(max=y), NUMBERS[:5], True),
    "clamp_min_": Case("clamp_min_", lambda x, y: x.clamp_min_(-1), NUMBERS[:5], True),
    "clamp_max_": Case("clamp_max_", lambda x, y: x.clamp_max_(1), NUMBERS[:5], True),
    "clamp_min_tensor_": Case("clamp_min_.Tensor", lambda x, y: x.clamp_min_(y), NUMBERS[:5], True),
    "clamp_max_tensor_": Case("clamp_max_.Tensor", lambda x, y: x.clamp_max_(y), NUMBERS[:5], True),
    "bitwise_and_": Case("bitwise_and_.Tensor", lambda x, y: x.bitwise_and_(y), WHOLE, True),
    "bitwise_or_": Case("bitwise_or_.Tensor", lambda x, y: x.bitwise_or_(y), WHOLE, True),
    "bitwise_xor_": Case("bitwise_xor_.Tensor", lambda x, y: x.bitwise_xor_(y), WHOLE, True),
    "masked_fill_": Case("masked_fill_.Scalar", lambda x, y: x.masked_fill_(y > 0, 1), EVERY, True),
    "masked_fill_tensor_": Case("masked_fill_.Tensor", lambda x, y: x.masked_fill_(y > 0, torch.tensor(2)), EVERY, True),
    "fill_": Case("fill_.Scalar", lambda x, y: x.fill_(3), EVERY, True),
    "fill_fraction_": Case("fill_.Scalar", lambda x, y: x.fill_(2.7), EVERY, True),
    "fill_tensor_": Case("fill_.Tensor", lambda x, y: x.fill_(torch.tensor(3)), EVERY, True),
    "zero_": Case("zero_", lambda x, y: x.zero_(), EVERY, True),
    "copy_": Case("copy_", lambda x, y: x.copy_(y), [*EVERY, *MOVED], True),
    "cumsum_": Case("cumsum_", lambda x, y: x.cumsum_(-1), NUMBERS, through_double=True),
    "cumsum_first_": Case("cumsum_", lambda x, y: x.cumsum_(0), NUMBERS[:5], through_double=True),
}

# Functions of a tensor of 17 x 33 and of an output; the output's shape and dtype are in OUTPUTS where they are others.
OUT = {
    "add": Case("add.out", lambda x, out: torch.add(x, x, out=out), FLOATS[:3]),
    "sub": Case("sub.out", lambda x, out: torch.sub(x, x[:1], out=out), FLOATS[:3]),
    "mul": Case("mul.out", lambda x, out: torch.mul(x, 2, out=out), FLOATS[:3]),
    "div": Case("div.out", lambda x, out: torch.div(x, x[:1], out=out), FLOATS[:3]),
    "div_trunc": Case("div.out_mode", lambda x, out: torch.div(x, x[:1], rounding_mode="trunc", out=out), FLOATS, True),
    "gelu": Case("gelu.out", lambda x, out: aten.gelu.out(x, out=out), FLOATS, through_double=True),
    "tanh": Case("tanh.out", lambda x, out: torch.tanh(x, out=out), FLOATS, through_double=True),
    "clamp": Case("clamp.out", lambda x, out: torch.clamp(x, 0, 1, out=out), NUMBERS[:5], True),
    "clamp_tensor": Case("clamp.Tensor_out", lambda x, out: torch.clamp(x, x[:1], out=out), NUMBERS[:5], True),
    "clamp_min": Case("clamp_min.out", lambda x, out: torch.clamp_min(x, 1, out=out), NUMBERS[:5], True),
    "clamp_max": Case("clamp_max.out", lambda x, out: torch.clamp_max(x, 1, out=out), NUMBERS[:5], True),
    "clamp_min_tensor": Case("clamp_min.Tensor_out", lambda x, out: torch.clamp_min(x, x[:1], out=out), NUMBERS[:5], True),
    "clamp_max_tensor": Case("clamp_max.Tensor_out", lambda x, out: torch.clamp_max(x, x[:1], out=out), NUMBERS[:5], True),
    "bitwise_and": Case("bitwise_and.Tensor_out", lambda x, out: torch.bitwise_and(x, x[:1], out=out), WHOLE, True),
    "bitwise_or": Case("bitwise_or.Tensor_out", lambda x, out: torch.bitwise_or(x, x[:1], out=out), WHOLE, True),
    "bitwise_xor": Case("bitwise_xor.Tensor_out", lambda x, out: torch.bitwise_xor(x, x[:1], out=out), WHOLE, True),
    "where": Case("where.self_out", lambda x, out: torch.where(x > 0, x, x[:1], out=out), EVERY, True),
    "gelu_backward": Case(
        "gelu_backward.grad_input", lambda x, out: aten.gelu_backward.grad_input(x, x, grad_input=out), FLOATS, through_double=True
    ),
    "tanh_backward": Case(
        "tanh_backward.grad_input", lambda x, out: aten.tanh_backward.grad_input(x, x, grad_input=out), FLOATS, through_double=True
    ),
    "softmax": Case("_softmax.out", lambda x, out: aten._softmax.out(x, -1, False, out=out), FLOATS[:2]),
    "log_softmax": Case("_log_softmax.out", lambda x, out: aten._log_softmax.out(x, -1, False, out=out), FLOATS[:2]),
    "sum": Case("sum.IntList_out", lambda x, out: torch.sum(x, dim=1, out=out), FLOATS[:2]),
    "mean": Case("mean.out", lambda x, out: torch.mean(x, dim=0, keepdim=True, out=out), FLOATS[:2]),
    "cumsum": Case("cumsum.out", lambda x, out: torch.cumsum(x, 1, out=out), NUMBERS, through_double=True),
    "norm": Case("linalg_vector_norm.out", lambda x, out: torch.linalg.vector_norm(x, dim=1, out=out), FLOATS[:2]),
}
OUT_SHAPES = {"sum": (17,), "mean": (1, 33), "norm": (17,)}

# Sums, means and norms over `dim`.
REDUCE = {
    "sum": Case("sum.dim_IntList", lambda x, dim, keep: torch.sum(x, dim=dim, keepdim=keep), FLOATS),
    "mean": Case("mean.dim", lambda x, dim, keep: torch.mean(x, dim=dim, keepdim=keep), FLOATS),
    "norm": Case("linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, dim=dim, keepdim=keep), FLOATS),
    "norm1": Case("linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, 1, dim=dim, keepdim=keep), FLOATS),
    "norm3": Case("linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, 3, dim=dim, keepdim=keep), FLOATS),
    "norm_inf": Case(
        "linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, float("inf"), dim=dim, keepdim=keep), FLOATS
    ),
    "norm_0": Case("linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, 0, dim=dim, keepdim=keep), FLOATS),
}

# Rows of a tensor, each with a test of its own in test_rows.py.
ROWS = {
    "sum": Case("sum", torch.sum, EVERY),
    "mean": Case("mean", torch.mean, FLOATS),
    "softmax": Case("_softmax", F.softmax, FLOATS, through_double=True),
    "log_softmax": Case("_log_softmax", F.log_softmax, FLOATS, through_double=True),
    "layer_norm": Case("native_layer_norm", torch.native_layer_norm, FLOATS),
    "topk": Case("topk", torch.topk, NUMBERS, True),
    "topk_out": Case("topk.values", torch.topk, NUMBERS, True),
    "masked_select": Case("masked_select", torch.masked_select, [*EVERY, *MOVED[3:]], True),
    "masked_select_out": Case("masked_select.out", torch.masked_select, [*EVERY, *MOVED[3:]], True),
    "cumsum": Case("cumsum", torch.cumsum, EVERY, through_double=True),
    "embedding": Case("embedding", lambda weight, indices: F.embedding(indices, weight), [*EVERY, *MOVED[3:5]], True),
}


# What a table cannot say (a bool for a result, one device alone): test_close.py, test_foreach.py, test_training.py.
ROWS |= {
    "allclose": Case("allclose", torch.allclose, [], True),
    "equal": Case("equal", torch.equal, [], True),
    "add_relu": Case("_add_relu.Tensor", aten._add_relu.Tensor, []),
    "add_relu_": Case("_add_relu_.Tensor", aten._add_relu_.Tensor, []),
    "add_relu_out": Case("_add_relu.out", aten._add_relu.out, []),
    "masked_scale": Case("_masked_scale", aten._masked_scale, []),
}


def comparisons(name):
    """A comparison has six overloads: of tensors and with a number, each also in place and with an output."""
    compare, method = getattr(torch, name), f"{name}_"
    UNARY[f"{name}_number"] = Case(f"{name}.Scalar", lambda x: compare(x, 1), EVERY, True)
    UNARY[f"{name}_fraction"] = Case(f"{name}.Scalar", lambda x: compare(x, 0.5), [*FLOATS, torch.int32, torch.uint8], True)
    BINARY[name] = Case(f"{name}.Tensor", compare, EVERY, True)
    IN_PLACE[method] = Case(f"{method}.Tensor", lambda x, y: getattr(x, method)(y), NUMBERS[:5], True)
    IN_PLACE[f"{method}number"] = Case(f"{method}.Scalar", lambda x, y: getattr(x, method)(1), NUMBERS[:5], True)
    OUT[name] = Case(f"{name}.Tensor_out", lambda x, out: compare(x, x[:1], out=out), NUMBERS[:5], True)
    OUT[f"{name}_number"] = Case(f"{name}.Scalar_out", lambda x, out: compare(x, 1, out=out), NUMBERS[:5], True)


COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
for comparison in COMPARISONS:
    comparisons(comparison)
OUT_DTYPES = {name: torch.bool for name in OUT if name.split("_")[0] in COMPARISONS}

UNARY["isin_number"] = Case("isin.Tensor_Scalar", lambda x: torch.isin(x, 2), NUMBERS, True)
UNARY["is_a_number_in"] = Case("isin.Scalar_Tensor", lambda x: torch.isin(2, x), NUMBERS, True)
UNARY["dequantize"] = Case("dequantize.self", aten.dequantize.self, EVERY, True)
for part, name in enumerate(("log_sigmoid", "log_sigmoid_buffer")):
    UNARY[name] = Case("log_sigmoid_forward", lambda x, i=part: aten.log_sigmoid_forward(x)[i], FLOATS, through_double=True)
    BINARY[f"prelu_backward_{part}"] = Case(
        "_prelu_kernel_backward", lambda x, y, i=part: aten._prelu_kernel_backward(x, y, x)[i], FLOATS, through_double=True
    )
BINARY["isin"] = Case("isin.Tensor_Tensor", torch.isin, NUMBERS, True)
BINARY["not_in"] = Case("isin.Tensor_Tensor", lambda x, y: torch.isin(x, y[:1], invert=True), NUMBERS[:5], True)
UNARY["isfinite"] = Case("isfinite", torch.isfinite, EVERY + COMPLEX, True)
BINARY["isclose"] = Case("isclose", lambda x, y: torch.isclose(x, y, 0.3, 0.1), EVERY, True)
BINARY["isclose_exactly"] = Case("isclose", lambda x, y: torch.isclose(x, y, 0, 0, True), NUMBERS[:6], True)
BINARY["log_sigmoid_backward"] = Case(
    "log_sigmoid_backward",
    lambda x, y: aten.log_sigmoid_backward(x, y, aten.log_sigmoid_forward(y)[1]),
    FLOATS,
    through_double=True,
)
BINARY["dropout_backward"] = Case(
    "native_dropout_backward", lambda x, y: aten.native_dropout_backward(x, y > 0, 2.5), FLOATS, through_double=True
)
OUT["log_sigmoid_backward"] = Case(
    "log_sigmoid_backward.grad_input",
    lambda x, out: aten.log_sigmoid_backward.grad_input(x, x, aten.log_sigmoid_forward(x)[1], grad_input=out),
    FLOATS,
    through_double=True,
)
UNARY["glu"] = Case("glu", lambda x: aten.glu(torch.stack((x, x.neg())), 0), FLOATS, through_double=True)
UNARY["polygamma"] = Case("polygamma", lambda x: torch.polygamma(1, x.abs()), FLOATS[:2])
UNARY["round_decimals"] = Case("round.decimals", lambda x: torch.round(x, decimals=1), FLOATS[:2])
BINARY["elu_backward"] = Case(
    "elu_backward", lambda x, y: aten.elu_backward(x, 1.5, 1.2, 0.8, False, y), FLOATS, through_double=True
)
BINARY["glu_backward"] = Case(
    "glu_backward", lambda x, y: aten.glu_backward(x[None], torch.stack((y, y.neg())), 0), FLOATS, through_double=True
)
IN_PLACE["round_decimals_"] = Case("round_.decimals", lambda x, y: x.round_(decimals=-1), FLOATS[:2])
OUT["elu_backward"] = Case(
    "elu_backward.grad_input",
    lambda x, out: aten.elu_backward.grad_input(x, 1.5, 1.2, 0.8, False, x, grad_input=out),
    FLOATS,
    through_double=True,
)
OUT["glu"] = Case("glu.out", lambda x, out: aten.glu.out(torch.stack((x, x)), 0, out=out), FLOATS, through_double=True)
OUT_SHAPES["glu"] = (1, 17, 33)
OUT["polygamma"] = Case("polygamma.out", lambda x, out: torch.polygamma(1, x.abs(), out=out), FLOATS[:2])
OUT["round_decimals"] = Case("round.decimals_out", lambda x, out: torch.round(x, decimals=2, out=out), FLOATS[:2])
OUT["xlogy"] = Case("xlogy.OutTensor", lambda x, out: torch.xlogy(x, x, out=out), FLOATS, through_double=True)
UNSIGNED = MOVED[:3]
for name in ("mul", "eq", "ne", "bitwise_and", "bitwise_or", "bitwise_xor"):
    BINARY[f"{name}_unsigned"] = Case(f"{name}.Tensor", getattr(torch, name), UNSIGNED, True)
UNARY["addcmul"] = Case("addcmul", lambda x: torch.addcmul(x, x, x, value=2), NUMBERS[:6] + COMPLEX, through_double=True)
UNARY["addcdiv"] = Case("addcdiv", lambda x: torch.addcdiv(x, x.neg(), x, value=0.5), FLOATS + COMPLEX, through_double=True)
UNARY["lerp"] = Case("lerp.Tensor", lambda x: torch.lerp(x, x.neg(), x.abs()), FLOATS, through_double=True)
UNARY["number_to_a_power"] = Case("pow.Scalar", lambda x: torch.pow(2, x), FLOATS, through_double=True)
UNARY["rest_of_a_number"] = Case("remainder.Scalar_Tensor", lambda x: torch.remainder(7.5, x), FLOATS[:2])
for sign, shift, shifted in (("<<", aten.__lshift__, aten.__ilshift__), (">>", aten.__rshift__, aten.__irshift__)):
    name, name_ = str(shift).split(".")[-1], str(shifted).split(".")[-1]
    UNARY[f"x {sign} 3"] = Case(f"{name}.Scalar", lambda x, f=shift: f.Scalar(x, 3), INTEGERS, True)
    BINARY[f"x {sign} y"] = Case(f"{name}.Tensor", shift.Tensor, INTEGERS, True)
    IN_PLACE[f"x {sign}= 3"] = Case(f"{name_}.Scalar", lambda x, y, f=shifted: f.Scalar(x, 3), INTEGERS, True)
    IN_PLACE[f"x {sign}= y"] = Case(f"{name_}.Tensor", shifted.Tensor, INTEGERS, True)
IN_PLACE["addcmul_"] = Case("addcmul_", lambda x, y: x.addcmul_(y, y), FLOATS, through_double=True)
IN_PLACE["addcdiv_"] = Case("addcdiv_", lambda x, y: x.addcdiv_(x, y), FLOATS, through_double=True)
IN_PLACE["lerp_"] = Case("lerp_.Tensor", lambda x, y: x.lerp_(y, y), FLOATS, through_double=True)
OUT["addcmul"] = Case("addcmul.out", lambda x, out: torch.addcmul(x, x, x, out=out), FLOATS, through_double=True)
OUT["addcdiv"] = Case("addcdiv.out", lambda x, out: torch.addcdiv(x, x, x, out=out), FLOATS, through_double=True)
OUT["lerp"] = Case("lerp.Tensor_out", lambda x, out: torch.lerp(x, x, x, out=out), FLOATS, through_double=True)
OUT["number_to_a_power"] = Case("pow.Scalar_out", lambda x, out: torch.pow(2, x, out=out), FLOATS, through_double=True)


def add_row(row, tensors):
    """The cases of a row of the pointwise table."""
    (name, new), (name_, in_place), (name_out, output) = forms(row)
    extra, dtypes = row.arguments, rotated(row)
    through_double = not row.exact
    key = f"{row.name} row"
    if new:
        table = UNARY if tensors == 1 else BINARY
        table[key] = Case(name, lambda *t: new(*t, *extra), dtypes, row.exact, through_double)
    # Results of integers and of complex numbers are of other dtypes here and there: functional forms show those.
    stable = [d for d in dtypes if d in FLOATS or (d in COMPLEX and row.name not in ("abs", "angle"))] or dtypes
    if in_place and name_:
        IN_PLACE[key] = Case(name_, lambda x, y: in_place(*(x, y)[:tensors], *extra), stable, row.exact, through_double)
    if name_out:
        keyword = "grad_input" if name_out.endswith("grad_input") else "out"
        OUT[key] = Case(
            name_out, lambda x, out: output(*(x, x)[:tensors], *extra, **{keyword: out}), stable, row.exact, through_double
        )
        with torch.device("meta"):
            x = torch.ones(2, dtype=stable[0])
            result = (new or output)(*(x, x)[:tensors], *extra).dtype if new else stable[0]
        if result != stable[0]:
            OUT_DTYPES[key] = result
            OUT[key] = OUT[key]._replace(dtypes=stable if result is torch.bool else stable[:1])


for row in UNARY_ROWS:
    add_row(row, 1)
for row in BINARY_ROWS:
    add_row(row, 2)

TABLES = [UNARY, BINARY, IN_PLACE, OUT, REDUCE, ROWS]


def product(table):
    """Every row with each of its dtypes, for parametrize."""
    return [(name, dtype) for name, case in table.items() for dtype in case.dtypes]
