"""Every overload over dtypes and layouts: the values, dtype, shape and strides of ATen, and our own kernel served."""

import pytest
import torch
import torch.nn.functional as F
from against_aten import DEVICES, aten, must_serve
from layouts import FLOATS, INTEGERS, LAYOUTS, values, with_specials

pytestmark = pytest.mark.usefixtures("on")
each_device = pytest.mark.parametrize("device", DEVICES)
each_layout = pytest.mark.parametrize("layout", LAYOUTS)

# name: overload, function, dtypes, exact (bit for bit as ATen)
UNARY = {
    "gelu": ("gelu", F.gelu, FLOATS, False),
    "gelu_tanh": ("gelu", lambda x: F.gelu(x, approximate="tanh"), FLOATS, False),
    "tanh": ("tanh", torch.tanh, [*FLOATS, torch.int32, torch.bool], False),
    "clamp": ("clamp", lambda x: torch.clamp(x, -1, 2), [*FLOATS, *INTEGERS[:4]], True),
    "clamp_min": ("clamp", lambda x: torch.clamp(x, min=1), [*FLOATS, *INTEGERS], True),
    "clamp_max": ("clamp", lambda x: torch.clamp(x, max=1), [*FLOATS, *INTEGERS], True),
    "clamp_swapped": ("clamp", lambda x: torch.clamp(x, 2, 1), [torch.float32, torch.int64], True),
    "clamp_promoted": ("clamp", lambda x: torch.clamp(x, 0.5), [torch.int32, torch.uint8], True),
    "add_number": ("add.Tensor", lambda x: x + 2, [*FLOATS, *INTEGERS, torch.bool], False),
    "mul_number": ("mul.Tensor", lambda x: x * 0.5, [*FLOATS, torch.int64, torch.bool], False),
    "number_minus": ("rsub", lambda x: torch.sub(torch.tensor(3), x), [*FLOATS, *INTEGERS], False),
    "div_number": ("div.Tensor", lambda x: x / 3, [*FLOATS, *INTEGERS, torch.bool], False),
    "to_float": ("copy_", lambda x: x.to(torch.float32), [torch.float64, torch.bfloat16, torch.int64, torch.bool], True),
    "to_bfloat16": ("copy_", lambda x: x.to(torch.bfloat16), [torch.float32, torch.float64, torch.int32], True),
    "to_bool": ("copy_", lambda x: x.to(torch.bool), [torch.float32, torch.int64, torch.float16], True),
    "clone": ("copy_", torch.clone, [*FLOATS, *INTEGERS, torch.bool], True),
    "masked_fill": ("masked_fill.Scalar", lambda x: x.masked_fill(x > 0, 1), [*FLOATS, *INTEGERS, torch.bool], True),
    "masked_fill_tensor": ("masked_fill.Tensor", lambda x: x.masked_fill(x > 0, torch.tensor(7)), [*FLOATS, torch.int64], True),
}
UNARY_CASES = [(name, dtype) for name, (_, _, dtypes, _) in UNARY.items() for dtype in dtypes]


def same(ours, theirs, exact=False, tolerance=None):
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    assert ours.stride() == theirs.stride(), f"strides {ours.stride()} instead of {theirs.stride()}"
    if exact or not theirs.is_floating_point():
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)
    else:
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True)


def compare(overload, function, *tensors, exact=False, tolerance=None):
    with aten():
        theirs = function(*tensors)
    with must_serve(overload):
        ours = function(*tensors)
    same(ours, theirs, exact, tolerance)


@each_device
@each_layout
@pytest.mark.parametrize(("name", "dtype"), UNARY_CASES)
def test_one_tensor(name, dtype, layout, device):
    overload, function, _, exact = UNARY[name]
    overload = "sub.Tensor" if overload == "rsub" else overload
    x = values(dtype, device)
    if dtype.is_floating_point and not name.startswith("gelu"):
        x = with_specials(x)
    compare(overload, function, LAYOUTS[layout](x), exact=exact)


BINARY = {
    "add": ("add.Tensor", torch.add, [*FLOATS, *INTEGERS, torch.bool]),
    "add_alpha": ("add.Tensor", lambda x, y: torch.add(x, y, alpha=3), [*FLOATS, *INTEGERS]),
    "sub": ("sub.Tensor", torch.sub, [*FLOATS, *INTEGERS]),
    "mul": ("mul.Tensor", torch.mul, [*FLOATS, *INTEGERS, torch.bool]),
    "div": ("div.Tensor", torch.div, [*FLOATS, *INTEGERS, torch.bool]),
    "div_trunc": ("div.Tensor_mode", lambda x, y: torch.div(x, y, rounding_mode="trunc"), FLOATS[:2]),
    "div_floor": ("div.Tensor_mode", lambda x, y: torch.div(x, y, rounding_mode="floor"), FLOATS),
    "clamp_tensor": ("clamp.Tensor", lambda x, y: torch.clamp(x, min=y), [*FLOATS, *INTEGERS]),
    "tanh_backward": ("tanh_backward", torch.ops.aten.tanh_backward, FLOATS),
    "gelu_backward": ("gelu_backward", torch.ops.aten.gelu_backward, FLOATS),
}
BINARY_CASES = [(name, dtype) for name, (_, _, dtypes) in BINARY.items() for dtype in dtypes]


@each_device
@each_layout
@pytest.mark.parametrize(("name", "dtype"), BINARY_CASES)
def test_two_tensors(name, dtype, layout, device):
    overload, function, _ = BINARY[name]
    view = LAYOUTS[layout]
    # ATen rounds alpha * y to 16 bits where it does not vectorise; where x cancels it that shows.
    tolerance = {torch.bfloat16: 0.1, torch.float16: 0.01}.get(dtype) if name == "add_alpha" else None
    compare(overload, function, view(values(dtype, device, 1)), view(values(dtype, device, 2)), tolerance=tolerance)


PAIRS = {
    "transposed_contiguous": lambda t: (t[:17, :17], t[:17, :17].t()),
    "row": lambda t: (t, t[:1]),
    "column": lambda t: (t[:, :1], t),
    "outer": lambda t: (t[:, :1], t[:1]),
    "leading": lambda t: (t, t.reshape(-1)[:33].clone()),
    "channels_last_contiguous": lambda t: (
        t[:16, :24].reshape(2, 8, 4, 6),
        t[:16, :24].reshape(2, 8, 4, 6).to(memory_format=torch.channels_last),
    ),
    "no_dimensions": lambda t: (t, t[0, 0]),
    "ones_of_odd_strides": lambda t: (t[:1].t().contiguous().t(), t[:1]),
}


@each_device
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "clamp_tensor"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64])
def test_two_layouts(name, pair, dtype, device):
    overload, function, _ = BINARY[name]
    compare(overload, function, *PAIRS[pair](values(dtype, device)))


@each_device
@pytest.mark.parametrize("dtypes", [(torch.float32, torch.bfloat16), (torch.int64, torch.float16), (torch.bool, torch.int32)])
@pytest.mark.parametrize("name", ["add", "mul", "div", "clamp_tensor"])
def test_two_dtypes(name, dtypes, device):
    overload, function, _ = BINARY[name]
    x, y = (values(dtype, device, seed) for seed, dtype in enumerate(dtypes))
    compare(overload, function, x, y)
    compare(overload, function, y, x)


IN_PLACE = {
    "add_": ("add_.Tensor", lambda x, y: x.add_(y, alpha=2)),
    "sub_": ("sub_.Tensor", lambda x, y: x.sub_(y)),
    "mul_": ("mul_.Tensor", lambda x, y: x.mul_(y)),
    "div_": ("div_.Tensor", lambda x, y: x.div_(y)),
    "gelu_": ("gelu_", lambda x, y: torch.ops.aten.gelu_(x)),
    "tanh_": ("tanh_", lambda x, y: x.tanh_()),
    "clamp_": ("clamp_", lambda x, y: x.clamp_(-1, 1)),
    "clamp_tensor_": ("clamp_.Tensor", lambda x, y: x.clamp_(max=y)),
    "masked_fill_": ("masked_fill_.Scalar", lambda x, y: x.masked_fill_(y > 0, -1)),
    "masked_fill_tensor_": ("masked_fill_.Tensor", lambda x, y: x.masked_fill_(y > 0, torch.tensor(2.0))),
    "copy_": ("copy_", lambda x, y: x.copy_(y)),
}


@each_device
@pytest.mark.parametrize("layout", ["contiguous", "transposed", "sliced", "channels_last", "misaligned", "no_dimensions", "empty"])
@pytest.mark.parametrize("name", IN_PLACE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_in_place(name, dtype, layout, device):
    overload, function = IN_PLACE[name]
    view = LAYOUTS[layout]
    x, y = values(dtype, device, 1), view(values(dtype, device, 2))
    theirs, ours = x.clone(), x.clone()
    with aten():
        function(view(theirs), y)
    with must_serve(overload):
        result = view(ours)
        version = result._version
        assert function(result, y) is result
        assert result._version == version + 1
    same(ours, theirs)  # what lies between the elements of a view, too


OUT = {
    "add": ("add.out", lambda x, out: torch.add(x, x, out=out)),
    "mul": ("mul.out", lambda x, out: torch.mul(x, 2, out=out)),
    "tanh": ("tanh.out", lambda x, out: torch.tanh(x, out=out)),
    "clamp": ("clamp.out", lambda x, out: torch.clamp(x, 0, 1, out=out)),
    "gelu_backward": ("gelu_backward.grad_input", lambda x, out: torch.ops.aten.gelu_backward.grad_input(x, x, grad_input=out)),
    "softmax": ("_softmax.out", lambda x, out: torch.ops.aten._softmax.out(x, -1, False, out=out)),
    "sum": ("sum.IntList_out", lambda x, out: torch.sum(x, dim=1, out=out)),
    "mean": ("mean.out", lambda x, out: torch.mean(x, dim=0, keepdim=True, out=out)),
    "norm": ("linalg_vector_norm.out", lambda x, out: torch.linalg.vector_norm(x, dim=1, out=out)),
}
OUT_SHAPES = {"sum": (17,), "mean": (1, 33), "norm": (17,)}


@each_device
@pytest.mark.parametrize("name", OUT)
def test_out(name, device):
    overload, function = OUT[name]
    x = values(torch.float32, device)
    shape = OUT_SHAPES.get(name, (17, 33))
    theirs, ours = torch.empty(shape, device=device), torch.empty(shape, device=device)
    with aten():
        function(x, theirs)
    with must_serve(overload):
        assert function(x, ours) is ours
    same(ours, theirs)


@each_device
def test_out_is_resized_and_cast_as_by_aten(device):
    x = values(torch.float32, device)
    for make in (
        lambda: torch.empty(0, device=device),
        lambda: torch.empty(17, 33, dtype=torch.float64, device=device),
        lambda: torch.empty(33, 17, dtype=torch.bfloat16, device=device).t(),
    ):
        theirs, ours = make(), make()
        with aten():
            torch.add(x, x.t().contiguous().t(), out=theirs)
        with must_serve("add.out"):
            torch.add(x, x.t().contiguous().t(), out=ours)
        same(ours, theirs)


REDUCE = {
    "sum": ("sum.dim_IntList", lambda x, dim, keep: torch.sum(x, dim=dim, keepdim=keep)),
    "mean": ("mean.dim", lambda x, dim, keep: torch.mean(x, dim=dim, keepdim=keep)),
    "norm": ("linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, dim=dim, keepdim=keep)),
    "norm1": ("linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, 1, dim=dim, keepdim=keep)),
    "norm3": ("linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, 3, dim=dim, keepdim=keep)),
    "norm_inf": ("linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, float("inf"), dim=dim, keepdim=keep)),
    "norm_0": ("linalg_vector_norm", lambda x, dim, keep: torch.linalg.vector_norm(x, 0, dim=dim, keepdim=keep)),
}


def close_sums(ours, theirs):
    """Sums in another order than ATen's, which adds 16-bit means up in 16 bits."""
    assert (ours.dtype, ours.shape, ours.stride()) == (theirs.dtype, theirs.shape, theirs.stride())
    tolerance = {torch.float16: 4e-3, torch.bfloat16: 3e-2, torch.float32: 2e-5, torch.float64: 1e-12}.get(ours.dtype, 0)
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance * 4, equal_nan=True)


@each_device
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("dim", [(0,), (1,), (-1, 0), (0, 2), (1, 3), None])
@pytest.mark.parametrize("name", REDUCE)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_reductions(name, dtype, dim, keep, layout, device):
    overload, function = REDUCE[name]
    x = values(dtype, device, shape=(3, 5, 7, 9))
    x = x.to(memory_format=torch.channels_last) if layout == "channels_last" else x
    with aten():
        theirs = function(x, dim, keep)
    with must_serve(overload):
        ours = function(x, dim, keep)
    close_sums(ours, theirs)


@each_device
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [*INTEGERS, torch.bool, torch.float32])
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
@pytest.mark.parametrize("log", [False, True])
def test_softmax(shape, dtype, log, device):
    x = values(dtype, device, shape=shape)
    function, overload = (F.log_softmax, "_log_softmax") if log else (F.softmax, "_softmax")
    # ATen's 16-bit logarithm is an ULP or two off (of the largest in the row, about 16); ours is not.
    tolerance = {torch.bfloat16: 0.13, torch.float16: 0.016}.get(dtype) if log else None
    compare(overload, lambda x: function(x, dim=-1), x, tolerance=tolerance)
    if len(shape) > 1:
        compare(overload, lambda x: function(x, dim=0), x, tolerance=tolerance)
        compare(overload, lambda x: function(x, dim=-1), x.mT, tolerance=tolerance)


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
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance * 4)


def test_layer_norm_of_half_with_float_parameters():
    x, weight, bias = values(torch.bfloat16, "cpu", shape=(4, 48)), values(torch.float32, "cpu", 1, (48,)), torch.zeros(48)
    with aten():
        theirs = torch.native_layer_norm(x, (48,), weight, bias, 1e-5)
    with must_serve("native_layer_norm"):
        ours = torch.native_layer_norm(x, (48,), weight, bias, 1e-5)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=3e-2, atol=3e-2)


@each_device
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, torch.bool, torch.complex64, torch.complex128])
@pytest.mark.parametrize("index", [torch.int64, torch.int32])
def test_embedding(dtype, index, device):
    weight = values(torch.float32, device, shape=(50, 21)).to(dtype)
    for shape in [(7,), (2, 3), (), (0,)]:
        indices = torch.randint(0, 50, shape, generator=torch.Generator().manual_seed(3)).to(index).to(device)
        compare("embedding", lambda w, i=indices: F.embedding(i, w), weight, exact=True)
        compare("embedding", lambda w, i=indices: F.embedding(i, w), weight[:, ::2], exact=True)


@each_device
def test_masks_broadcast(device):
    x = values(torch.float32, device)
    for mask in (x[:1] > 0, x[:, :1] > 0, x[0, 0] > -100, (x > 0)[None].expand(2, -1, -1)):
        compare("masked_fill.Scalar", lambda x, m=mask: x.masked_fill(m, -2), x, exact=True)


@each_device
def test_copy_on_write_inputs_stay_shared(device):
    x = values(torch.float32, device)
    lazy = torch._lazy_clone(x)
    with must_serve("add.Tensor", "sum"):
        lazy + lazy, lazy.sum()
    assert torch._C._is_cow_tensor(lazy)
