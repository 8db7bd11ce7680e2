"""A Python function of pointwise calls as one kernel."""

import hashlib
import json
import linecache
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from types import FrameType
from typing import Any

import torch
from torch.fx import Graph, Node, traceback
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_unflatten

from corundum import _library
from corundum._fuse_program import FuseError, Numbers, Program
from corundum._fuse_table import BITWISE, EXPRESSIONS, IDENTITIES

_SPACE = "corundum_fused"
_MOST_TRACES = 256
_PLAIN = (torch.Tensor, float, int)


class _Places(TorchDispatchMode):
    """Notes for each traced call the line of the user's that made it. What reads a value ends here: there is none."""

    _ours = (os.path.dirname(torch.__file__), os.path.dirname(__file__))

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith(self._ours):
            frame = frame.f_back
        if frame is not None:
            line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
            place = f"in {frame.f_code.co_filename}, line {frame.f_lineno}: {line}"
            if func is torch.ops.aten._local_scalar_dense.default:
                raise FuseError(f"{self._name}: {func}, which reads a value, cannot be fused, {place}")
            traceback.set_stack_trace([place])
        return func(*args, **(kwargs or {}))


def _decompositions() -> dict[Any, Any]:
    """Of operators that the table does not have, into such that it has."""
    known = {*EXPRESSIONS, *BITWISE, *IDENTITIES, "gelu", "gelu_backward", "clamp", "hardtanh", "_to_copy"}
    aten = torch.ops.aten
    more = torch._decomp.get_decompositions([aten.elu, aten.elu_backward, aten.celu, aten.hardsigmoid, aten.hardswish, aten.xlogy])
    table = {**torch._decomp.core_aten_decompositions(), **more}
    return {op: how for op, how in table.items() if op._schema.name.split("::")[1] not in known}


@dataclass
class _Trace:
    """A traced function: an operator, which arguments it takes, and how its results are handed out."""

    operator: Any
    tensors: list[int]
    numbers: dict[str, float]
    results: list[Any]
    structure: Any
    is_one: bool  # the function gives one tensor, by itself

    def __call__(self, tensors: list[torch.Tensor]) -> Any:
        answer = self.operator(*[tensors[i] for i in self.tensors], **self.numbers)
        if self.is_one:
            return answer
        made = [answer] if isinstance(answer, torch.Tensor) else list(answer)
        return tree_unflatten([made[r] if isinstance(r, int) else r[0] for r in self.results], self.structure)


class Fused:
    """A function whose pointwise calls run as one kernel."""

    def __init__(self, function: Callable[..., Any], rounding: str) -> None:
        if rounding not in ("once", "eager"):
            raise ValueError(f'rounding: expected "once" or "eager", got {rounding!r}')
        update_wrapper(self, function)
        self._function = function
        self._rounding = rounding
        self._traces: dict[Any, _Trace] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # A compiler fuses by itself; torch.func's transforms want the parts.
        if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
            return self._function(*args, **kwargs)
        leaves: Sequence[Any] = args
        structure = None
        if kwargs or not all(isinstance(arg, _PLAIN) for arg in args):
            leaves, structure = tree_flatten((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        gradients = torch.is_grad_enabled()
        key = (structure, gradients, torch.get_default_dtype(), _autocast(), *(_key_of(leaf, gradients) for leaf in leaves))
        trace = self._traces.get(key)
        if trace is None:
            if len(self._traces) == _MOST_TRACES:
                self._traces.clear()
            structure = structure or tree_flatten((args, kwargs))[1]
            trace = self._traces[key] = self._make(leaves, structure, tensors, gradients)
        return trace(tensors)

    def _make(self, leaves: Sequence[Any], structure: Any, tensors: list[torch.Tensor], gradients: bool) -> _Trace:
        if not tensors:
            raise FuseError(f"{self.__name__}: a fused function takes at least one tensor")
        answer: dict[str, Any] = {}

        def flat(*values: torch.Tensor) -> list[torch.Tensor]:
            given = iter(values)
            filled = [next(given) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
            args, kwargs = tree_unflatten(filled, structure)
            results, answer["structure"] = tree_flatten(self._function(*args, **kwargs))
            answer["results"] = results
            return [r for r in results if isinstance(r, torch.Tensor)]

        with torch.no_grad():
            graph = self._trace(flat, tensors)
        numbers = Numbers()
        results, structure_out = answer["results"], answer["structure"]
        backward = None
        wanted = [i for i, t in enumerate(tensors) if gradients and t.requires_grad]
        forward = Program(graph, self._function, self._rounding, numbers, sums=False)
        nodes = forward.results
        if not nodes:
            raise FuseError(f"{self.__name__}: gives no tensor")
        outputs = forward.finish(nodes)
        shape = torch.broadcast_shapes(*forward.shapes)
        for i, node in enumerate(nodes):
            if node.meta["val"].shape != shape:
                raise FuseError(
                    f"{self.__name__}: result {i} has shape {tuple(node.meta['val'].shape)}, the others {tuple(shape)}: "
                    "one kernel gives results of one shape"
                )
        if wanted:
            backward = self._backward(flat, tensors, nodes, wanted, forward.used, numbers)
        operator = self._define(forward, outputs, numbers, backward)
        positions = iter(range(len(nodes)))
        handed = [next(positions) if isinstance(r, torch.Tensor) else (r,) for r in results]
        named = {f"s{i}": value for i, value in enumerate(numbers.values)}
        return _Trace(operator, forward.used, named, handed, structure_out, structure_out.is_leaf())

    def _trace(self, function: Callable[..., Any], tensors: Sequence[torch.Tensor]) -> Graph:
        def placed(*values: torch.Tensor) -> Any:
            with _Places(self.__name__):
                return function(*values)

        try:
            with traceback.preserve_node_meta():
                module = make_fx(placed, _decompositions(), tracing_mode="fake")(*tensors)
                module.graph.eliminate_dead_code()
        except AssertionError as error:
            if "convert all Tensors to FakeTensors" not in str(error):
                raise
            raise FuseError(f"{self.__name__}: reads a tensor that is no argument, which cannot be fused") from error
        return module.graph

    def _backward(
        self,
        flat: Callable[..., list[torch.Tensor]],
        tensors: list[torch.Tensor],
        nodes: list[Node],
        wanted: list[int],
        used: list[int],
        numbers: Numbers,
    ) -> dict[str, Any] | None:
        """The kernel of the gradients, from the function's arguments and its results' gradients."""
        differentiable = [o for o, node in enumerate(nodes) if node.meta["val"].dtype.is_floating_point]
        if not differentiable:
            return None
        found: list[bool] = []

        def joint(*values: torch.Tensor) -> list[torch.Tensor]:
            inputs = [v.detach().requires_grad_(i in wanted) for i, v in enumerate(values[: len(tensors)])]
            results = flat(*inputs)
            chosen = [(results[o], g) for o, g in zip(differentiable, values[len(tensors) :], strict=True)]
            chosen = [(r, g) for r, g in chosen if r.requires_grad]
            if not chosen:
                return []
            leaves = [inputs[i] for i in wanted]
            answers = torch.autograd.grad([r for r, _ in chosen], leaves, [g for _, g in chosen], allow_unused=True)
            found[:] = [a is not None for a in answers]
            return [a for a in answers if a is not None]

        gradients = [_like(nodes[o].meta["val"]) for o in differentiable]
        with torch.enable_grad():
            graph = self._trace(joint, [*tensors, *gradients])
        if not any(found):
            return None
        program = Program(graph, self._function, self._rounding, numbers, sums=True)
        outputs = program.finish(program.results)
        sources = [
            ("tensor", used.index(i)) if i < len(tensors) else ("gradient", differentiable[i - len(tensors)]) for i in program.used
        ]
        inputs = [used.index(i) for i, there in zip(wanted, found, strict=True) if there]
        return {"inputs": inputs, "tensors": sources, **self._text_of(program, outputs)}

    @staticmethod
    def _text_of(program: Program, outputs: list[str]) -> dict[str, Any]:
        wide = any(step["dtype"] == "float64" for step in program.steps)
        return {
            "is_bool": program.is_bool,
            "number_dtype": "float64" if wide else "float32",
            "steps": program.steps,
            "outputs": outputs,
        }

    def _define(self, forward: Program, outputs: list[str], numbers: Numbers, backward: dict[str, Any] | None) -> Any:
        text: dict[str, Any] = {"numbers": len(numbers.values), **self._text_of(forward, outputs), "backward": backward}
        if backward is not None:
            backward["numbers"] = text["numbers"]
        digest = hashlib.sha256(json.dumps(text, sort_keys=True).encode()).hexdigest()[:12]
        base = re.sub(r"\W", "", self.__name__).strip("_")[:40] or "function"
        name = f"f_{base}_{digest}"
        _library._call("define_trace", name=f"{_SPACE}::{name}", **text)
        return getattr(getattr(torch.ops, _SPACE), name).default


def _like(traced: torch.Tensor) -> torch.Tensor:
    """A real tensor without values; tracing looks at no more of it."""
    return torch.empty_strided(traced.shape, traced.stride(), dtype=traced.dtype, device=traced.device)


def _key_of(leaf: Any, gradients: bool) -> Any:
    if isinstance(leaf, torch.Tensor):
        return (leaf.dtype, leaf.shape, leaf.device, gradients and leaf.requires_grad)
    return (type(leaf), repr(leaf) if isinstance(leaf, float) else leaf)  # 0.0 is not -0.0, and NaN is NaN


def _autocast() -> Any:
    """The state that changes what an operation computes in, where it is on."""
    on = torch.is_autocast_enabled("cuda"), torch.is_autocast_enabled("cpu")
    return any(on) and (on, torch.get_autocast_dtype("cuda"), torch.get_autocast_dtype("cpu"))


def fuse(function: Callable[..., Any] | None = None, *, rounding: str = "once") -> Any:
    """Makes one kernel of a function that computes with torch's pointwise operators.

        @corundum.fuse
        def swiglu(gate, up, limit=7.0):
            gate = gate.clamp(max=limit)
            return gate * torch.sigmoid(gate) * up

    The function is traced with the dtypes and shapes of each call, once for each of them: what it does with numbers and shapes is
    done then. Tensors broadcast; it may return several, of one shape. Gradients are one kernel, too, which computes the function
    again instead of keeping what lies between. An operation that is not pointwise raises FuseError with its name and line.

    Between operations 16-bit floats stay float32, which is more exact than eager mode; `rounding="eager"` rounds as it does.
    Under torch.compile and torch.func's transforms the function is called as it is.
    """
    if function is None:
        return lambda f: Fused(f, rounding)
    return Fused(function, rounding)
