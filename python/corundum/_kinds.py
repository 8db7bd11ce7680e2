"""What an aten call does, so that views and matrix products are not counted as work for Corundum's kernels."""

from functools import cache
from typing import Literal

import torch

Kind = Literal["compute", "view", "metadata", "matmul", "composite"]

_MATMUL = {
    "mm",
    "bmm",
    "addmm",
    "baddbmm",
    "addbmm",
    "addmv",
    "mv",
    "dot",
    "vdot",
    "linear",
    "matmul",
    "_addmm_activation",
    "_scaled_mm",
}
# Allocation, and what only looks at a tensor.
_METADATA = {
    "_has_compatible_shallow_copy_type",
    "_local_scalar_dense",
    "_unsafe_view",
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "equal",
    "is_nonzero",
    "is_pinned",
    "item",
    "new_empty",
    "new_empty_strided",
    "record_stream",
    "resize_",
    "set_",
}


@cache
def kind(overload: str) -> Kind:
    """The kind of an aten overload, named as in `record()`. A composite's work is done, and counted, by the calls it makes."""
    base, _, variant = overload.partition(".")
    if base in _MATMUL:
        return "matmul"
    if base in _METADATA:
        return "metadata"
    try:
        found = getattr(getattr(torch.ops.aten, base), variant or "default")
    except AttributeError:  # of another namespace
        return "compute"
    if any(returned.alias_info is not None and not returned.alias_info.is_write for returned in found._schema.returns):
        return "view"
    if not found._schema.returns or not any("Tensor" in str(returned.type) for returned in found._schema.returns):
        return "metadata" if not _writes(found._schema) else "compute"
    return "composite" if is_composite(f"aten::{overload}") else "compute"


def is_composite(name: str) -> bool:
    """Whether an operator ("aten::clone") only calls others: no backend has a kernel of its own for it."""
    has_kernel = torch._C._dispatch_has_kernel_for_dispatch_key
    if not (has_kernel(name, "CompositeExplicitAutograd") or has_kernel(name, "CompositeImplicitAutograd")):
        return False
    return not (has_kernel(name, "CPU") or has_kernel(name, "CUDA"))


def _writes(schema: "torch._C.FunctionSchema") -> bool:
    return any(argument.alias_info is not None and argument.alias_info.is_write for argument in schema.arguments)
