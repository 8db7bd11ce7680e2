"""Gradients, transforms and modes above us stay ATen's."""

import pytest
import torch
import torch.nn.functional as F
from against_aten import DEVICES, aten, must_serve

pytestmark = pytest.mark.usefixtures("on")
each_device = pytest.mark.parametrize("device", DEVICES)


def fill_part(t):
    t[0].fill_(3)
    t[1:, 2].zero_()
    return t


# name: function of x and y, overloads that must be ours
FUNCTIONS = {
    "add": (lambda x, y: torch.add(x, y, alpha=2), ["add.Tensor"]),
    "sub": (lambda x, y: x - y, ["sub.Tensor"]),
    "mul": (lambda x, y: x * y, ["mul.Tensor"]),
    "div": (lambda x, y: x / (y * y + 1), ["div.Tensor"]),
    "divide": (lambda x, y: torch.divide(x, y * y + 1), ["div.Tensor"]),
    "gelu": (lambda x, y: F.gelu(x), ["gelu", "gelu_backward"]),
    "gelu_tanh": (lambda x, y: F.gelu(x, approximate="tanh"), ["gelu", "gelu_backward"]),
    "tanh": (lambda x, y: torch.tanh(x), ["tanh", "tanh_backward"]),
    "clamp": (lambda x, y: x.clamp(-1, 1), ["clamp"]),
    "clip": (lambda x, y: x.clip(0), ["clamp"]),
    "clamp_tensor": (lambda x, y: x.clamp(min=y), ["clamp.Tensor"]),
    "clamp_min": (lambda x, y: x.clamp_min(0.1), ["clamp_min", "ge.Scalar", "where.self"]),
    "clamp_max": (lambda x, y: x.clamp_max(0.1), ["clamp_max", "le.Scalar", "where.self"]),
    "clamp_min_tensor": (lambda x, y: torch.clamp_min(x, y), ["clamp_min.Tensor"]),
    "clamp_max_tensor": (lambda x, y: torch.clamp_max(x, y), ["clamp_max.Tensor"]),
    "where": (lambda x, y: torch.where(x > y, x, y * 2), ["where.self", "gt.Tensor"]),
    "where_number": (lambda x, y: torch.where(y < 0.5, x, 0.0), ["where.self", "lt.Scalar"]),
    "fill_part": (lambda x, y: fill_part(x * y), ["fill_.Scalar", "zero_"]),
    "masked_fill": (lambda x, y: x.masked_fill(y > 0, 2.0), ["masked_fill.Scalar"]),
    "masked_fill_tensor": (lambda x, y: x.masked_fill(y > 0, y.detach()[0, 0]), ["masked_fill.Tensor"]),
    "clone": (lambda x, y: x.t().clone(), ["copy_"]),
    "contiguous": (lambda x, y: x.t().contiguous(), ["copy_"]),
    "to": (lambda x, y: x.to(torch.float64), ["copy_"]),
    "copy_": (lambda x, y: torch.zeros_like(x).copy_(x), ["copy_"]),
    "sum": (lambda x, y: x.sum(), ["sum"]),
    "sum_dim": (lambda x, y: x.sum(1, keepdim=True), ["sum.dim_IntList"]),
    "mean": (lambda x, y: x.mean(), ["mean"]),
    "mean_dim": (lambda x, y: x.mean((0, 1)), ["mean.dim"]),
    "norm": (lambda x, y: torch.linalg.vector_norm(x, dim=1), ["linalg_vector_norm"]),
    "softmax": (lambda x, y: F.softmax(x, -1), ["_softmax"]),
    "log_softmax": (lambda x, y: F.log_softmax(x, 0), ["_log_softmax"]),
    "layer_norm": (lambda x, y: F.layer_norm(x, (6,), y[0], y[1]), ["native_layer_norm"]),
    "embedding": (lambda x, y: F.embedding(torch.tensor([[1, 0], [3, 1]], device=x.device), x), ["embedding"]),
    "topk": (lambda x, y: torch.topk(x * y, 2, 0)[0], ["topk"]),
    "masked_select": (lambda x, y: torch.masked_select(x, y > 0), ["masked_select"]),
    "in_place": (lambda x, y: (x * 1).add_(y).mul_(2).div_(3).tanh_(), ["tanh_", "add_.Tensor", "mul_.Tensor", "div_.Tensor"]),
}


def inputs(device):
    generator = torch.Generator().manual_seed(7)
    return [torch.randn(4, 6, generator=generator).to(device).requires_grad_() for _ in range(2)]


def value_and_gradients(function, x, y):
    result = function(x, y)
    node = result.grad_fn
    (result.double() * torch.arange(1, result.numel() + 1, device=x.device).view(result.shape)).sum().backward()
    return result.detach(), type(node).__name__, [tensor.grad for tensor in (x, y)]


@each_device
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_atens(name, device):
    function, overloads = FUNCTIONS[name]
    with aten():
        value, node, gradients = value_and_gradients(function, *inputs(device))
    x, y = inputs(device)  # out of the record: on a GPU these are transfers, which nobody but torch does
    with must_serve(*overloads):
        our_value, our_node, our_gradients = value_and_gradients(function, x, y)
    assert our_node == node
    torch.testing.assert_close(our_value, value)
    for ours, theirs in zip(our_gradients, gradients, strict=True):
        assert (ours is None) == (theirs is None)
        if theirs is not None:
            torch.testing.assert_close(ours, theirs)


@each_device
@pytest.mark.parametrize("name", ["gelu", "softmax", "layer_norm", "clamp", "norm"])
def test_vmap(name, device):
    function, overloads = FUNCTIONS[name]
    x = torch.randn(3, 4, 6, device=device)
    y = torch.randn(4, 6, device=device)
    expected = torch.stack([function(one, y) for one in x])
    with must_serve(*[overload for overload in overloads if "backward" not in overload]):
        torch.testing.assert_close(torch.vmap(lambda one: function(one, y))(x), expected)


def test_forward_mode_and_double_backward():
    x = torch.randn(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(torch.tanh, x)
    assert torch.autograd.gradcheck(lambda x: F.softmax(x.view(1, 5), 1), x, check_forward_ad=True)
    assert torch.autograd.gradcheck(lambda x: F.layer_norm(x.view(1, 5), (5,)), x)


@each_device
def test_results_without_gradient(device):
    x, y = inputs(device)
    with must_serve("lt.Tensor", "eq.Scalar", "bitwise_or.Tensor"):
        result = (x < y) | (x == 0)
    assert result.dtype == torch.bool
    assert result.grad_fn is None
    assert not result.requires_grad


@each_device
def test_inference_mode(device):
    with torch.inference_mode():
        x = torch.randn(4, 6, device=device)
        with must_serve("tanh", "add_.Tensor"):
            result = torch.tanh(x)
            result += x
        assert result.is_inference()


@each_device
def test_a_compiled_function_agrees(device):
    def function(x):
        return F.layer_norm(F.gelu(x) + x, (6,)).sum(1)

    x = torch.randn(4, 6, device=device)
    compiled = torch.compile(function, backend="aot_eager")
    expected = compiled(x)  # tracing calls the same operators on tensors without memory
    with must_serve("gelu", "native_layer_norm"):
        torch.testing.assert_close(compiled(x), expected)
    torch.testing.assert_close(function(x), expected)


def test_saved_tensors_notice_a_write():
    x = torch.randn(4, requires_grad=True)
    y = torch.tanh(x)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
