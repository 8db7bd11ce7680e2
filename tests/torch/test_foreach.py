"""Overloads over lists of tensors and the fused steps of optimizers: each call served by us, with ATen's results."""

import math
import os

import pytest
import torch
from against_aten import DEVICES, aten, must_serve, same
from cases import EVERY, FLOATS, INTEGERS, MOVED

pytestmark = pytest.mark.usefixtures("on")

SHAPES = [(0,), (1,), (17,), (128,), (33, 65), (), (4097,), (2, 3, 5), (256, 256)]
FULL = os.environ.get("CORUNDUM_TEST_FULL") == "1"
NUMBERS = [torch.float32, torch.bfloat16, torch.int64, *([torch.float16, torch.float64, torch.uint8] if FULL else [])]


def lists(dtype, device, count=1, low=-3, seed=0):
    """Lists of tensors, one of them transposed, one misaligned."""
    torch.manual_seed(seed)

    def one(k, shape):
        numbers = torch.rand(math.prod(shape) + 1) * 6 + low
        t = numbers.to(dtype).to(device)[k % 2 :][: math.prod(shape)].reshape(shape)
        return t.t() if k == 4 else t

    with aten():
        made = [[one(k, shape) for k, shape in enumerate(SHAPES)] for _ in range(count)]
    return made if count > 1 else made[0]


def copies(tensors):
    """Of the same layout."""
    with aten():
        return [torch.empty_like(t).copy_(t) for t in tensors]


def compare(overload, function, *groups, exact=False, tolerance=None, in_place=True):
    """Of the functional form, and of the in-place one, which is called by the same name and an underscore."""
    name, dot, variant = overload.partition(".")

    def operator(base):
        return getattr(getattr(torch.ops.aten, base), variant or "default")

    with aten():
        theirs = function(operator(name), *groups)
    with must_serve(overload):
        ours = function(operator(name), *groups)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        same(one, other, exact, tolerance)
    if in_place:
        written = copies(groups[0])
        with must_serve(f"{name}_{dot}{variant}"):
            function(operator(f"{name}_"), written, *groups[1:])
        for one, other in zip(written, theirs, strict=True):
            same(one, other, exact, tolerance)


BINARY = ["add", "sub", "mul", "div", "clamp_max", "clamp_min", "maximum", "minimum"]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_two_operands(name, dtype, device):
    if name == "div" and not dtype.is_floating_point:
        pytest.skip("whole numbers become floats: ATen's own way, one tensor after the other")
    low = 1 if name == "div" or dtype is torch.uint8 else -3
    x, y = lists(dtype, device, 2, low)
    number = 3 if not dtype.is_floating_point else 1.5
    compare(f"_foreach_{name}.List", lambda f, a, b: f(a, b), x, y)
    compare(f"_foreach_{name}.Scalar", lambda f, a: f(a, number), x)
    each = [k + 1 if not dtype.is_floating_point else k + 0.5 for k in range(len(x))]
    compare(f"_foreach_{name}.ScalarList", lambda f, a: f(a, each), x)
    if name in ("add", "sub"):
        compare(f"_foreach_{name}.List", lambda f, a, b: f(a, b, alpha=2), x, y)
    if name in ("add", "mul", "div"):
        one = torch.tensor(3, dtype=dtype, device=device)
        compare(f"_foreach_{name}.Tensor", lambda f, a: f(a, one), x)
        if name == "add":
            compare("_foreach_add.Tensor", lambda f, a: f(a, one, alpha=2), x)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["tanh"])
@pytest.mark.parametrize("dtype", FLOATS if FULL else FLOATS[:3:2], ids=str)
def test_one_operand(name, dtype, device):
    compare(f"_foreach_{name}", lambda f, a: f(a), lists(dtype, device))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [*EVERY, *MOVED], ids=str)
def test_copies_and_zeros(dtype, device):
    x = lists(torch.float32, device)
    with aten():
        x = [t.to(dtype) for t in x]
    written = [torch.empty_like(t) for t in x]
    with must_serve("_foreach_copy_"):
        torch._foreach_copy_(written, x)
    for one, other in zip(written, x, strict=True):
        same(one, other, exact=True)
    with must_serve("_foreach_zero_"):
        torch._foreach_zero_(written)
    with aten():
        for one in written:
            same(one, torch.empty_like(one).zero_(), exact=True)


@pytest.mark.parametrize("device", DEVICES)
def test_copies_convert(device):
    x = lists(torch.float32, device)
    for dtype in [torch.bfloat16, torch.float64, torch.int32]:
        written, theirs = [[torch.empty_like(t, dtype=dtype) for t in x] for _ in range(2)]
        with must_serve("_foreach_copy_"):
            torch._foreach_copy_(written, x)
        with aten():
            torch._foreach_copy_(theirs, x)
        for one, other in zip(written, theirs, strict=True):
            same(one, other, exact=True)


@pytest.mark.parametrize("device", DEVICES)
def test_more_tensors_than_one_launch_holds(device):
    x = [torch.full((k % 40,), float(k), device=device) for k in range(500)]
    with must_serve("_foreach_add.Scalar"):
        ours = torch._foreach_add(x, 1)
    assert all(torch.equal(one, torch.full_like(one, k + 1)) for k, one in enumerate(ours))


def test_tensors_that_share_memory_are_written_in_order():
    """On a CPU; on a GPU ATen's kernels do not care, either."""
    x = torch.ones(4)
    torch._foreach_add_([x, x], 1)
    assert x.tolist() == [3.0] * 4
    wide = torch.arange(8.0)
    torch._foreach_add_([wide[:4], wide[4:]], [wide[4:], wide[:4]])
    assert wide.tolist() == [4.0, 6, 8, 10, 8, 11, 14, 17]


def test_functional_forms_have_gradients():
    x = [torch.randn(3, requires_grad=True) for _ in range(3)]
    with must_serve("_foreach_mul.List"):
        made = torch._foreach_mul(x, [2 * t.detach() for t in x])
    sum(t.sum() for t in made).backward()
    for t in x:
        torch.testing.assert_close(t.grad, 2 * t.detach())


OPTIMIZERS = {
    "adam": (torch.optim.Adam, "_fused_adam_", {"weight_decay": 0.1}),
    "adam amsgrad": (torch.optim.Adam, "_fused_adam_", {"amsgrad": True, "maximize": True}),
    "adam tensor": (torch.optim.Adam, "_fused_adam_.tensor_lr", {"lr": "tensor"}),
    "adamw": (torch.optim.AdamW, "_fused_adamw_", {"weight_decay": 0.1}),
    "adamw amsgrad": (torch.optim.AdamW, "_fused_adamw_", {"amsgrad": True}),
    "adamw tensor": (torch.optim.AdamW, "_fused_adamw_.tensor_lr", {"lr": "tensor"}),
    "sgd": (torch.optim.SGD, "_fused_sgd_", {"weight_decay": 0.1}),
    "sgd momentum": (torch.optim.SGD, "_fused_sgd_", {"momentum": 0.9, "dampening": 0.1, "maximize": True}),
    "sgd nesterov": (torch.optim.SGD, "_fused_sgd_", {"momentum": 0.9, "nesterov": True}),
    "sgd tensor": (torch.optim.SGD, "_fused_sgd_.tensor_lr", {"lr": "tensor"}),
    "adagrad": (torch.optim.Adagrad, "_fused_adagrad_", {"lr_decay": 0.1, "weight_decay": 0.1}),
}


def steps_of(make, options, dtype, device, scaler, wide=False):
    """Parameters and states after three steps, the second of which finds an infinite gradient if there is a scaler.

    `wide`: in double precision.
    """

    def made(**kwargs):
        return [t.double() if wide else t for t in lists(dtype, device, **kwargs)]

    parameters = made()
    options = {key: torch.tensor(0.01, device=device) if value == "tensor" else value for key, value in options.items()}
    optimizer = make(parameters, **{"lr": 0.01, **options}, fused=True)
    scale = torch.amp.GradScaler(device, init_scale=8.0, growth_interval=2) if scaler else None
    for step in range(3):
        for k, gradient in enumerate(made(low=-2, seed=step + 1)):
            parameters[k].grad = gradient
        if scale is None:
            optimizer.step()
            continue
        if step == 1:
            parameters[2].grad[3] = float("inf")
        scale.scale(torch.ones((), device=device))
        scale.step(optimizer)
        scale.update()
    state = [t for p in parameters for t in optimizer.state[p].values() if isinstance(t, torch.Tensor)]
    return [*parameters, *state, *([torch.tensor(scale.get_scale())] if scale else [])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("scaler", [False, True], ids=["", "scaled"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name, scaler, device):
    make, overload, options = OPTIMIZERS[name]
    if name == "adagrad" and device == "cuda":
        with pytest.raises(RuntimeError, match="fused=True"):  # torch.optim itself refuses
            steps_of(make, options, torch.float32, device, scaler)
        return
    # ATen on CUDA divides no bfloat16 by a scale.
    halves = [] if scaler and device != "cpu" else [torch.bfloat16]
    for dtype in [torch.float32, *halves, *([torch.float64] if FULL else [])]:
        # ATen's own SGD of 16-bit numbers takes the wrong ones on a CPU (docs/facts.md).
        wide = dtype is torch.bfloat16 and device == "cpu" and "sgd" in name
        with aten():
            theirs = steps_of(make, options, dtype, device, scaler, wide)
        with must_serve(overload):
            ours = steps_of(make, options, dtype, device, scaler)
        tolerance = {torch.float32: 2e-5, torch.float64: 1e-12, torch.bfloat16: 0.05}[dtype]
        for one, other in zip(ours, theirs, strict=True):
            same(one, other.to(one.dtype), tolerance=tolerance)


@pytest.mark.parametrize("device", DEVICES)
def test_gradients_of_a_scaler(device):
    x = lists(torch.float32, device)
    for wrong in [1.0, float("nan"), float("-inf")]:
        ours, theirs = copies(x), copies(x)
        factor = torch.full((1,), 0.5, device=device)
        found = [torch.zeros(1, device=device) for _ in range(2)]
        for tensors in (ours, theirs):
            tensors[3][5] = wrong
        with must_serve("_amp_foreach_non_finite_check_and_unscale_"):
            torch._amp_foreach_non_finite_check_and_unscale_(ours, found[0], factor)
        with aten():
            torch._amp_foreach_non_finite_check_and_unscale_(theirs, found[1], factor)
        for one, other in zip([*ours, found[0]], [*theirs, found[1]], strict=True):
            same(one, other, exact=True)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("found", "tracker"), [(0.0, 0), (0.0, 1), (1.0, 1)])
def test_scale_after_a_step(found, tracker, device):
    def update():
        scale = torch.full((1,), 3e38 if tracker else 4.0, device=device)
        count = torch.full((1,), tracker, dtype=torch.int32, device=device)
        torch._amp_update_scale_(scale, count, torch.full((1,), found, device=device), 2.0, 0.5, 2)
        return scale, count

    with aten():
        theirs = update()
    with must_serve("_amp_update_scale_"):
        ours = update()
    for one, other in zip(ours, theirs, strict=True):
        same(one, other, exact=True)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_whole_numbers_keep_their_dtype(dtype):
    x = [torch.ones(3, dtype=dtype)]
    assert torch._foreach_add(x, 1.5)[0].dtype == torch.float32
    assert torch._foreach_div(x, 2)[0].dtype == torch.float32
