"""The benchmark's case files that are generated: one case an operator, and the shapes of real models.

Usage: PYTHONPATH=python python tools/operators.py, which writes both beside docs/operators.md, and whose --check compares.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from corundum.check import calls
from corundum.check.tensors import dense

FOLDER = Path(__file__).resolve().parents[1] / "python" / "corundum" / "bench" / "cases"
SHAPES = [[64, 64], [1024, 1024], [4096, 4096]]
# Stands for the dtype of the call while its arguments are made.
ANY = torch.complex32

# --- one case an operator ---------------------------------------------------------------------------------------------------------


# Of one number: nothing to measure; not there on meta tensors; with operands that are no plain tensors.
LEFT_OUT = {"_amp_update_scale_", "_fused_adagrad_", "_fused_sgd_", "dequantize", "glu_backward"}
# Functions that make tensors of one number.
MADE = {"torch.full": 0, "torch.zeros": 0, "torch.ones": 1}


class Described(dict[str, Any]):
    """A tensor of a case, of which a text may ask dtype and device."""

    dtype = "$dtype"
    device = None


class Written:
    """Stands for `torch` in the text of a call, and writes down what is called."""

    def __init__(self, path: str = "torch") -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        found = getattr(torch, name, None) if self._path == "torch" else None
        return f"torch.{name}" if isinstance(found, (torch.dtype, torch.layout)) else Written(f"{self._path}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if self._path == "torch.tensor":
            return {"shape": [], "dtype": "$dtype", "range": [args[0], args[0] + 1]}
        if self._path == "torch.sigmoid":  # of probabilities
            return {**args[0], "range": [0, 1]}
        if self._path == "torch.nan_to_num":
            return args[0]
        if self._path in MADE:
            number = max(1, int(args[1])) if self._path == "torch.full" else MADE[self._path]
            dtype = kwargs.get("dtype", "float32").removeprefix("torch.")
            return {"shape": list(args[0]), "dtype": dtype, "range": [number, number + 1]}
        case = {"call": self._path.removeprefix("torch.ops."), "args": list(args)}
        return {**case, "kwargs": kwargs} if kwargs else case


def described(call: calls.Call, name: str, shape: list[int]) -> dict[str, Any]:
    """The tensor that a call's text names, as a case has it."""
    recipe = calls.tensor(call, name, tuple(shape), dense(tuple(shape)), 0, ANY, "cuda", 0)
    dtype = "$dtype" if recipe.dtype == ANY else str(recipe.dtype).removeprefix("torch.")
    found = {"shape": list(recipe.shape), "dtype": dtype}
    return Described({**found, "range": [0, recipe.kind]} if isinstance(recipe.kind, int) else found)


def case_of(call: calls.Call, shape: list[int]) -> dict[str, Any]:
    names = {name: described(call, name, shape) for name in call.tensors}
    text = call.alone.replace("{shape}", str(tuple(shape)))
    return eval(text, {"torch": Written(), **names})


def operator_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A line an operator: its plainest overload on three shapes and two dtypes."""
    yield "# One case an operator that Corundum covers, on three shapes and two dtypes. Generated: tools/operators.py."
    for row in plainest(rows):
        dtypes = [name for name in ("float32", "bfloat16", "int32", "int64") if name in row["dtypes"]]
        dtypes = (dtypes + [name for name in row["dtypes"] if name not in dtypes])[:2]
        try:
            call = next(calls.calls(row["overload"]))
            cases = [case_of(call, shape) for shape in SHAPES]
        except LookupError as error:  # an argument that nobody has a value for
            print(f"no benchmark case for {row['overload']}: {error}", file=sys.stderr)
            yield f"# no case: {row['overload']}"
            continue
        same = [json.dumps(case).replace(str(shape), '"$shape"') for case, shape in zip(cases, SHAPES, strict=True)]
        if len(set(same)) == 1:
            cases = [{"each": {"shape": SHAPES, "dtype": dtypes}, **json.loads(same[0])}]
        else:
            cases = [{"each": {"dtype": dtypes}, **case} for case in cases]
        for case in cases:
            yield json.dumps({"group": row["family"], "device": "any", "measure": ["device"], "case": case})


def plainest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One overload an operator: no out=, in-place only where there is nothing else, tensors rather than numbers."""
    best: dict[str, tuple[tuple[bool, bool, str], dict[str, Any]]] = {}
    for row in rows:
        base, _, variant = row["overload"].partition(".")
        arguments = calls.schema_of(row["overload"]).arguments
        if row["via"] or base in LEFT_OUT or any(argument.is_out for argument in arguments):
            continue
        writes = any(argument.alias_info is not None and argument.alias_info.is_write for argument in arguments)
        rank = (writes, variant not in ("", "Tensor", "Tensor_Tensor", "self", "List"), variant)
        name = base.removesuffix("_") if writes else base
        if name not in best or rank < best[name][0]:
            best[name] = (rank, row)
    return [row for _, (_, row) in sorted(best.items())]


# --- shapes of real models --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decoder:
    """A Llama-like decoder as transformers runs it in eager mode. Sizes from the models' config.json."""

    name: str
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocab: int
    prompt: int

    def lines(self) -> Iterator[str]:
        for phase, tokens, past in (("prefill", self.prompt, 0), ("decode", 1, self.prompt)):
            group = f"{self.name} {phase}"
            for case in self.cases(tokens, tokens + past):
                yield line(group, case)
        for case in sampling(self.vocab):
            yield line(f"{self.name} sampling", case)

    def cases(self, tokens: int, seen: int) -> Iterator[dict[str, Any]]:
        state, wide = [1, tokens, self.hidden], [1, tokens, self.inner]
        queries, keys = [1, self.heads, tokens, self.head], [1, self.kv_heads, seen, self.head]
        scores = [1, self.heads, tokens, seen]
        yield call("nn.functional.embedding", ids([1, tokens], self.vocab), bf16([self.vocab, self.hidden]))
        yield call("Tensor.to", bf16(state), "torch.float32")  # the norm: in float32
        yield call("pow", f32(state), 2)
        yield call("mean", f32(state), [-1], True)
        yield call("rsqrt", f32([1, tokens, 1]))
        yield call("mul", f32(state), f32([1, tokens, 1]))
        yield call("Tensor.to", f32(state), "torch.bfloat16")
        yield call("mul", bf16([self.hidden]), bf16(state))
        yield from (mm(tokens, self.hidden, width) for width in (self.heads * self.head, self.kv_heads * self.head))
        yield call("cos", f32([1, tokens, self.head]))  # rotary positions
        yield call("neg", bf16([1, self.heads, tokens, self.head // 2], [0, tokens * self.head, self.head, 1]))
        yield call("mul", bf16(queries), bf16([1, 1, tokens, self.head]))
        yield call("add", bf16(queries), bf16(queries))
        yield call("cat", [bf16([*queries[:3], self.head // 2]), bf16([*queries[:3], self.head // 2])], -1)
        if self.kv_heads != self.heads:  # keys and values, once for each group of heads
            groups = self.heads // self.kv_heads
            size = seen * self.head
            yield call("Tensor.contiguous", bf16([1, self.kv_heads, groups, seen, self.head], [0, size, 0, self.head, 1]))
        yield call("bmm", bf16(queries[1:]), bf16([self.heads, self.head, seen]))
        yield call("mul", bf16(scores), self.head**-0.5)
        yield call("add", bf16(scores), bf16([1, 1, tokens, seen]))
        yield call("aten._softmax.default", f32(scores), -1, False)
        yield call("Tensor.contiguous", bf16([1, tokens, self.heads, self.head], [0, self.head, tokens * self.head, 1]))
        yield mm(tokens, self.heads * self.head, self.hidden)
        yield call("add", bf16(state), bf16(state))
        yield from (
            mm(tokens, self.hidden, self.inner),
            call("nn.functional.silu", bf16(wide)),
            call("mul", bf16(wide), bf16(wide)),
        )
        yield mm(tokens, self.inner, self.hidden)
        yield mm(1, self.hidden, self.vocab)
        yield call("cat", [bf16([*keys[:2], seen - 1, keys[3]]), bf16([*keys[:2], 1, keys[3]])], 2)


@dataclass(frozen=True)
class Encoder:
    """BERT, or the vision tower of CLIP, where `patches`."""

    name: str
    batch: int
    tokens: int
    hidden: int
    inner: int
    heads: int
    vocab: int = 0

    def lines(self) -> Iterator[str]:
        for case in self.cases():
            yield line(self.name, case)

    def cases(self) -> Iterator[dict[str, Any]]:
        state, wide = [self.batch, self.tokens, self.hidden], [self.batch, self.tokens, self.inner]
        rows, head = self.batch * self.tokens, self.hidden // self.heads
        scores = [self.batch, self.heads, self.tokens, self.tokens]
        if self.vocab:
            yield call("nn.functional.embedding", ids([self.batch, self.tokens], self.vocab), bf16([self.vocab, self.hidden]))
        yield call("add", bf16(state), bf16([1, self.tokens, self.hidden]))
        yield call("nn.functional.layer_norm", bf16(state), [self.hidden], bf16([self.hidden]), bf16([self.hidden]))
        yield from (mm(rows, self.hidden, width) for width in (self.hidden, self.inner))
        yield mm(rows, self.inner, self.hidden)
        yield call("add", bf16(scores), bf16([self.batch, 1, 1, self.tokens]))
        yield call("softmax", bf16(scores), -1)
        mixed = [self.tokens * self.hidden, head, self.tokens * head, 1]
        yield call("Tensor.contiguous", bf16([self.batch, self.tokens, self.heads, head], mixed))
        if self.vocab:
            yield call("nn.functional.gelu", bf16(wide))
        else:  # CLIP's "quick" gelu
            yield from (call("mul", bf16(wide), 1.702), call("sigmoid", bf16(wide)), call("mul", bf16(wide), bf16(wide)))
        yield call("add", bf16(state), bf16(state))
        yield call("tanh", bf16([self.batch, self.hidden]))


def sampling(vocab: int) -> Iterator[dict[str, Any]]:
    """From the last logits to a token: temperature, top-k, top-p."""
    logits = f32([1, vocab])
    yield from (call("div", logits, 0.7), call("topk", logits, 50), call("lt", logits, f32([1, 1])))
    yield call("masked_fill", logits, {"shape": [1, vocab], "dtype": "bool"}, -1e9)
    yield from (call("sort", logits), call("softmax", logits, -1), call("cumsum", logits, -1), call("argmax", logits, -1))


def f32(shape: list[int]) -> dict[str, Any]:
    return {"shape": shape, "dtype": "float32"}


def bf16(shape: list[int], stride: list[int] | None = None) -> dict[str, Any]:
    return {"shape": shape, "dtype": "bfloat16", **({"stride": stride} if stride else {})}


def ids(shape: list[int], below: int) -> dict[str, Any]:
    return {"shape": shape, "dtype": "int64", "range": [0, below]}


def mm(rows: int, inner: int, columns: int) -> dict[str, Any]:
    return call("mm", bf16([rows, inner]), bf16([inner, columns], [1, inner]))


def call(name: str, *args: Any) -> dict[str, Any]:
    return {"call": name if name.startswith("aten.") else f"torch.{name}", "args": list(args)}


def line(group: str, case: dict[str, Any]) -> str:
    return json.dumps({"group": group, "device": "any", "measure": ["device"], "case": case})


MODELS = [
    Encoder("BERT-base", 8, 512, 768, 3072, 12, 30522),
    Decoder("Llama-2-7B", 4096, 11008, 32, 32, 128, 32000, 1024),
    Decoder("Llama-3-8B", 4096, 14336, 32, 8, 128, 128256, 1024),
    Decoder("Qwen2.5-7B", 3584, 18944, 28, 4, 128, 152064, 1024),
    Encoder("LLaVA-1.5 vision", 1, 577, 1024, 4096, 16),
    Decoder("LLaVA-1.5 language", 4096, 11008, 32, 32, 128, 32064, 640),
]


def model_lines() -> Iterator[str]:
    yield "# The calls of real models, in bfloat16: prompts of 1024 tokens (LLaVA: an image and 64 more), then one token at a time."
    yield "# Generated: tools/operators.py."
    for model in MODELS:
        yield from dict.fromkeys(model.lines())


def files(rows: list[dict[str, Any]]) -> dict[Path, str]:
    """The generated case files and what is to stand in them."""
    lines = {"operators": operator_lines(rows), "models": model_lines()}
    return {FOLDER / f"{name}.jsonl": "\n".join(text) + "\n" for name, text in lines.items()}
