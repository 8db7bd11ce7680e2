"""Reductions, softmax, layer_norm and embedding: the values, dtype, shape and strides of ATen, and our own kernel served."""

import pytest
import torch
from against_aten import DEVICES, aten, compare, must_serve, same
from cases import FLOATS, HALVES, REDUCE, ROWS, product
from layouts import LAYOUTS, values

pytestmark = pytest.mark.usefixtures("on")
each_device = pytest.mark.parametrize("device", DEVICES)


def close_sums(ours, theirs):
    """Sums in another order than ATen's, which adds 16-bit means up in 16 bits."""
    assert (ours.dtype, ours.shape, ours.stride()) == (theirs.dtype, theirs.shape, theirs.stride())
    tolerance = {torch.float16: 4e-3, torch.bfloat16: 3e-2, torch.float32: 2e-5, torch.float64: 1e-12}.get(ours.dtype, 0)
    with aten():
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance * 4, equal_nan=True)


@pytest.mark.product
@each_device
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("dim", [(0,), (1,), (-1, 0), (0, 2), (1, 3), None])
@pytest.mark.parametrize(("name", "dtype"), product(REDUCE))
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_reductions(name, dtype, dim, keep, layout, device):
    case = REDUCE[name]
    x = values(dtype, device, shape=(3, 5, 7, 9))
    x = x.to(memory_format=torch.channels_last) if layout == "channels_last" else x
    with aten():
        theirs = case.function(x, dim, keep)
    with must_serve(case.overload):
        ours = case.function(x, dim, keep)
    close_sums(ours, theirs)


@pytest.mark.product
@each_device
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ROWS["sum"].dtypes)
def test_full_sums(dtype, layout, device):
    x = LAYOUTS[layout](values(dtype, device))
    with aten():
        theirs = x.sum(), x.sum(dtype=torch.float64)
    with must_serve("sum"):
        ours = x.sum(), x.sum(dtype=torch.float64)
    for a, b in zip(ours, theirs, strict=True):
        close_sums(a, b)


@each_device
def test_full_mean_of_nothing_and_something(device):
    for x in (values(torch.float32, device), torch.empty(0, 3, device=device), torch.tensor(2.5, device=device)):
        with aten():
            theirs = x.mean(), x.double().mean(dtype=torch.float32)
        with must_serve("mean"):
            ours = x.mean(), x.double().mean(dtype=torch.float32)
        for a, b in zip(ours, theirs, strict=True):
            close_sums(a, b)


@each_device
@pytest.mark.parametrize("shape", [(3, 5), (4, 1), (2, 1025), (2, 3, 4097), (0, 4), (1, 1), (6,), ()])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(shape, dtype, name, device):
    row = ROWS[name]
    x = values(dtype, device, shape=shape)
    views = [(x, -1)] + ([(x, 0), (x.mT, -1)] if len(shape) > 1 else [])
    for view, dim in views:
        compare(row._replace(function=lambda x, dim=dim: row.function(x, dim=dim)), view)


@each_device
@pytest.mark.parametrize("shape", [(3, 5), (4, 1025), (2, 3, 4097), (0, 4), (1, 1)])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("affine", ["none", "weight", "both"])
def test_layer_norm(shape, dtype, affine, device):
    x = values(dtype, device, shape=shape)
    n = shape[-1]
    weight = values(dtype, device, 1, (n,)) if affine != "none" else None
    bias = values(dtype, device, 2, (n,)) if affine == "both" else None
    with aten():
        theirs = torch.native_layer_norm(x, (n,), weight, bias, 1e-5)
    with must_serve("native_layer_norm"):
        ours = torch.native_layer_norm(x, (n,), weight, bias, 1e-5)
    tolerance = {torch.float16: 4e-3, torch.bfloat16: 3e-2, torch.float32: 2e-5, torch.float64: 1e-10}[dtype]
    for a, b in zip(ours, theirs, strict=True):
        assert (a.dtype, a.shape, a.stride()) == (b.dtype, b.shape, b.stride())
        with aten():
            torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance * 4)


def test_layer_norm_of_half_with_float_parameters():
    x, weight, bias = values(torch.bfloat16, "cpu", shape=(4, 48)), values(torch.float32, "cpu", 1, (48,)), torch.zeros(48)
    with aten():
        theirs = torch.native_layer_norm(x, (48,), weight, bias, 1e-5)
    with must_serve("native_layer_norm"):
        ours = torch.native_layer_norm(x, (48,), weight, bias, 1e-5)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        with aten():
            torch.testing.assert_close(a, b, rtol=3e-2, atol=3e-2)


@pytest.mark.product
@each_device
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ROWS["cumsum"].dtypes)
def test_cumsum_of_layouts(dtype, layout, device):
    x = LAYOUTS[layout](values(dtype, device))
    for dim in range(-1, max(1, x.dim())):
        compare(ROWS["cumsum"]._replace(function=lambda x, dim=dim: torch.cumsum(x, dim)), x)


@each_device
@pytest.mark.parametrize(
    "shape", [(1,), (3, 4095), (2, 4097), (5, 16, 7), (2, 1000, 3), (3, 257, 129), ((1 << 20) + 3,), (70001, 2)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int8])
def test_cumsum_is_exact_where_numbers_are(shape, dtype, device):
    """Sums of small whole numbers are rounded once: each bit is right, and the same in a second run."""
    x = torch.randint(-1, 2, shape, generator=torch.Generator().manual_seed(1)).to(dtype).to(device)
    for dim in {0, len(shape) - 1, len(shape) // 2}:
        with aten():
            theirs = x.double().cumsum(dim)
        with must_serve("cumsum"):
            ours, again = torch.cumsum(x, dim), torch.cumsum(x, dim)
        with aten():
            assert torch.equal(ours, again)
            assert torch.equal(ours.double(), theirs.to(ours.dtype).double())


@each_device
def test_cumsum_in_another_dtype(device):
    x = values(torch.float32, device)
    for source, target in [
        (torch.float32, torch.float64),
        (torch.float32, torch.bfloat16),
        (torch.float32, torch.int64),
        (torch.int32, torch.int8),
        (torch.int64, torch.float32),
        (torch.bool, torch.int32),
        (torch.bfloat16, torch.float32),
    ]:
        given = x.to(source)
        with aten():  # which converts first, and adds 16-bit numbers up in 16 bits on a GPU
            theirs = given.to(target).double().cumsum(1).to(target) if target in HALVES else torch.cumsum(given, 1, dtype=target)
        with must_serve("cumsum"):
            ours = torch.cumsum(given, 1, dtype=target)
        same(ours, theirs)


@each_device
@pytest.mark.parametrize("dtype", ROWS["embedding"].dtypes)
@pytest.mark.parametrize("index", [torch.int64, torch.int32])
def test_embedding(dtype, index, device):
    weight = values(torch.float32, device, shape=(50, 21)).to(dtype)
    for shape in [(7,), (2, 3), (), (0,)]:
        indices = torch.randint(0, 50, shape, generator=torch.Generator().manual_seed(3)).to(index).to(device)
        compare(ROWS["embedding"], weight, indices)
        compare(ROWS["embedding"], weight[:, ::2], indices)
