"""More than 2^31 elements. ATen's results are taken a stretch at a time, so that nothing large is trusted on either side."""

import pytest
import torch
import torch.nn.functional as F
from against_aten import DEVICES, aten, must_serve

pytestmark = [pytest.mark.usefixtures("on"), pytest.mark.slow]
each_device = pytest.mark.parametrize("device", DEVICES)

MANY = 2**31 + 5
EDGE = 46349  # its square is more than 2^31, and no power of two divides it
STRETCH = 1 << 27


def need(device, gib):
    """Skips where so much memory is not free."""
    if device == "cuda":
        torch.cuda.empty_cache()
        free = torch.cuda.mem_get_info()[0]
    else:
        with open("/proc/meminfo") as file:
            free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    if free < gib * 2**30:
        pytest.skip(f"needs {gib} GiB of free memory on {device}, has {free / 2**30:.1f}")


def numbers(count, dtype, device, seed=0):
    """A pattern whose length no power of two divides, again and again."""
    pattern = torch.randint(-60, 60, (100003,), generator=torch.Generator().manual_seed(seed)).to(dtype).to(device)
    result = torch.empty(count, dtype=dtype, device=device)
    whole = count // len(pattern) * len(pattern)
    with aten():
        result[:whole].view(-1, len(pattern)).copy_(pattern)
        result[whole:].copy_(pattern[: count - whole])
    return result


def stretches(count, length=STRETCH):
    return [slice(first, min(first + length, count)) for first in range(0, count, length)]


@each_device
def test_add(device):
    need(device, 8)
    x, y = numbers(MANY, torch.int8, device, 1), numbers(MANY, torch.int8, device, 2)
    with must_serve("add.Tensor"):
        result = x + y
    with aten():
        assert all(torch.equal(result[part], x[part] + y[part]) for part in stretches(MANY))


@each_device
def test_sum(device):
    need(device, 4)
    x = numbers(MANY, torch.int8, device)
    with must_serve("sum"):
        result = x.sum()
    with aten():
        assert int(result) == sum(int(x[part].sum()) for part in stretches(MANY))


@pytest.mark.cuda
def test_sum_of_rows_and_columns():
    need("cuda", 6)
    x = numbers(EDGE * EDGE, torch.int8, "cuda").view(EDGE, EDGE)
    with must_serve("sum.dim_IntList"):
        rows, columns = x.sum(1), x.sum(0)
    with aten():
        for part in stretches(EDGE, 2000):
            assert torch.equal(rows[part], x[part].sum(1))
            assert torch.equal(columns[part], x[:, part].sum(0))


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", [torch.int8, torch.bfloat16])
def test_transposed_copy(dtype):
    need("cuda", 12)
    x = numbers(EDGE * EDGE, dtype, "cuda").view(EDGE, EDGE)
    with must_serve("copy_"):
        result = x.t().contiguous()
    with aten():
        assert all(torch.equal(result[part], x[:, part].t()) for part in stretches(EDGE, 2000))


@pytest.mark.cuda
def test_broadcast_and_strided_add():
    need("cuda", 16)
    x, row = numbers(EDGE * EDGE, torch.bfloat16, "cuda").view(EDGE, EDGE), numbers(EDGE, torch.bfloat16, "cuda", 3)
    with must_serve("add.Tensor"):
        result = x.t() + row
    with aten():
        assert all(torch.equal(result[part], x[:, part].t() + row) for part in stretches(EDGE, 2000))


@pytest.mark.cuda
def test_softmax():
    need("cuda", 14)
    x = numbers((2**21 + 1) * 1024, torch.bfloat16, "cuda").view(-1, 1024) / 16
    with must_serve("_softmax"):
        result = F.softmax(x, -1)
    with aten():
        for part in stretches(len(x), 1 << 17):
            torch.testing.assert_close(result[part], F.softmax(x[part], -1))


@pytest.mark.cuda
def test_masked_fill():
    need("cuda", 16)
    x = numbers(MANY, torch.bfloat16, "cuda")
    with aten():
        mask = x > 0
    with must_serve("masked_fill.Scalar"):
        result = x.masked_fill(mask, -1)
    with aten():
        assert all(torch.equal(result[part], x[part].masked_fill(mask[part], -1)) for part in stretches(MANY))


@each_device
@pytest.mark.parametrize(("dim", "columns"), [(0, 1), (1, 3), (0, 33)])
def test_cumsum(dim, columns, device):
    """Sequences of more than 2^31 elements, and more than 2^31 elements in short ones."""
    need(device, 24)
    rows = MANY // columns
    x = numbers(rows * columns, torch.int8, device).view(rows, columns)
    with must_serve("cumsum"):
        result = torch.cumsum(x, dim, dtype=torch.int32)
    before = torch.zeros(columns, dtype=torch.int64, device=device)
    with aten():
        for part in stretches(rows, STRETCH // columns // 4):
            want = x[part].to(torch.int64)
            if dim == 1:
                assert torch.equal(result[part], torch.cumsum(want, 1).to(torch.int32))
            else:  # sums of columns one by one: ATen's scan over them is slow
                for c in {0, columns // 2, columns - 1}:
                    sums = torch.cumsum(want[:, c].contiguous(), 0) + before[c]
                    assert torch.equal(result[part, c], sums.to(torch.int32))
                before += want.sum(0)
