"""A Python function of pointwise calls as one kernel."""

import hashlib
import json
import linecache
import math
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
from corundum._fuse_table import BITWISE, EXPRESSIONS, IDENTITIES, SUMS

_SPACE = "corundum_fused"
_MOST_NUMBERS = 8
_MOST_TRACES = 256
_SMALL = (torch.uint8, torch.int8, torch.int16)
_HALF = (torch.float16, torch.bfloat16)


class FuseError(RuntimeError):
    """A function that cannot become one kernel: which operation, and where it stands."""


@dataclass(frozen=True)
class _Value:
    """What a node of the graph is: text for expressions, and its dtype."""

    text: str
    dtype: torch.dtype
    is_input: bool = False


class _Numbers:
    """The Python numbers of a trace: arguments of the kernel, so that another number is no other kernel."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def text(self, value: float | int | bool, integral: bool) -> str:
        if integral:
            return f"({int(value)})"
        value = float(value)
        if value.is_integer() and abs(value) <= 16:  # part of what the function is, more often than not
            return f"({value!r})"
        same = [i for i, known in enumerate(self.values) if known == value or (known != known and value != value)]
        if same:
            return f"s{same[0]}"
        if len(self.values) == _MOST_NUMBERS:
            if not math.isfinite(value):
                raise FuseError(f"more than {_MOST_NUMBERS} numbers, and {value} cannot be written down")
            return f"({value!r})"
        self.values.append(value)
        return f"s{len(self.values) - 1}"


class _Program:
    """Turns a graph of ATen calls into the steps of a kernel."""

    def __init__(self, graph: Graph, function: Callable[..., Any], rounding: str, numbers: _Numbers, sums: bool) -> None:
        self._function = function
        self._rounds = rounding == "eager"
        self._numbers = numbers
        self._sums = sums
        self.steps: list[dict[str, Any]] = []
        self.used: list[int] = []
        self.is_bool: list[bool] = []
        self.shapes: list[torch.Size] = []
        self._values: dict[Node, _Value] = {}
        self._placeholders = [node for node in graph.nodes if node.op == "placeholder"]
        self.results: list[Any] = []
        for node in graph.nodes:
            if node.op == "call_function":
                self._call(node)
            elif node.op == "get_attr":
                self._constant(node)
            elif node.op == "output":
                self.results = list(node.args[0])

    # Values

    def value(self, node: Node) -> _Value:
        if node not in self._values:
            index = self._placeholders.index(node)
            dtype = node.meta["val"].dtype
            self._values[node] = _Value(f"x{len(self.used)}", dtype, True)
            self.used.append(index)
            self.is_bool.append(dtype == torch.bool)
            self.shapes.append(node.meta["val"].shape)
        return self._values[node]

    def _constant(self, node: Node) -> None:
        tensor = getattr(node.graph.owning_module, str(node.target))
        if tensor.dim() != 0:
            self._fail(node, "a tensor that is no argument")
        self._values[node] = _Value(self._numbers.text(tensor.item(), not tensor.is_floating_point()), tensor.dtype)

    def step(self, expression: str, dtype: torch.dtype, rounds: bool = False) -> str:
        self.steps.append(
            {
                "expression": expression,
                "dtype": str(dtype).removeprefix("torch."),
                "rounds": rounds or dtype in _SMALL or (self._rounds and dtype in _HALF),
            }
        )
        return f"t{len(self.steps) - 1}"

    def finish(self, nodes: Sequence[Node]) -> list[str]:
        """Makes the results the last steps. Returns their dtypes."""
        for node in nodes:
            value = self.value(node)
            self.step(value.text, torch.int32 if value.dtype == torch.bool else value.dtype)
        return [str(self.value(node).dtype).removeprefix("torch.") for node in nodes]

    # Operations

    def _fail(self, node: Node, what: str) -> None:
        raise FuseError(f"{self._function.__name__}: {what} cannot be fused{self._place(node)}")

    def _place(self, node: Node) -> str:
        return f", {node.stack_trace}" if node.stack_trace else ""

    def _call(self, node: Node) -> None:
        schema = getattr(node.target, "_schema", None)
        if schema is None:
            self._fail(node, str(node.target))
            return
        name = schema.name.split("::")[1]
        arguments = {a.name: a.default_value for a in schema.arguments}
        arguments.update(zip(arguments, node.args, strict=False))
        arguments.update(node.kwargs)
        if any(isinstance(v, torch.Tensor) for v in [node.meta.get("val")]) is False:
            self._fail(node, str(node.target))
        in_place = name.endswith("_") and schema.is_mutable
        written = node.args[0] if in_place else None
        if in_place:
            name = name.removesuffix("_")
            if self.value(written).is_input:
                self._fail(node, f"{node.target}, which writes an argument of the function,")
        elif schema.is_mutable:
            self._fail(node, str(node.target))
        value = self._result(node, name, arguments)
        self._values[node] = value
        if in_place:
            self._values[written] = value

    def _result(self, node: Node, name: str, arguments: dict[str, Any]) -> _Value:
        dtype = node.meta["val"].dtype
        first = next(iter(arguments.values()), None)
        if name in IDENTITIES or (self._sums and name in SUMS):
            return self._cast(self.value(first), dtype)
        if name in ("_to_copy", "convert_element_type", "to"):
            return self._cast(self.value(first), dtype)
        if name in ("copy",):
            return self._cast(self._operand(arguments["src"], dtype), dtype)
        if name in ("scalar_tensor", "full", "full_like"):
            number = arguments.get("s", arguments.get("fill_value"))
            return _Value(self._numbers.text(number, not dtype.is_floating_point), dtype)
        if name in ("zeros_like", "ones_like", "zeros", "ones", "new_zeros", "new_ones"):
            return _Value(self._numbers.text("ones" in name, not dtype.is_floating_point), dtype)
        if name in BITWISE:
            return self._bitwise(node, BITWISE[name], arguments, dtype)
        if name == "bitwise_not":
            operand = self.value(first)
            text = f"!{operand.text}" if dtype == torch.bool else f"~{operand.text}"
            return _Value(self.step(text, dtype if dtype != torch.bool else torch.int32), dtype)
        return self._pointwise(node, *self._expression(node, name, arguments), arguments)

    def _expression(self, node: Node, name: str, arguments: dict[str, Any]) -> tuple[str, str]:
        """Kind and template, with what follows from arguments that are no numbers of the kernel."""
        if name == "gelu" or name == "gelu_backward":
            form = "gelu_erf" if arguments["approximate"] == "none" else "gelu_tanh"
            return "same", f"{form}({{self}})" if name == "gelu" else f"{{grad_output}} * {form}_derivative({{self}})"
        if name == "div" and arguments.get("rounding_mode") is not None:
            return "same", f"div_{arguments['rounding_mode']}({{self}}, {{other}})"
        if name == "clamp" or name == "hardtanh":
            low, high = ("min", "max") if name == "clamp" else ("min_val", "max_val")
            text = "{self}" if arguments[low] is None else f"max({{self}}, {{{low}}})"
            return "same", text if arguments[high] is None else f"min({text}, {{{high}}})"
        if name == "pow" and isinstance(arguments["exponent"], (int, float)):
            short = {2: "{self} * {self}", 3: "{self} * {self} * {self}", 1: "{self}", 0: "{self} * 0 + 1"}
            if node.meta["val"].dtype.is_floating_point:
                short.update({0.5: "sqrt({self})", -1: "1 / {self}", -2: "1 / ({self} * {self})", -0.5: "rsqrt({self})"})
            short.pop(0)
            if arguments["exponent"] in short:
                return "same", short[arguments["exponent"]]
        if name in ("add", "sub", "rsub") and arguments.get("alpha", 1) == 1:
            return EXPRESSIONS[name][0], EXPRESSIONS[name][1].replace("{alpha} * ", "")
        if name in ("floor", "ceil", "round", "trunc") and not node.meta["val"].dtype.is_floating_point:
            return "same", "{self}"
        if name not in EXPRESSIONS or (name == "round" and arguments.get("decimals")):
            self._fail(node, str(node.target))
        return EXPRESSIONS[name]

    def _operand(self, argument: Any, dtype: torch.dtype) -> _Value:
        if isinstance(argument, Node):
            return self.value(argument)
        return _Value(self._numbers.text(argument, not dtype.is_floating_point), dtype)

    def _pointwise(self, node: Node, kind: str, template: str, arguments: dict[str, Any]) -> _Value:
        dtype = node.meta["val"].dtype
        names = [name for name in re.findall(r"\{(\w+)\}", template) if name not in ("condition", "mask")]
        meet = self._meet([arguments[name] for name in names]) if kind == "bool" else dtype
        if meet == torch.bool:  # 0 and 1
            meet = torch.int32
        texts = {name: self._operand(value, meet).text for name, value in arguments.items() if f"{{{name}}}" in template}
        text = self.step(template.format(**texts), meet)
        if kind != "bool" and dtype == torch.bool:
            text = self.step(f"{text} != 0", torch.int32)
        return _Value(text, dtype)

    @staticmethod
    def _meet(arguments: list[Any]) -> torch.dtype:
        values = [a.meta["val"] if isinstance(a, Node) else a for a in arguments]
        result = torch.result_type(values[0], values[-1])
        return result

    def _bitwise(self, node: Node, operator: str, arguments: dict[str, Any], dtype: torch.dtype) -> _Value:
        left, right = (self._operand(arguments[name], dtype).text for name in ("self", "other"))
        if dtype == torch.bool:
            left, right = f"({left} != 0)", f"({right} != 0)"
        return _Value(self.step(f"{left} {operator} {right}", torch.int32 if dtype == torch.bool else dtype), dtype)

    def _cast(self, value: _Value, dtype: torch.dtype) -> _Value:
        if value.dtype == dtype:
            return value
        if dtype == torch.bool:
            meet = torch.int32 if value.dtype == torch.bool else value.dtype
            return _Value(self.step(f"{value.text} != 0", meet), dtype)
        # The user asked for this dtype: what it cannot hold is gone.
        return _Value(self.step(value.text, dtype, rounds=True), dtype)


class _Places(TorchDispatchMode):
    """Notes for each traced call the line of the user's that made it."""

    _ours = (os.path.dirname(torch.__file__), os.path.dirname(__file__))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith(self._ours):
            frame = frame.f_back
        if frame is not None:
            line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
            traceback.set_stack_trace([f"in {frame.f_code.co_filename}, line {frame.f_lineno}: {line}"])
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

    def __call__(self, tensors: list[torch.Tensor]) -> Any:
        answer = self.operator(*[tensors[i] for i in self.tensors], **self.numbers)
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
        leaves, structure = tree_flatten((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        gradients = torch.is_grad_enabled()
        key = (structure, gradients, torch.get_default_dtype(), *(_key_of(leaf, gradients) for leaf in leaves))
        trace = self._traces.get(key)
        if trace is None:
            if len(self._traces) == _MOST_TRACES:
                self._traces.clear()
            trace = self._traces[key] = self._make(leaves, structure, tensors, gradients)
        return trace(tensors)

    def _make(self, leaves: list[Any], structure: Any, tensors: list[torch.Tensor], gradients: bool) -> _Trace:
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
        numbers = _Numbers()
        results, structure_out = answer["results"], answer["structure"]
        backward = None
        wanted = [i for i, t in enumerate(tensors) if gradients and t.requires_grad]
        forward = _Program(graph, self._function, self._rounding, numbers, sums=False)
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
        return _Trace(operator, forward.used, named, handed, structure_out)

    def _trace(self, function: Callable[..., Any], tensors: Sequence[torch.Tensor]) -> Graph:
        def placed(*values: torch.Tensor) -> Any:
            with _Places():
                return function(*values)

        with traceback.preserve_node_meta():
            module = make_fx(placed, _decompositions(), tracing_mode="fake")(*tensors)
        module.graph.eliminate_dead_code()
        return module.graph

    def _backward(
        self,
        flat: Callable[..., list[torch.Tensor]],
        tensors: list[torch.Tensor],
        nodes: list[Node],
        wanted: list[int],
        used: list[int],
        numbers: _Numbers,
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
        program = _Program(graph, self._function, self._rounding, numbers, sums=True)
        outputs = program.finish(program.results)
        sources = [
            ("tensor", used.index(i)) if i < len(tensors) else ("gradient", differentiable[i - len(tensors)]) for i in program.used
        ]
        inputs = [used.index(i) for i, there in zip(wanted, found, strict=True) if there]
        return {"inputs": inputs, "tensors": sources, **self._program(program, outputs)}

    @staticmethod
    def _program(program: _Program, outputs: list[str]) -> dict[str, Any]:
        wide = any(step["dtype"] == "float64" for step in program.steps)
        return {
            "is_bool": program.is_bool,
            "number_dtype": "float64" if wide else "float32",
            "steps": program.steps,
            "outputs": outputs,
        }

    def _define(self, forward: _Program, outputs: list[str], numbers: _Numbers, backward: dict[str, Any] | None) -> Any:
        text: dict[str, Any] = {"numbers": len(numbers.values), **self._program(forward, outputs), "backward": backward}
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
    return (type(leaf), leaf)


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
