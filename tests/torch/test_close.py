"""isclose, allclose, equal and isfinite: one kernel each, with ATen's answers, errors and transforms."""

import pytest
import torch
from against_aten import DEVICES, aten, must_serve, same
from cases import EVERY, FLOATS, INTEGERS, UNSIGNED
from layouts import LAYOUTS, values, with_specials
from torch.utils._python_dispatch import TorchDispatchMode

pytestmark = pytest.mark.usefixtures("on")
each_device = pytest.mark.parametrize("device", DEVICES)
TOLERANCES = [(1e-5, 1e-8), (0, 0), (0.5, 0), (0, 3), (float("inf"), 0)]


def near(x, number):
    """Some elements as they are, others a little or far away."""
    with aten():
        moved = x.clone().view(-1)
        moved[::3] += number
        if x.is_floating_point():
            moved[1::3] *= 1 + 2**-7 if x.dtype.itemsize == 2 else 1 + 1e-5
        return moved.view_as(x)


def answers(function, overload):
    with aten():
        theirs = function()
    with must_serve(overload):
        ours = function()
    assert type(ours) is bool
    assert ours == theirs
    return ours


@each_device
@pytest.mark.parametrize("tolerances", TOLERANCES, ids=str)
@pytest.mark.parametrize("dtype", FLOATS + INTEGERS[:2] + INTEGERS[-1:] + EVERY[-1:], ids=str)
def test_closeness(dtype, tolerances, device):
    x = values(dtype, device)
    y = near(x, 1) if dtype is not torch.bool else ~x
    if dtype.is_floating_point:
        x, y = with_specials(x), with_specials(y)
        y.view(-1)[:1] = 1
    for equal_nan in (False, True):
        for a, b in ((x, y), (x, x[:1]), (x.t(), y.t()), (x[:, :1], y)):
            if equal_nan and a.shape != x.shape and dtype.is_floating_point:
                continue  # an error of ATen's: below
            with aten():
                theirs = torch.isclose(a, b, *tolerances, equal_nan)
            with must_serve("isclose"):
                ours = torch.isclose(a, b, *tolerances, equal_nan)
            same(ours, theirs, True)
            answers(lambda a=a, b=b, nan=equal_nan: torch.allclose(a, b, *tolerances, nan), "allclose")
        answers(lambda nan=equal_nan: torch.allclose(x, x.clone(), *tolerances, nan), "allclose")


@each_device
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.complex64, *UNSIGNED], ids=str)
def test_one_element_decides(dtype, layout, device):
    """Equal tensors are; with one other element, the first or the last, they are not."""
    x = LAYOUTS[layout](values(dtype, device))
    y = x.clone()
    assert answers(lambda: torch.equal(x, y), "equal")
    assert answers(lambda: torch.equal(x, y.t().contiguous().t()), "equal") if x.dim() == 2 else True
    if dtype in (torch.float32, torch.bfloat16, torch.int64):
        assert answers(lambda: torch.allclose(x, y), "allclose")
    for place in (0, -1) if x.numel() else ():
        z = y.clone().contiguous()
        with aten():
            flat = z.view(-1).view(torch.uint8)
            flat[place * dtype.itemsize] = (
                flat[place * dtype.itemsize] ^ 1 if dtype is torch.bool else 255 - flat[place * dtype.itemsize]
            )
        assert not answers(lambda z=z: torch.equal(x, z), "equal")


@each_device
@pytest.mark.parametrize("n", [1, 4095, 4097, 300_001, (1 << 22) + 3])
def test_long_ones(n, device):
    x = torch.ones(n, device=device)
    y = x.clone()
    for function, name in ((torch.equal, "equal"), (torch.allclose, "allclose")):
        assert answers(lambda f=function: f(x, y), name)
        for place in {0, n // 2, n - 1}:
            y[place] = 2
            assert not answers(lambda f=function: f(x, y), name)
            y[place] = 1
        assert not answers(lambda f=function: f(x, x + 1), name)


@each_device
def test_what_is_not_equal_by_its_shape_or_nan(device):
    x = values(torch.float32, device)
    for a, b in ((x, x[:1]), (x, x.reshape(33, 17)), (x[:0], x[:0]), (x[:0], x[:, :0]), (x.log(), x.log())):
        answers(lambda a=a, b=b: torch.equal(a, b), "equal")


@each_device
def test_errors_are_atens(device):
    x = values(torch.float32, device)
    for function in (
        lambda: torch.isclose(x, x.double()),
        lambda: torch.isclose(x, x, -1.0),
        lambda: torch.allclose(x, x, 0.1, float("nan")),
        lambda: torch.allclose(x, x[:, :2]),
        lambda: torch.isclose(x[:1], x, equal_nan=True),
    ):
        with aten(), pytest.raises(RuntimeError) as theirs:
            function()
        with pytest.raises(RuntimeError) as ours:
            function()
        assert str(ours.value).splitlines()[0] == str(theirs.value).splitlines()[0]


@each_device
def test_transforms_and_modes_see_what_they_saw(device):
    x = values(torch.float32, device)
    needs = x.clone().requires_grad_()

    class Seen(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            names.append(str(function))
            return function(*args, **(kwargs or {}))

    def seen():
        names.clear()
        with Seen():
            torch.isclose(x, x), torch.isfinite(x)
        return list(names)

    names = []
    with aten():
        theirs = seen()
    assert seen() == theirs
    for function in (torch.isfinite, lambda t: torch.isclose(t, t)):
        assert not function(needs).requires_grad
        with must_serve("isfinite" if function is torch.isfinite else "isclose"), torch.inference_mode():
            function(x)
        with aten():
            alone = function(x)
        assert torch.equal(torch.vmap(function)(x), alone)
        assert torch.equal(torch.compile(function, backend="aot_eager")(x), alone)
    torch.where(torch.isfinite(needs), needs, 0).sum().backward()
    assert torch.equal(needs.grad, torch.ones_like(x))
