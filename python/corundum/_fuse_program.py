"""From a graph of ATen calls to the steps of one kernel."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Graph, Node

from corundum._fuse_table import BITWISE, EXPRESSIONS, IDENTITIES, SUMS

_MOST_NUMBERS = 8
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


class Numbers:
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


class Program:
    """Turns a graph of ATen calls into the steps of a kernel."""

    def __init__(self, graph: Graph, function: Callable[..., Any], rounding: str, numbers: Numbers, sums: bool) -> None:
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
