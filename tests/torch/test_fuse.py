"""Functions of pointwise calls as one kernel: what eager mode gives, within rounding."""

import pytest
import torch
import torch.nn.functional as F
from against_aten import DEVICES
from layouts import LAYOUTS, values

import corundum

each_device = pytest.mark.parametrize("device", DEVICES)


def swiglu(gate, up, limit=2.5):
    gate = gate.clamp(max=limit)
    return gate * torch.sigmoid(gate) * up


# name: function of x and y
FUNCTIONS = {
    "swiglu": swiglu,
    "gelu_of_sum": lambda x, y: F.gelu(x + 0.3 * y),
    "gelu_tanh": lambda x, y: F.gelu(x, approximate="tanh") * y,
    "silu": lambda x, y: F.silu(x) - F.relu(y),
    "softplus": lambda x, y: F.softplus(x) * F.leaky_relu(y, 0.2),
    "decomposed": lambda x, y: F.hardswish(x) + F.elu(y) + F.mish(x),
    "several": lambda x, y: (x * y, {"sum": x + y, "larger": x > y}),
    "choice": lambda x, y: torch.where((x > 0) & (y < 1), x, y**2).masked_fill(x > 2, float("-inf")),
    "powers": lambda x, y: x**2 + x**3 + (y * y + 1) ** 0.5 + (y * y + 1) ** -1 + torch.pow(y * y + 1, x / 4),
    "dtypes": lambda x, y: x.to(torch.float64) * y.half() + (x > 0) * 2,
    "maths": lambda x, y: torch.exp(x / 4) + torch.log1p(y.abs()) - torch.tanh(x) / torch.cosh(y / 4) + torch.atan2(x, y),
    "numbers": lambda x, y: torch.lerp(x, y, 0.3) + torch.addcmul(x, x, y, value=0.7) - 3,
    "written_values": lambda x, y: (x * y).add_(1).mul_(y).clamp_(-5, 5),
    "integers": lambda x, y: (x * 10).to(torch.int32) // 3 + (y * 5).to(torch.int8) * 7,
}


def results_of(value):
    return torch.utils._pytree.tree_flatten(value)


@each_device
@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_eager(name, device):
    x, y = values(torch.float32, device), values(torch.float32, device, 1)
    fused = corundum.fuse(FUNCTIONS[name])
    with corundum.record() as record:
        ours = fused(x, y)
    kernels = [call for call in record.calls if call.overload.startswith("corundum_fused::")]
    assert [call.count for call in kernels] == [1]
    assert kernels[0].served == {"corundum": 1}
    ours, structure = results_of(ours)
    theirs, expected = results_of(FUNCTIONS[name](x, y))
    assert structure == expected
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-6, atol=2e-6, equal_nan=True)


@each_device
def test_layouts_and_broadcasting(device):
    fused = corundum.fuse(swiglu)
    for layout in LAYOUTS.values():
        x, y = layout(values(torch.float32, device)), layout(values(torch.float32, device, 1))
        ours, theirs = fused(x, y), swiglu(x, y)
        assert ours.stride() == theirs.stride()
        torch.testing.assert_close(ours, theirs)
    x, y = values(torch.float32, device, shape=(7, 1, 33)), values(torch.float32, device, 1, shape=(5, 1))
    torch.testing.assert_close(fused(x, y, limit=1.25), swiglu(x, y, limit=1.25))


@each_device
def test_rounding(device):
    x, y = values(torch.bfloat16, device), values(torch.bfloat16, device, 1)
    once, eager = corundum.fuse(swiglu)(x, y), corundum.fuse(swiglu, rounding="eager")(x, y)
    exact = swiglu(x.double(), y.double())
    torch.testing.assert_close(once, exact.to(torch.bfloat16), rtol=2**-8, atol=1e-6)
    torch.testing.assert_close(eager, swiglu(x, y), rtol=0, atol=0)
    assert (once.double() - exact).abs().sum() < (eager.double() - exact).abs().sum()
    with pytest.raises(ValueError, match="rounding"):
        corundum.fuse(swiglu, rounding="never")


@each_device
@pytest.mark.parametrize("name", ["swiglu", "gelu_of_sum", "softplus", "decomposed", "choice", "powers", "maths", "numbers"])
def test_gradients(name, device):
    function = FUNCTIONS[name]
    x = values(torch.float64, device, shape=(5, 7)).requires_grad_()
    y = values(torch.float64, device, 1, shape=(7,)).requires_grad_()
    with corundum.record() as record:
        ours = torch.autograd.grad(corundum.fuse(function)(x, y).clamp(-9, 9).sum(), (x, y))
    assert [c.count for c in record.calls if c.overload.startswith("corundum_fused::")] == [1, 1]
    theirs = torch.autograd.grad(function(x, y).clamp(-9, 9).sum(), (x, y))
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


def test_gradients_of_numbers_in_tensors_and_of_one_result():
    x = values(torch.float32, "cpu").requires_grad_()
    scale = torch.tensor(1.5, requires_grad=True)

    def function(x, scale):
        return x * (scale * 2), x > 0, x.exp()

    ours = torch.autograd.grad(corundum.fuse(function)(x, scale)[0].sum(), (x, scale))
    theirs = torch.autograd.grad(function(x, scale)[0].sum(), (x, scale))
    torch.testing.assert_close(ours, theirs)


def test_numbers_compile_nothing():
    fused = corundum.fuse(swiglu)
    x, y = values(torch.float32, "cpu"), values(torch.float32, "cpu", 1)
    fused(x, y, limit=0.3)
    before = corundum.info()["counters"]["compiled"]
    for limit in (0.4, 0.5, 1.7):
        torch.testing.assert_close(fused(x, y, limit=limit), swiglu(x, y, limit))
    torch.testing.assert_close(fused(x[:5], y[:5], limit=0.7), swiglu(x[:5], y[:5], 0.7))  # nor does a shape
    assert corundum.info()["counters"]["compiled"] == before


def test_says_what_cannot_be_fused():
    outside = torch.tensor(2.0)

    def sums(x):
        y = x * 2
        return y.sum(0) + 1

    with pytest.raises(
        corundum.FuseError, match=r"sums: aten.sum.dim_IntList cannot be fused, in .*test_fuse.py, line \d+: return y.sum\(0\) \+ 1"
    ):
        corundum.fuse(sums)(torch.ones(3, 4))
    with pytest.raises(corundum.FuseError, match="writes an argument"):
        corundum.fuse(lambda x: x.add_(1))(torch.ones(3))
    with pytest.raises(corundum.FuseError, match="at least one tensor"):
        corundum.fuse(lambda x: x)(1.0)
    with pytest.raises(corundum.FuseError, match="one kernel gives results of one shape"):
        corundum.fuse(lambda x, y: (x + 1, x + y))(torch.ones(3), torch.ones(2, 3))
    with pytest.raises(corundum.FuseError, match="reads a tensor that is no argument"):  # it may change, and the kernel would not
        corundum.fuse(lambda x: x * outside)(torch.ones(3))
    with pytest.raises(corundum.FuseError, match="aten._local_scalar_dense.default, which reads a value.*test_fuse.py, line"):
        corundum.fuse(lambda x: x * float(x[0]))(torch.ones(3))
    with pytest.raises(corundum.FuseError, match="matmul|mm"):
        corundum.fuse(lambda x: x @ x)(torch.ones(3, 3))


def test_traces_know_signs_of_zero_and_autocast():
    divide = corundum.fuse(lambda x, a: a / x)
    x, zeros = torch.ones(3), torch.zeros(3)
    for a in (1.0, -1.0, 0.0, -0.0, float("nan"), float("inf")):
        torch.testing.assert_close(divide(x, a).signbit(), (a / x).signbit())
        torch.testing.assert_close(divide(zeros, a), a / zeros, equal_nan=True)
    log = corundum.fuse(lambda x: F.softplus(x) + 1)
    half = values(torch.bfloat16, "cpu")
    assert log(half).dtype == torch.bfloat16
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert log(half).dtype == (F.softplus(half) + 1).dtype


def test_decorator_and_compile():
    @corundum.fuse(rounding="eager")
    def scaled(x):
        """Doubles."""
        return x * 2

    assert (scaled.__name__, scaled.__doc__) == ("scaled", "Doubles.")
    x = values(torch.float32, "cpu")
    torch.testing.assert_close(torch.compile(scaled, backend="aot_eager", fullgraph=True)(x), x * 2)


def test_transforms_see_the_function():
    x, y = values(torch.float32, "cpu", shape=(6, 5)), values(torch.float32, "cpu", 1, shape=(6, 5))
    torch.testing.assert_close(torch.vmap(corundum.fuse(swiglu))(x, y), swiglu(x, y))
