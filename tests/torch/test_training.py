"""Rows that ATen has for one device alone, or with many elements: each served by us, with ATen's results."""

import pytest
import torch
from against_aten import DEVICES, aten, must_serve, same
from layouts import values

pytestmark = pytest.mark.usefixtures("on")
aten_ops = torch.ops.aten


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8], ids=str)
def test_add_relu(dtype):
    x, y = values(dtype, "cpu", 1), values(dtype, "cpu", 2)
    for a, b in ((x, y), (x.t(), y.t()), (x, y[:1])):
        with aten():
            theirs = aten_ops._add_relu.Tensor(a, b, alpha=2), aten_ops._add_relu_.Tensor(a.clone(), b)
        with must_serve("_add_relu.Tensor", "_add_relu_.Tensor", "_add_relu.out"):
            ours = aten_ops._add_relu.Tensor(a, b, alpha=2), aten_ops._add_relu_.Tensor(a.clone(), b)
            written = aten_ops._add_relu.out(a, b, alpha=2, out=torch.empty_like(theirs[0]))
        same(ours[0], theirs[0])
        same(ours[1], theirs[1])
        same(written, theirs[0])


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_masked_scale(dtype):
    x = values(dtype, "cuda")
    mask = (values(torch.int64, "cuda") % 3).to(torch.uint8)
    for a, b in ((x, mask), (x.t(), mask.t())):
        with aten():
            theirs = aten_ops._masked_scale(a, b, 1.25)
        with must_serve("_masked_scale"):
            ours = aten_ops._masked_scale(a, b, 1.25)
        same(ours, theirs)


def test_where_aten_has_no_kernel_the_error_is_its_own():
    x = values(torch.float32, "cpu")
    with pytest.raises(NotImplementedError, match="Could not run 'aten::_masked_scale'"):
        aten_ops._masked_scale(x, x.byte(), 2.0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.uint8], ids=str)
def test_isin_of_many(dtype, device):
    generator = torch.Generator().manual_seed(4)
    x = torch.randint(0, 200, (300, 41), generator=generator).to(dtype).to(device)
    for count in (0, 1, 16, 17, 90):
        tests = torch.randint(0, 200, (count,), generator=generator).to(dtype).to(device)
        for invert in (False, True):
            with aten():
                theirs = torch.isin(x.t(), tests, invert=invert)
            with must_serve("isin.Tensor_Tensor"):
                ours = torch.isin(x.t(), tests, invert=invert)
            same(ours, theirs, True)


def test_isin_of_two_dtypes_and_nan():
    x = torch.tensor([1.5, 2, float("nan"), float("inf"), -0.0])
    tests = torch.cat([x, torch.arange(40.0)])
    for a, b in ((x, tests), (x, torch.arange(3)), (torch.arange(3), x), (torch.arange(3, dtype=torch.uint8), x.half())):
        with aten():
            theirs = torch.isin(a, b)
        with must_serve("isin.Tensor_Tensor"):
            ours = torch.isin(a, b)
        same(ours, theirs, True)
