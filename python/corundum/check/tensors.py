"""Tensors of every layout that an operator may meet, as data: whatever is checked can be written down and made again."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils import _pytree as pytree

Shape = tuple[int, ...]


def strided(shape, stride, offset, dtype, device, seed, kind="signed"):  # type: ignore[no-untyped-def]
    """Random numbers in a storage of just the room that the strides want; `kind`: "signed"; "special" with NaN and infinities;
    "divisor", the same without a whole number 0; "numbers", the same without NaN, infinities and -0; "squares"; "bool"; or an upper
    bound."""
    room = offset + 1 + sum((n - 1) * s for n, s in zip(shape, stride, strict=True)) if 0 not in shape else offset
    g = torch.Generator().manual_seed(seed)
    if isinstance(kind, int):
        flat = torch.randint(max(kind, 1), (room,), generator=g)
    elif kind == "bool" or dtype is torch.bool:
        flat = torch.rand(room, generator=g) > 0.5
    elif dtype.is_complex:
        flat = torch.view_as_complex(torch.randn(room, 2, generator=g, dtype=torch.float64) * 3)
    elif dtype.is_floating_point:
        flat = torch.randn(room, generator=g, dtype=torch.float64) * 3
        flat = flat * flat if kind == "squares" else flat
        if kind in ("special", "divisor", "numbers"):
            for k, value in enumerate([float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-30, 1e30]):
                if kind != "numbers" or k not in (0, 1, 2, 4):
                    flat[k * 7 + 1 :: 101] = value
    else:
        flat = torch.randint(-100 if dtype.is_signed else 0, 100, (room,), generator=g)
        if kind == "divisor":
            flat[flat == 0] = 7
    return flat.to(dtype).to(device).as_strided(shape, stride, offset)


@dataclass(frozen=True)
class Recipe:
    """A tensor as data."""

    shape: Shape
    stride: Shape
    offset: int
    dtype: torch.dtype
    seed: int = 0
    kind: str | int = "signed"
    view: str = ""
    """A view on top: "conj" or "neg"."""

    def make(self, device: str) -> torch.Tensor:
        t: torch.Tensor = strided(self.shape, self.stride, self.offset, self.dtype, device, self.seed, self.kind)
        return VIEWS[self.view](t)

    def text(self, device: str) -> str:
        made = f"strided({self.shape}, {self.stride}, {self.offset}, {self.dtype}, {device!r}, {self.seed}, {self.kind!r})"
        return {"": made, "conj": f"{made}.conj()", "neg": f"torch._neg_view({made})"}[self.view]


VIEWS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"": lambda t: t, "conj": torch.conj, "neg": torch._neg_view}
STRIDED_SOURCE = inspect.getsource(strided).replace("  # type: ignore[no-untyped-def]", "")


def dense(shape: Shape) -> Shape:
    """Strides of a contiguous tensor."""
    stride, step = [], 1
    for size in reversed(shape):
        stride.append(step)
        step *= max(size, 1)
    return tuple(reversed(stride))


def _transposed(shape: Shape) -> tuple[Shape, int]:
    stride = list(dense((*shape[:-2], shape[-1], shape[-2])))
    stride[-1], stride[-2] = stride[-2], stride[-1]
    return tuple(stride), 0


def _channels_last(shape: Shape) -> tuple[Shape, int]:
    _, c, h, w = shape
    return (h * w * c, 1, w * c, c), 0


def _sliced(shape: Shape) -> tuple[Shape, int]:
    wide = (*shape[:-1], shape[-1] * 2 + 3)
    return (*dense(wide)[:-1], 2), 1


# Layout name to (least dimensions, most dimensions, shape -> (strides, storage offset)).
LAYOUTS: dict[str, tuple[int, int, Callable[[Shape], tuple[Shape, int]]]] = {
    "contiguous": (0, 9, lambda shape: (dense(shape), 0)),
    "misaligned": (1, 9, lambda shape: (dense(shape), 1)),
    "transposed": (2, 9, _transposed),
    "sliced": (1, 9, _sliced),
    "padded": (2, 9, lambda shape: (dense((*shape[:-1], shape[-1] + 3)), 0)),
    "expanded": (1, 9, lambda shape: ((*dense((*shape[:-1], 1))[:-1], 0), 0)),
    "permuted": (3, 9, lambda shape: (tuple(reversed(dense(tuple(reversed(shape))))), 0)),
    "channels_last": (4, 4, _channels_last),
}
SIZES = [0, 1, 15, 16, 17, 127, 128, 129, 4095, 4096, 4097]


def shapes(full: bool) -> Iterator[Shape]:
    """Sizes at the edges of vectors and tiles, in one to four dimensions, and no dimension at all."""
    yield ()
    for size in SIZES:
        yield (size,)
    for size in SIZES if full else [0, 1, 17, 129]:
        yield (3, size)
        yield (size, 5)
    yield from [(33, 65), (2, 3, 5, 7), (4, 16, 8, 8)]
    if full:
        yield from [(64, 64), (129, 127), (1000, 33), (7, 1, 31), (1, 4097, 2), (2, 2, 2, 2, 3)]


def layouts(shape: Shape) -> Iterator[tuple[str, Shape, int]]:
    """The layouts that a shape can have: name, strides, offset."""
    for name, (least, most, lay) in LAYOUTS.items():
        if least <= len(shape) <= most:
            yield name, *lay(shape)


# --- copies that notice a stray write ---------------------------------------------------------------------------------------------

GUARD = 512  # bytes before and after the storage, a multiple of every alignment
CANARY = 0x5A


# Storages up to so many bytes are looked at on the CPU: a copy costs less than the dozen small kernels of a look on a GPU.
LOOKED_AT_ON_CPU = 1 << 26


@dataclass
class Guarded:
    """Copies of a call's tensors with guards around their storages."""

    storages: list[tuple[torch.Tensor, torch.Tensor, int]] = field(default_factory=list)
    """(bytes with guards, what they were when made, bytes of the storage)"""
    copies: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)

    def copy(self, tree: Any) -> Any:
        """The same tree with copied tensors; tensors that share a storage share one afterwards."""
        known: dict[int, torch.Tensor] = {}

        def one(t: Any) -> Any:
            if not isinstance(t, torch.Tensor) or t.layout is not torch.strided or type(t) is not torch.Tensor:
                return t.clone() if isinstance(t, torch.Tensor) else t
            storage = t.untyped_storage()
            key = storage.data_ptr() if storage.nbytes() else id(t)
            if key not in known:
                known[key] = self._padded(storage, t.device)
            shift = GUARD // t.element_size() + t.storage_offset()
            plain = torch.empty(0, dtype=t.dtype, device=t.device).set_(known[key].untyped_storage(), shift, t.shape, t.stride())
            plain = torch._neg_view(plain) if t.is_neg() else plain
            plain = plain.conj() if t.is_conj() else plain
            plain.requires_grad_(t.requires_grad)
            self.copies.append((plain, t))
            return plain

        return pytree.tree_map(one, tree)

    def _padded(self, storage: torch.UntypedStorage, device: torch.device) -> torch.Tensor:
        size = storage.nbytes()
        inside = torch.empty(0, dtype=torch.uint8, device=device).set_(storage)
        home = torch.device("cpu") if size <= LOOKED_AT_ON_CPU else device
        before = torch.full((size + 2 * GUARD,), CANARY, dtype=torch.uint8, device=home)
        before[GUARD : GUARD + size] = inside.to(home)
        padded = before.clone() if home == device else before.to(device)
        self.storages.append((padded, before, size))
        return padded

    def written(self) -> list[int]:
        """Which of the copies have changed."""
        touched = {
            now.untyped_storage().data_ptr() for now, before, _ in self.storages if not torch.equal(now.to(before.device), before)
        }
        return [
            place
            for place, (now, before) in enumerate(self.copies)
            if now.untyped_storage().data_ptr() in touched and not torch.equal(_bits(now), _bits(before))
        ]

    def stray_write(self, written: list[torch.Tensor]) -> str | None:
        """What was written outside of the tensors `written`, in words. Their own elements may differ."""
        for memory, before, size in self.storages:
            now = memory.to(before.device)
            if torch.equal(now, before):
                continue
            mask = torch.ones_like(now, dtype=torch.bool)
            for t in written:
                if t.untyped_storage().data_ptr() == memory.untyped_storage().data_ptr() and t.numel():
                    wide = torch.empty(0, dtype=torch.bool, device=now.device).set_(mask.untyped_storage())
                    width = t.element_size()
                    steps = tuple(s * width for s in t.stride())
                    wide.as_strided((*t.shape, width), (*steps, 1), t.storage_offset() * width).fill_(False)
            stray = ((now != before) & mask).nonzero().flatten()
            if stray.numel():
                return (
                    f"{stray.numel()} bytes were written outside of the result, the first at byte {int(stray[0]) - GUARD} of {size}"
                )
        return None


def _bits(t: torch.Tensor) -> torch.Tensor:
    flat = t.detach().resolve_conj().resolve_neg().reshape(-1)
    return (
        flat.clone(memory_format=torch.contiguous_format).view(torch.uint8) if flat.numel() else torch.empty(0, dtype=torch.uint8)
    )
