"""The ways a call is made. A mode runs a function on arguments under some condition and gives what is to be compared.

Each is run with ATen and with Corundum in its place; the rest of the checker knows no mode.
"""

import contextlib
import logging
import os
import pickle
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree

import corundum

Function = Callable[..., Any]


@dataclass(frozen=True)
class Mode:
    name: str
    run: Callable[[Function, list[Any], dict[str, Any]], Any]
    """Makes the call and returns what is compared."""
    wants: Callable[[list[torch.Tensor], bool], bool] = lambda tensors, writes: True
    """Whether a call with these tensors, that writes one of them or not, can be made so."""
    backend: str | None = None
    """The only backend where it means something."""
    values: bool = True
    """The result holds values, which a reference in double precision can confirm."""
    slow: bool = False
    """A call costs a tenth of a second and more: made for one dtype of an overload."""
    repeats: bool = False
    """The call is made again and again and must be the same each time: not for who draws random numbers."""
    untouched: bool = False
    """ATen's call is made with nothing of ours registered: what a registration spoils, it spoils for both."""


def plain(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return f(*args, **kwargs)


def _differentiable(tensors: list[torch.Tensor], writes: bool) -> bool:
    return not writes and any(t.is_floating_point() or t.is_complex() for t in tensors)


def _double(tensors: list[torch.Tensor], writes: bool) -> bool:
    """gradcheck's numbers need double precision, and few enough of them."""
    floating = [t for t in tensors if t.is_floating_point() or t.is_complex()]
    return not writes and bool(floating) and all(t.dtype is torch.float64 and 0 < t.numel() <= 200 for t in floating)


def _require_grad(tree: Any) -> tuple[Any, list[torch.Tensor]]:
    leaves: list[torch.Tensor] = []

    def one(t: Any) -> Any:
        if isinstance(t, torch.Tensor) and (t.is_floating_point() or t.is_complex()):
            leaf = t.detach().requires_grad_()
            leaves.append(leaf)
            return leaf
        return t

    return pytree.tree_map(one, tree), leaves


def _outputs(result: Any) -> list[torch.Tensor]:
    return [t for t in pytree.tree_leaves(result) if isinstance(t, torch.Tensor) and t.requires_grad]


def backward(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Results, the names of their grad_fn, and the gradients of a weighted sum."""
    (args, kwargs), leaves = _require_grad((args, kwargs))
    result = f(*args, **kwargs)
    outputs = _outputs(result)
    names = [type(t.grad_fn).__name__ for t in outputs]
    if not outputs:
        return result, names
    weights = [torch.linspace(-1, 1, t.numel(), dtype=torch.float64).reshape(t.shape).to(t.dtype).to(t.device) for t in outputs]
    grads = torch.autograd.grad(outputs, leaves, weights, allow_unused=True)
    return pytree.tree_map(lambda t: t.detach() if isinstance(t, torch.Tensor) else t, result), names, list(grads)


def grad_fn(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """What each result says of its gradient."""
    (args, kwargs), _ = _require_grad((args, kwargs))
    results = [t for t in pytree.tree_leaves(f(*args, **kwargs)) if isinstance(t, torch.Tensor)]
    return [(t.requires_grad, type(t.grad_fn).__name__, t.is_leaf) for t in results]


def _numeric(check: Callable[..., bool]) -> Callable[[Function, list[Any], dict[str, Any]], Any]:
    def run(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
        (args, kwargs), leaves = _require_grad((args, kwargs))

        def of(*tensors: torch.Tensor) -> Any:
            fresh = iter(tensors)
            swapped = pytree.tree_map(
                lambda t: next(fresh) if isinstance(t, torch.Tensor) and t.requires_grad else t, (args, kwargs)
            )
            return tuple(_outputs(f(*swapped[0], **swapped[1])))

        with torch.random.fork_rng():
            torch.manual_seed(0)
            return check(of, tuple(t.clone() for t in leaves), fast_mode=True, nondet_tol=0.0)

    return run


def threads(count: int) -> Callable[[Function, list[Any], dict[str, Any]], Any]:
    """The call on `count` fresh threads at once; gradients too, since autograd has threads of its own."""

    def run(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
        results: list[Any] = [None] * count
        errors: list[Exception] = []

        def one(place: int) -> None:
            try:
                results[place] = f(*args, **kwargs)
            except Exception as error:
                errors.append(error)

        pool = [threading.Thread(target=one, args=(place,)) for place in range(count)]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
        if errors:
            raise errors[0]
        return results

    return run


_elsewhere: list[corundum.Call] = []


@contextlib.contextmanager
def recorded_elsewhere() -> Iterator[list[corundum.Call]]:
    """The aten calls that a mode made in another process within the block."""
    _elsewhere.clear()
    yield _elsewhere


def fork(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The call in a forked child; its result comes back through a pipe."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of forks beside threads: that is what is tested
        child = os.fork()
    if child == 0:
        status = 1
        try:
            torch.set_num_threads(1)
            with corundum.record() as calls:
                result = f(*args, **kwargs)
            result = pytree.tree_map(lambda t: _Bytes.of(t) if isinstance(t, torch.Tensor) else t, result)
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump((result, calls.calls), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"the forked child ended with status {status}")
    result, calls = pickle.loads(data)
    _elsewhere.extend(calls)
    return pytree.tree_map(lambda t: t.tensor() if isinstance(t, _Bytes) else t, result)


@dataclass
class _Bytes:
    """A tensor's facts and numbers, without a tensor: its storage would want shared memory."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, t: torch.Tensor) -> "_Bytes":
        flat = t.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
        return cls(t.dtype, tuple(t.shape), flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b"")

    def tensor(self) -> torch.Tensor:
        flat = torch.frombuffer(bytearray(self.data), dtype=self.dtype) if self.data else torch.empty(0, dtype=self.dtype)
        return flat.reshape(self.shape)


def compiled(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    torch._dynamo.reset()
    logging.getLogger("torch._subclasses.fake_tensor").setLevel(logging.CRITICAL)  # it prints what it raises
    return torch.compile(lambda *a, **k: f(*a, **k), backend="aot_eager", dynamic=False)(*args, **kwargs)


def vmap(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Over a new first dimension of every tensor."""
    leaves, form = pytree.tree_flatten((args, kwargs))
    places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]

    def of(*tensors: torch.Tensor) -> Any:
        swapped = list(leaves)
        for place, t in zip(places, tensors, strict=True):
            swapped[place] = t
        a, k = pytree.tree_unflatten(swapped, form)
        return f(*a, **k)

    stacked = [torch.stack([leaves[k], leaves[k].flip(0) if leaves[k].dim() else leaves[k]]) for k in places]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "performance drop": true of ATen as well
        return torch.vmap(of)(*stacked)


def fake(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """What FakeTensor says of the result, beside the result."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=False) as mode:
        a, k = pytree.tree_map(lambda t: mode.from_tensor(t) if isinstance(t, torch.Tensor) else t, (args, kwargs))
        told = f(*a, **k)
    real = f(*args, **kwargs)
    return [
        (str(t.dtype), tuple(t.shape), t.stride() if t.numel() > 1 else None, str(t.device))
        for t in pytree.tree_leaves((told, real))
        if isinstance(t, torch.Tensor)
    ]


def autocast(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    device = next((t.device.type for t in pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)), "cpu")
    with torch.autocast(device, torch.bfloat16):
        return f(*args, **kwargs)


def inference(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    with torch.inference_mode():
        result = f(*args, **kwargs)
    return pytree.tree_map(lambda t: t.clone() if isinstance(t, torch.Tensor) else t, result)


def deterministic(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        return f(*args, **kwargs), f(*args, **kwargs)
    finally:
        torch.use_deterministic_algorithms(before)


def side_stream(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.cuda._sleep(2_000_000)  # the call must wait for what its stream did before
        moved = pytree.tree_map(lambda t: t.clone() if isinstance(t, torch.Tensor) else t, (args, kwargs))
        result = f(*moved[0], **moved[1])
    torch.cuda.current_stream().wait_stream(stream)
    return result


def graph(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Captured, with no call before; replayed twice, the second time on other numbers."""
    captured = torch.cuda.CUDAGraph()
    tensors = [t for t in pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor) and t.is_cuda]
    before = [t.clone() for t in tensors]
    torch.cuda.synchronize()
    with torch.cuda.graph(captured):
        result = f(*args, **kwargs)
    first = []
    for turn in range(2):
        for t, kept in zip(tensors, before, strict=True):
            if _writable(t):
                t.copy_(kept.flip(0) if turn and t.dim() else kept)
        captured.replay()
        torch.cuda.synchronize()
        first.append(pytree.tree_map(lambda t: t.clone() if isinstance(t, torch.Tensor) else t, result))
    return first


def _writable(t: torch.Tensor) -> bool:
    return all(size <= 1 or stride != 0 for size, stride in zip(t.shape, t.stride(), strict=True))


def second_device(f: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    moved = pytree.tree_map(lambda t: t.to("cuda:1") if isinstance(t, torch.Tensor) and t.is_cuda else t, (args, kwargs))
    with torch.cuda.device(0):
        return f(*moved[0], **moved[1])


def _pure(tensors: list[torch.Tensor], writes: bool) -> bool:
    return not writes


MODES = {
    mode.name: mode
    for mode in [
        Mode("plain", plain),
        Mode("backward", backward, _differentiable),
        Mode("grad_fn", grad_fn, _differentiable, values=False, slow=True, untouched=True),
        Mode("gradcheck", _numeric(torch.autograd.gradcheck), _double, values=False, repeats=True),
        Mode("gradgradcheck", _numeric(torch.autograd.gradgradcheck), _double, values=False, repeats=True),
        Mode("fresh thread", threads(1), _pure),
        Mode("eight threads", threads(8), _pure, repeats=True),
        Mode("fork", fork, _pure, "cpu", slow=True),
        Mode("compile", compiled, slow=True),
        Mode("vmap", vmap, _pure),
        Mode("fake", fake, _pure, values=False),
        Mode("autocast", autocast, _pure, values=False),
        Mode("inference", inference),
        Mode("deterministic", deterministic, _pure),
        Mode("side stream", side_stream, _pure, backend="cuda"),
        Mode("graph", graph, backend="cuda"),
        Mode("second device", second_device, _pure, backend="cuda"),
    ]
}
