"""Whether two results are the same: dtype, shape, strides and values."""

from typing import Any

import torch
from torch.utils import _pytree as pytree

from corundum.check.tensors import LOOKED_AT_ON_CPU

Tolerances = dict[torch.dtype, tuple[float, float]]
# torch.testing's defaults: (relative, absolute).
TOLERANCES: Tolerances = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7),
    torch.complex32: (1e-3, 1e-5),
    torch.complex64: (1.3e-6, 1e-5),
    torch.complex128: (1e-7, 1e-7),
}
# Operators that only move, choose or compare: bit for bit as ATen's, apart from a NaN's own bits.
EXACT = {
    "_to_copy",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clone",
    "copy",
    "embedding",
    "eq",
    "fill",
    "ge",
    "gt",
    "le",
    "lt",
    "masked_fill",
    "masked_select",
    "ne",
    "topk",
    "where",
    "zero",
}


# By how much ATen's own results in double precision are off (docs/facts.md).
ATEN_IS_OFF = {
    "special_airy_ai": 5e-6,
    "special_bessel_j0": 1e-6,
    "special_bessel_j1": 1e-6,
    "special_bessel_y0": 1e-6,
    "special_bessel_y1": 1e-6,
}
# Sums of numbers of both signs: their rounding is in proportion to the sum of the numbers' sizes, far above some results.
SUMS = {"cumsum", "mean", "nansum", "sum"}


def is_sum(overload: str) -> bool:
    """Whether the tolerance of an overload is relative to its result for the arguments' absolute values."""
    return operator_of(overload) in SUMS


def is_exact(overload: str) -> bool:
    """Whether ATen computes an overload exactly whatever the dtype."""
    return operator_of(overload) in EXACT


def operator_of(overload: str) -> str:
    """The name that an overload shares with its in-place and out= forms: "add" of "add_.Tensor"."""
    return overload.split(".")[0].removesuffix("_")


def speaker_of(overload: str) -> str:
    """For whom a row of docs/coverage.md speaks: all forms of its operator; all operators over lists, optimizers or gradients."""
    operator = operator_of(overload)
    families = [family for family in ("_foreach_", "_fused_", "_backward") if family in operator]
    return families[0] if families else operator


def unlike(ours: Any, theirs: Any, reference: Any = None, exact: bool = False, sizes: Any = None, slack: float = 0.0) -> str | None:
    """How two results (trees of tensors) differ, or None.

    Floating point values must be within torch.testing's tolerance of `reference`, the result in double precision, or of `theirs`:
    ATen decides what overflows, and is itself not exact. `exact`: they must equal `theirs`. `sizes`: a result like `reference`, to
    which the tolerance is relative. `slack` is added to the absolute tolerance.
    """
    mine, form = pytree.tree_flatten(ours)
    other, other_form = pytree.tree_flatten(theirs)
    if form != other_form:
        return f"the result is {form} instead of {other_form}"
    doubles = pytree.tree_leaves(reference)
    if exact or len(doubles) != len(mine):
        doubles = [None] * len(mine)
    scales = pytree.tree_leaves(sizes)
    if len(scales) != len(mine):
        scales = [None] * len(mine)
    for place, (a, b, c, scale) in enumerate(zip(mine, other, doubles, scales, strict=True)):
        found = _unlike(a, b, c, scale, exact, slack)
        if found:
            return found if len(mine) == 1 else f"result {place}: {found}"
    return None


def _unlike(a: Any, b: Any, c: Any, scale: Any, exact: bool, slack: float) -> str | None:
    if not isinstance(b, torch.Tensor) or not isinstance(a, torch.Tensor):
        same = a == b or (a != a and b != b)
        return None if same else f"{a!r} instead of {b!r}"
    for what in ("dtype", "shape", "layout", "device", "requires_grad"):
        if getattr(a, what) != getattr(b, what):
            return f"{what} {getattr(a, what)} instead of {getattr(b, what)}"
    if a.layout is torch.strided and a.stride() != b.stride() and a.numel() > 1:
        return f"strides {a.stride()} instead of {b.stride()}"
    a, b = plain(a), plain(b)
    if a.nbytes <= LOOKED_AT_ON_CPU:
        a, b = a.cpu(), b.cpu()
    relative, absolute = (0.0, 0.0) if exact else TOLERANCES.get(a.dtype, (0.0, 0.0))
    tolerance = (relative, absolute + slack)
    found = differing(a, b, tolerance)
    if found and isinstance(c, torch.Tensor) and c.shape == a.shape and a.dtype in TOLERANCES:
        found = differing(a, plain(c).to(a.device, a.dtype), tolerance)
        if found and isinstance(scale, torch.Tensor) and scale.shape == a.shape:
            error = (_wide(a) - plain(c).to(a.device)).abs()
            return None if bool((error <= tolerance[1] + tolerance[0] * plain(scale).to(a.device).abs()).all()) else found
    return found


def plain(t: torch.Tensor) -> torch.Tensor:
    """Dense, without gradient, conjugate or negative bit."""
    dense = t.detach() if t.layout is torch.strided else t.detach().to_dense()
    return dense.resolve_conj().resolve_neg()


def differing(a: torch.Tensor, b: torch.Tensor, tolerance: tuple[float, float]) -> str | None:
    """Where a and b differ by more than (relative, absolute); NaN equals NaN."""
    if (a.dtype.is_floating_point and a.dtype not in TOLERANCES) or a.dtype in (torch.uint16, torch.uint32, torch.uint64):
        wrong = (bytes_of(a) != bytes_of(b)).any(-1)
    elif a.dtype in TOLERANCES:
        if tolerance == (0.0, 0.0):
            wrong = ~((a == b) | (a.isnan() & b.isnan()))
        else:
            wrong = ~torch.isclose(_wide(a), _wide(b), rtol=tolerance[0], atol=tolerance[1], equal_nan=True)
    else:
        wrong = a != b
    if not bool(wrong.any()):
        return None
    first = tuple(int(i) for i in wrong.nonzero()[0])
    values = f"{a[first].item()} instead of {b[first].item()}"
    return f"{int(wrong.sum())} of {a.numel()} elements differ, the first at {list(first)}: {values}"


def bytes_of(t: torch.Tensor) -> torch.Tensor:
    """With a dimension more: an element's bytes."""
    flat = t.reshape(-1).clone(memory_format=torch.contiguous_format)
    return flat.view(torch.uint8).reshape(*t.shape, t.element_size())


def _wide(t: torch.Tensor) -> torch.Tensor:
    return t.to(torch.complex128 if t.dtype.is_complex else torch.float64)
