"""topk and masked_select: the values of ATen; indices that lead to them, the first of equal elements first."""

import pytest
import torch
from against_aten import DEVICES, aten, must_serve, same
from cases import ROWS, product
from layouts import LAYOUTS, values, with_specials

pytestmark = pytest.mark.usefixtures("on")
each_device = pytest.mark.parametrize("device", DEVICES)


def check_topk(x, k, dim=-1, largest=True):
    with aten():
        theirs = torch.topk(x, k, dim, largest)
        order = torch.sort(x, dim=dim, descending=largest, stable=True)[1].narrow(dim, 0, k) if x.dim() else theirs[1]
    with must_serve("topk"):
        ours = torch.topk(x, k, dim, largest)
    same(ours.values, theirs.values, exact=True)
    same(ours.indices, order.clone(memory_format=torch.contiguous_format), exact=True)


@each_device
@pytest.mark.parametrize("dtype", ROWS["topk"].dtypes)
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize(
    ("shape", "k"), [((3, 5), 5), ((2, 3, 129), 7), ((4, 1000), 1), ((2, 4097), 64), ((2, 4097), 700), ((0, 4), 2)]
)
def test_topk(dtype, largest, shape, k, device):
    check_topk(values(dtype, device, shape=shape), k, largest=largest)


@each_device
@pytest.mark.parametrize("layout", LAYOUTS)
def test_topk_of_layouts(layout, device):
    x = LAYOUTS[layout](with_specials(values(torch.float32, device)))
    for dim in range(max(x.dim(), 1)):
        for k in {0, 1, x.size(dim)} if x.dim() else {1}:
            check_topk(x, min(k, x.size(dim) if x.dim() else 1), dim, largest=dim % 2 == 0)


@each_device
@pytest.mark.parametrize("dtype", ROWS["topk"].dtypes)
def test_topk_of_no_dimensions_is_the_number_even_for_k_0(dtype, device):
    """As ATen has it on a CPU; on CUDA it leaves the result of k = 0 unwritten, so that it is no reference there."""
    x = values(dtype, device, shape=())
    with aten():
        theirs = torch.topk(x.cpu(), 0)
    with must_serve("topk"):
        ours = torch.topk(x, 0)
    same(ours.values.cpu(), theirs.values, exact=True)
    same(ours.indices.cpu(), theirs.indices, exact=True)


@each_device
def test_topk_unsorted_is_in_order_too(device):
    x = values(torch.float32, device, shape=(3, 5000))
    with must_serve("topk"):
        ours = torch.topk(x, 20, sorted=False)
        sorted_ones = torch.topk(x, 20)
    assert torch.equal(ours.values, sorted_ones.values)


@each_device
@pytest.mark.parametrize("dim", [0, 1])
def test_topk_out(dim, device):
    x = values(torch.float32, device, shape=(50, 60))
    with aten():
        theirs = torch.topk(x, 9, dim)
    canary = torch.full((9 * 60 + 8,), 7.0, device=device)
    out = canary[4 : 4 + theirs.values.numel()].view(theirs.values.shape), torch.empty_like(theirs.indices)
    with must_serve("topk.values"):
        torch.topk(x, 9, dim, out=out)
    same(out[0], theirs.values, exact=True)
    assert torch.equal(x.gather(dim, out[1]), theirs.values)
    assert (canary[:4] == 7).all()
    assert (canary[4 + theirs.values.numel() :] == 7).all()


@each_device
@pytest.mark.parametrize(("name", "dtype"), [row for row in product(ROWS) if row[0] == "masked_select"])
def test_masked_select(name, dtype, device):
    mask = values(torch.bool, device, 1, (17, 33))
    x = values(torch.float32, device).to(dtype)
    with aten():
        theirs = torch.masked_select(x, mask)
    with must_serve("masked_select"):
        ours = torch.masked_select(x, mask)
    same(ours, theirs, exact=True)
    out = torch.empty_like(theirs)
    with must_serve("masked_select.out"):
        torch.masked_select(x, mask, out=out)
    same(out, theirs, exact=True)


@each_device
@pytest.mark.parametrize("layout", LAYOUTS)
def test_masked_select_of_layouts(layout, device):
    x = LAYOUTS[layout](values(torch.float32, device))
    for mask in (x > 0, x > 1e9, x < 1e9, torch.tensor(True, device=device), (x > 0)[None]):
        with aten():
            theirs = torch.masked_select(x, mask)
        with must_serve("masked_select"):
            ours = torch.masked_select(x, mask)
        same(ours, theirs, exact=True)


@each_device
@pytest.mark.parametrize("n", [1, 4095, 4096, 4097, 2**20 + 3])
def test_masked_select_of_many(n, device):
    x = values(torch.float32, device, shape=(n + 1,))[1:]
    mask = (x > 0.5)[None].expand(2, n)
    with aten():
        theirs = torch.masked_select(x, mask)
    with must_serve("masked_select"):
        ours = torch.masked_select(x, mask)
    same(ours, theirs, exact=True)
