"""Every pointwise overload over dtypes and layouts: the values, dtype, shape and strides of ATen, and our own kernel served."""

import pytest
import torch
from against_aten import DEVICES, aten, aten_has_none, compare, expected, must_serve, same
from cases import BINARY, IN_PLACE, MOVED, OUT, OUT_DTYPES, OUT_SHAPES, TABLES, UNARY, Case, product
from layouts import LAYOUTS, values, with_specials

import corundum

pytestmark = pytest.mark.usefixtures("on")
each_device = pytest.mark.parametrize("device", DEVICES)
each_layout = pytest.mark.parametrize("layout", LAYOUTS)


def test_every_overload_has_a_case():
    """A new overload is an error here until a table of cases.py reaches it."""
    elsewhere = ("random", "foreach", "optimizer")  # test_random.py, test_foreach.py
    ours = {op["overload"] for op in corundum.ops() if not op["via"] and op["family"] not in elsewhere}
    reached = {case.overload for table in TABLES for case in table.values()}
    assert ours - reached == set(), "overloads that no case reaches"
    assert reached - ours == set(), "cases of overloads that are not ours"


@pytest.mark.product
@each_device
@each_layout
@pytest.mark.parametrize(("name", "dtype"), product(UNARY))
def test_one_tensor(name, dtype, layout, device):
    x = values(dtype, device)
    if dtype.is_floating_point and dtype not in MOVED and not name.startswith("gelu"):
        x = with_specials(x)
    compare(UNARY[name], LAYOUTS[layout](x))


@pytest.mark.product
@each_device
@each_layout
@pytest.mark.parametrize(("name", "dtype"), product(BINARY))
def test_two_tensors(name, dtype, layout, device):
    view = LAYOUTS[layout]
    x, y = values(dtype, device, 1), values(dtype, device, 2)
    if name in ("eq", "ne", "lt", "le", "gt", "ge") and dtype.is_floating_point:
        x, y = with_specials(x), with_specials(y)
    compare(BINARY[name], view(x), view(y))


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
    "one_element": lambda t: (t, t[:1, :1]),
    "ones_of_odd_strides": lambda t: (t[:1].t().contiguous().t(), t[:1]),
}


PAIRED = ["add", "sub", "mul", "div", "div_trunc", "clamp_tensor", "clamp_min_tensor", "lt", "eq", "where", "bitwise_xor"]
PAIRED_DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.int64]


@pytest.mark.product
@each_device
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for name in PAIRED for dtype in PAIRED_DTYPES if dtype in BINARY[name].dtypes]
)
def test_two_layouts(name, pair, dtype, device):
    compare(BINARY[name], *PAIRS[pair](values(dtype, device)))


@pytest.mark.product
@each_device
@pytest.mark.parametrize("dtypes", [(torch.float32, torch.bfloat16), (torch.int64, torch.float16), (torch.bool, torch.int32)])
@pytest.mark.parametrize("name", ["add", "mul", "div", "clamp_tensor", "clamp_max_tensor", "gt", "ne"])
def test_two_dtypes(name, dtypes, device):
    x, y = (values(dtype, device, seed) for seed, dtype in enumerate(dtypes))
    compare(BINARY[name], x, y)
    compare(BINARY[name], y, x)


@pytest.mark.product
@each_device
@pytest.mark.parametrize("layout", ["contiguous", "transposed", "sliced", "channels_last", "misaligned", "no_dimensions", "empty"])
@pytest.mark.parametrize(("name", "dtype"), product(IN_PLACE))
def test_in_place(name, dtype, layout, device):
    case, view = IN_PLACE[name], LAYOUTS[layout]
    x, y = values(dtype, device, 1), values(dtype, device, 2)
    ours = x.clone()

    def on_a_view(x, y):
        """What lies between the elements of a view is looked at, too."""
        case.function(view(x), view(y))
        return x

    if x.is_cuda and aten_has_none(lambda x, y: on_a_view(x.clone(), y), x, y):
        return
    theirs = expected(case, lambda x, y: on_a_view(x.clone(), y), x, y)
    with must_serve(case.overload):
        result = view(ours)
        version = result._version
        assert case.function(result, view(y)) is result
        assert result._version == version + 1
    if layout == "channels_last":  # a copy, which is no part of `ours`
        theirs, ours = expected(case, lambda x, y: case.function(view(x), view(y)), x, y), result
    same(ours, theirs, case.exact)


@pytest.mark.product
@each_device
@pytest.mark.parametrize(("name", "dtype"), product(OUT))
def test_out(name, dtype, device):
    case = OUT[name]
    x = values(dtype, device)

    def make():
        return torch.empty(OUT_SHAPES.get(name, (17, 33)), dtype=OUT_DTYPES.get(name, dtype), device=device)

    theirs, ours = make(), make()
    if x.is_cuda and aten_has_none(case.function, x, make()):
        return
    with aten():
        case.function(x, theirs)
        if case.through_double and dtype in (torch.bfloat16, torch.float16):
            theirs.copy_(case.function(x.double(), theirs.double()))
    with must_serve(case.overload):
        assert case.function(x, ours) is ours
    same(ours, theirs, case.exact)


@each_device
def test_out_is_resized_and_cast_as_by_aten(device):
    x = values(torch.float32, device)
    for make in (
        lambda: torch.empty(0, device=device),
        lambda: torch.empty(17, 33, dtype=torch.float64, device=device),
        lambda: torch.empty(33, 17, dtype=torch.bfloat16, device=device).t(),
    ):
        for overload, function in (("add.out", torch.add), ("clamp_min.Tensor_out", torch.clamp_min), ("lt.Tensor_out", torch.lt)):
            theirs, ours = make(), make()
            with aten():
                function(x, x.t().contiguous().t(), out=theirs)
            with must_serve(overload):
                function(x, x.t().contiguous().t(), out=ours)
            same(ours, theirs)


@each_device
def test_an_output_of_another_dtype_gets_what_the_results_dtype_holds(device):
    for dtype, into in [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float64),
        (torch.int8, torch.int32),
        (torch.uint8, torch.float32),
        (torch.bool, torch.int64),
        (torch.float32, torch.bfloat16),
    ]:
        x, y = values(dtype, device, 1), values(dtype, device, 2)
        for overload, function in (("add.out", torch.add), ("mul.out", torch.mul)):
            theirs, ours = torch.empty(17, 33, dtype=into, device=device), torch.empty(17, 33, dtype=into, device=device)
            with aten():
                function(x, y, out=theirs)
            with must_serve(overload):
                function(x, y, out=ours)
            same(ours, theirs, True)


@each_device
def test_conditions_broadcast(device):
    x = values(torch.float32, device)
    masked = Case("masked_fill.Scalar", lambda x, m: x.masked_fill(m, -2), [], True)
    where = Case("where.self", lambda x, m: torch.where(m, x, x[:, :1]), [], True)
    for mask in (x[:1] > 0, x[:, :1] > 0, x[0, 0] > -100, (x > 0)[None].expand(2, -1, -1)):
        compare(masked, x, mask)
        compare(where, x, mask)


@each_device
def test_comparisons_with_numbers_at_the_edges(device):
    """A number that the tensor's dtype cannot hold exactly is compared as ATen compares it."""
    for dtype, number in [
        (torch.float32, 0.1),
        (torch.bfloat16, 0.1),
        (torch.int64, 2**53 + 1),
        (torch.int32, 1.5),
        (torch.bool, 1),
    ]:
        x = torch.tensor([0, 1, 2], dtype=torch.float64).to(dtype).to(device)
        x[-1] = number
        for name in ("eq", "lt", "ge"):
            case = Case(f"{name}.Scalar", lambda x, name=name, number=number: getattr(torch, name)(x, number), [], True)
            compare(case, x)


@each_device
@pytest.mark.parametrize("dtype", MOVED)
def test_bits_are_moved_whatever_they_mean(dtype, device):
    """All bit patterns, the ones that are no number, too; conjugate and negative views as what they stand for."""
    pattern = torch.randint(0, 256, (24, 16 * dtype.itemsize), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)
    x = pattern.to(device).view(dtype)
    for function in (
        torch.clone,
        lambda x: x.t().contiguous(),
        lambda x: x[:, ::2].contiguous(),
        lambda x: x[:, :1].expand(24, 9).clone(),
    ):
        compare(Case("copy_", function, [], True), x)
    if dtype.is_complex:
        with aten():  # a GPU makes one NaN of all where it negates
            x = torch.view_as_complex(torch.nan_to_num(torch.view_as_real(x), 1))
        for view in (torch.conj, lambda x: x.conj().imag, lambda x: x.conj().t()):
            for copy in (
                lambda x, view=view: torch.empty_like(view(x)).copy_(view(x)),
                lambda x, view=view: view(x.clone()).copy_(x.real if view(x).is_neg() else view(x).resolve_conj()),
            ):
                compare(Case("copy_", lambda x, copy=copy: copy(x).resolve_neg().resolve_conj(), [], True), x)


@each_device
def test_copy_on_write_inputs_stay_shared(device):
    x = values(torch.float32, device)
    lazy = torch._lazy_clone(x)
    with must_serve("add.Tensor", "sum"):
        lazy + lazy, lazy.sum()
    assert torch._C._is_cow_tensor(lazy)
