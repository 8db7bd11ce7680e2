"""Pointwise operators that users define: one expression, and torch has a new operator."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from corundum import _library

Tensors = torch.Tensor | tuple[torch.Tensor, ...]


class Pointwise:
    """A user-defined operator: call it as a function, with `out=` too. `torch.ops` has it under the same name."""

    def __init__(self, name: str, tensors: Sequence[str], outputs: int) -> None:
        space, _, base = name.partition("::")
        self.name = name
        """As torch knows it: "mine::silu_mul"."""
        self._first = tensors[0]
        self._outputs = outputs
        operators = getattr(torch.ops, space)
        self._functional = getattr(operators, base).default
        self._out = getattr(operators, base).out
        self._in_place = getattr(operators, f"{base}_").default if outputs == 1 else None

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        """The results: a new tensor or tuple of them, or `out`, which is resized where it has another shape."""
        if out is None:
            return self._functional(*args, **kwargs)
        if self._outputs == 1:
            self._out(*args, **kwargs, out=out)
            return out
        if len(out) != self._outputs:
            raise ValueError(f"{self.name}: expected {self._outputs} tensors as out=, got {len(out)}")
        self._out(*args, **kwargs, **{f"out{i}": tensor for i, tensor in enumerate(out)})
        return tuple(out)

    def in_place(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Writes the result into the first tensor and returns it."""
        if self._in_place is None:
            raise TypeError(f"{self.name}: an operator with {self._outputs} results has no in-place form")
        self._in_place(*args, **kwargs)
        return args[0] if args else kwargs[self._first]

    def __repr__(self) -> str:
        return f"<corundum.pointwise {self.name}>"


def pointwise(
    name: str,
    arguments: str,
    expression: str | Sequence[str],
    *,
    promotion: str | None = None,
    outputs: Sequence[str] | None = None,
    derivative: Mapping[str, str] | None = None,
) -> Pointwise:
    """Defines the operators `name`, `name_` and `name.out` from an expression over its arguments.

        silu_mul = corundum.pointwise(
            "mine::silu_mul", "float x, float y, *, scalar alpha = 1", "x / (1 + exp(-x)) * y * alpha"
        )

    `name` is "namespace::name"; without a namespace it is corundum's. `arguments` are tensors (`float`, `int`, `bool` or any
    `number`), then numbers (`scalar`, which never cause a compilation). Several expressions give several results. `promotion` is
    "standard", "int_to_float", "always_bool" or "none"; by default int_to_float where the expression computes floats. `outputs`
    says for each result whether its dtype is the "same" as the one in which the inputs meet, or "bool". `derivative` gives an
    expression for each input that has one, over all arguments, `grad` and `result` (of several results `grad0`, `result0`, ...).

    docs/user-operators.md says all of it. Raises ValueError, whose message points at the place, for a text that is none, and for a
    name that is defined already in another way.
    """
    answer = _library._call(
        "define",
        name=name if "::" in name else f"corundum::{name}",
        arguments=arguments,
        expressions=[expression] if isinstance(expression, str) else list(expression),
        promotion=promotion,
        outputs=None if outputs is None else list(outputs),
        derivative=None if derivative is None else dict(derivative),
    )
    return Pointwise(answer["name"], answer["tensors"], answer["outputs"])


def user_operator(name: str) -> Pointwise:
    """An operator that was defined before, from Python or from C++. Raises ValueError where there is none."""
    answer = _library._call("defined", name=name)
    return Pointwise(answer["name"], answer["tensors"], answer["outputs"])
