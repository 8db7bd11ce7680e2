"""What ATen refuses is refused in ATen's words."""

import pytest
import torch
import torch.nn.functional as F
from against_aten import aten, must_serve

pytestmark = pytest.mark.usefixtures("on")

x, y = torch.randn(3, 4), torch.randn(5, 6)
whole = torch.ones(3, 4, dtype=torch.int64)
leaf = torch.randn(3, requires_grad=True)

WRONG = {
    "shapes": lambda: x + y,
    "bool_alpha": lambda: torch.add(x, x, alpha=True),
    "float_alpha_of_integers": lambda: torch.add(whole, whole, alpha=1.5),
    "subtract_bool": lambda: torch.sub(x > 0, x > 0),
    "in_place_promotion": lambda: whole.clone().add_(1.5),
    "in_place_division": lambda: whole.clone().div_(2),
    "in_place_broadcast": lambda: torch.ones(4).add_(x),
    "expanded_output": lambda: torch.ones(1).expand(3).add_(1),
    "overlapping_output": lambda: (lambda t: t[1:].copy_(t[:-1]))(torch.arange(5.0)),
    "out_dtype": lambda: torch.tanh(x, out=torch.empty(3, 4, dtype=torch.int64)),
    "integer_division_by_zero": lambda: torch.div(whole, whole - 1, rounding_mode="floor"),
    "rounding_mode": lambda: torch.div(x, x, rounding_mode="up"),
    "gelu_of_integers": lambda: F.gelu(whole),
    "gelu_approximate": lambda: F.gelu(x, approximate="sin"),
    "clamp_nothing": lambda: torch.clamp(x),
    "clamp_overflow": lambda: whole.to(torch.int8).clamp(max=1000),
    "clamp_complex": lambda: torch.clamp(torch.ones(2, dtype=torch.complex64), 0, 1),
    "mask_dtype": lambda: x.masked_fill(whole, 0),
    "mask_shape": lambda: x.masked_fill(y > 0, 0),
    "mask_value": lambda: x.masked_fill(x > 0, torch.ones(2)),
    "mask_value_overflow": lambda: x.half().masked_fill(x > 0, 1e10),
    "compare_shapes": lambda: x < y,
    "compare_complex": lambda: torch.ones(2, dtype=torch.complex64) < 1,
    "compare_out_dtype": lambda: torch.lt(x, x, out=torch.empty(3, 4, dtype=torch.complex64)) < 1,
    "compare_in_place_broadcast": lambda: torch.ones(4).lt_(x),
    "clamp_min_overflow": lambda: whole.to(torch.int8).clamp_min(1000),
    "clamp_max_complex": lambda: torch.clamp_max(torch.ones(2, dtype=torch.complex64), 1),
    "clamp_min_in_place_promotion": lambda: whole.clone().clamp_min_(0.5),
    "clamp_max_shapes": lambda: torch.clamp_max(x, y),
    "bitwise_floats": lambda: torch.bitwise_and(x, x),
    "bitwise_float_number": lambda: torch.bitwise_or(whole, 1.5),
    "bitwise_shapes": lambda: whole ^ torch.ones(5, dtype=torch.int64),
    "bitwise_in_place_promotion": lambda: whole.to(torch.int8).bitwise_and_(x),
    "where_condition": lambda: torch.where(x, x, x),
    "where_shapes": lambda: torch.where(x > 0, x, y),
    "where_out_dtype": lambda: torch.where(x > 0, x, x, out=torch.empty(3, 4, dtype=torch.float64)),
    "fill_overflow": lambda: whole.to(torch.int8).fill_(1000),
    "fill_with_many": lambda: x.clone().fill_(x[0]),
    "fill_with_complex": lambda: x.clone().fill_(1j),
    "fill_leaf": lambda: leaf.zero_(),
    "copy_complex_shape": lambda: torch.ones(4, dtype=torch.complex64).copy_(x.to(torch.complex64)),
    "sum_dim": lambda: x.sum(5),
    "sum_dims_repeated": lambda: x.sum((1, -1)),
    "mean_of_integers": lambda: whole.mean(),
    "norm_of_integers": lambda: torch.linalg.vector_norm(whole),
    "norm_of_nothing": lambda: torch.linalg.vector_norm(torch.ones(0), float("inf")),
    "softmax_dim": lambda: F.softmax(x, 3),
    "softmax_of_integers": lambda: F.softmax(whole, 0),
    "layer_norm_shape": lambda: F.layer_norm(x, (5,)),
    "layer_norm_weight": lambda: F.layer_norm(x, (4,), torch.ones(3)),
    "embedding_index": lambda: F.embedding(torch.tensor([0, 3]), x),
    "embedding_negative_index": lambda: F.embedding(torch.tensor([-1]), x),
    "embedding_dtype": lambda: F.embedding(x, x),
    "leaf_in_place": lambda: leaf.add_(1),
    "copy_shape": lambda: torch.ones(4).copy_(x),
}


def outcome(function):
    try:
        function()
    except Exception as error:
        return type(error), str(error)
    return None


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_gets_atens_error(name):
    with aten():
        expected = outcome(WRONG[name])
    assert expected is not None, "ATen takes this call"
    assert outcome(WRONG[name]) == expected


def test_nothing_is_written_before_an_error():
    table, out = torch.ones(3, 4), torch.full((2, 4), 7.0)
    with pytest.raises(IndexError):
        torch.index_select(table, 0, torch.tensor([0, 9]), out=out)
    target = torch.arange(5.0)
    with pytest.raises(RuntimeError):
        target[1:].copy_(target[:-1])
    assert torch.equal(target, torch.arange(5.0))


def test_what_is_not_covered_says_why_and_stays_right():
    import corundum

    z = torch.randn(4, dtype=torch.complex64)
    with corundum.record() as record:
        torch.testing.assert_close(torch.sinc(z)[0], torch.sinc(z[0]))
    assert record["sinc"].fell_back == {"dtype not covered": 2}

    dense = torch.eye(3)
    with must_serve("copy_"):
        dense.copy_(z[:3].conj().imag.expand(3, 3))  # which has a negative bit
    assert torch.equal(dense[1], -z[:3].imag)


def test_subclasses_with_their_own_functions_work():
    parameter = torch.nn.Parameter(torch.randn(4))
    with must_serve("add.Tensor"):
        assert (parameter + parameter).requires_grad
