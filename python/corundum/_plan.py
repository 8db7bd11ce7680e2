"""Planning and packing without a device: which kernels a list of cases needs, compiled here for another machine."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from corundum import _front, _kinds, _library
from corundum._cases import Case, read_cases

# Called with how much is done and how much there is.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pack:
    """A pack that was written."""

    path: str
    target: str
    kernels: int
    bytes: int
    """Of the kernels."""
    failed: int
    errors: list[str]
    """One line a kernel that did not compile."""


@dataclass(frozen=True)
class Plan:
    """The kernels that a list of cases needs on one target."""

    target: str
    kernels: list[str]
    """The keys in clear text, each once, in order of first use."""
    token: int

    def write(self, path: str | os.PathLike[str], threads: int | None = None, progress: Progress | None = None) -> Pack:
        """Compiles the kernels on `threads` threads (default: one per processor) and writes them as one pack.

        A kernel that does not compile is left out and named in the result. Raises RuntimeError when the file cannot be written or
        no compiler for the target is found.
        """
        count = threads if threads is not None else (os.cpu_count() or 1)
        if count < 1:
            raise ValueError(f"threads: expected 1 or more, got {threads}")
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(_library._call, "pack_write", token=self.token, path=os.fspath(path), threads=count)
            while progress and not wait([writing], timeout=0.1).done:
                progress(_library._call("pack_progress", token=self.token)["done"], len(self.kernels))
            answer = writing.result()
        if progress:
            progress(len(self.kernels), len(self.kernels))
        return Pack(os.fspath(path), self.target, answer["kernels"], answer["bytes"], answer["failed"], answer["errors"])


def plan(target: str, cases: str | os.PathLike[str] | Iterable[dict[str, Any]], progress: Progress | None = None) -> Plan:
    """Runs the cases on tensors without memory and notes the kernels that they would launch on `target` ("sm_90", "avx512", ...).

    `cases` is the path of a file of JSON lines or a list of such objects: {"call": "torch.nn.functional.gelu", "args":
    [{"shape": [4096, 4096], "dtype": "bfloat16"}]}; docs/packs.md says all of it. Needs no device and launches nothing. Enables
    Corundum while it works, when it is not.

    Raises ValueError for an unknown target, and for a case that cannot be read or that PyTorch itself refuses.
    """
    expanded = list(read_cases(cases))
    key = _dispatch_key(target)
    with _front.enabled():
        return _run(target, key, expanded, progress)


def pack(
    target: str,
    cases: str | os.PathLike[str] | Iterable[dict[str, Any]],
    path: str | os.PathLike[str],
    threads: int | None = None,
) -> Pack:
    """Plans the cases for `target` and writes their kernels to `path`: `plan()`, then `Plan.write()`."""
    return plan(target, cases).write(path, threads)


def _run(target: str, key: torch._C.DispatchKey, cases: list[Case], progress: Progress | None) -> Plan:
    backend = "cpu" if key == torch._C.DispatchKey.CPU else "cuda"
    ours = {operator["overload"] for operator in _front.ops() if backend in operator["backends"] and not operator["via"]}
    for name in _library._call("defined")["names"]:  # of users: each form of them
        ours |= {name, f"{name}_", f"{name}.out"}
    _library._call("plan_begin", target=target)
    try:
        for done, case in enumerate(cases):
            with _Planning(key, ours):
                case.run()
            if progress:
                progress(done + 1, len(cases))
    finally:
        answer = _library._call("plan_end")
    return Plan(target, answer["kernels"], answer["token"])


def _dispatch_key(target: str) -> torch._C.DispatchKey:
    """Where the kernels for a target are registered: torch keeps both CUDA's and HIP's under CUDA."""
    is_gpu = target.startswith(("sm_", "gfx"))
    return torch._C.DispatchKey.CUDA if is_gpu else torch._C.DispatchKey.CPU


class _Planning(TorchDispatchMode):
    """Sends each leaf aten call on meta tensors to the kernel that Corundum registered for the target's backend."""

    def __init__(self, key: torch._C.DispatchKey, ours: set[str]) -> None:
        super().__init__()
        self._keys = torch._C.DispatchKeySet(key)
        self._ours = ours

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func.name().removeprefix("aten::") in self._ours:
            return func.redispatch(self._keys, *_numbers_as_tensors(func, args), **kwargs)
        if _runs_others(func.name()):
            with self:  # the calls that it makes are leaves, too
                return func.redispatch(self._keys, *_numbers_as_tensors(func, args), **kwargs)
        return func(*args, **kwargs)


def _numbers_as_tensors(func: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """`x * 2` is mul.Tensor of a number, which redispatch does not take: as a 0-dim tensor it plans the same kernel."""
    pairs = zip(args, func._schema.arguments, strict=False)
    return tuple(
        torch.tensor(value) if isinstance(value, (bool, int, float)) and str(kind.type) == "Tensor" else value
        for value, kind in pairs
    )


def _runs_others(name: str) -> bool:
    """A composite that autograd sees as one operator (clone, mean without dimensions): on a device it calls its parts.

    Views and allocations are left to the meta kernel, which knows how to make a tensor without memory.
    """
    return _kinds.is_composite(name) and _kinds.kind(name.removeprefix("aten::")) == "composite"
