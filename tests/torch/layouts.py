"""Tensors of every layout that an operator may meet, as data."""

import torch

# Layout name to a function of (size 2-d contiguous source) -> tensor.
LAYOUTS = {
    "contiguous": lambda t: t,
    "transposed": lambda t: t.t(),
    "sliced": lambda t: t[1:, ::2],
    "expanded": lambda t: t[:, :1].expand(-1, 5),
    "channels_last": lambda t: t[:16, :24].reshape(2, 8, 4, 6).to(memory_format=torch.channels_last),
    "permuted": lambda t: t[:16, :24].reshape(4, 4, 4, 6).permute(2, 0, 3, 1),
    "misaligned": lambda t: t.reshape(-1)[1:],
    "no_dimensions": lambda t: t[2, 3],
    "empty": lambda t: t[:0],
    "one_element": lambda t: t[:1, :1],
}


def values(dtype, device, seed=0, shape=(17, 33)):
    """Numbers of both signs."""
    generator = torch.Generator().manual_seed(seed)
    if dtype is torch.bool:
        return (torch.rand(shape, generator=generator) > 0.5).to(device)
    if dtype.is_complex:
        parts = torch.randn((*shape, 2), generator=generator, dtype=torch.float64)
        return torch.view_as_complex(parts).to(dtype).to(device)
    if not dtype.is_floating_point:
        low = -100 if dtype.is_signed else 0
        return torch.randint(low, 100, shape, generator=generator).to(dtype).to(device)
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * 3).to(dtype).to(device)


def with_specials(t):
    """The same with values that only a careful kernel gets right: a NaN, infinities, zeros of both signs and a tiny number."""
    t = t.clone()
    flat = t.view(-1)
    for i, special in enumerate([float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-30]):
        flat[i * 7] = special
    return t
