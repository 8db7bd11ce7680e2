"""Planning without a device, on the real library."""

import pytest
import torch

import corundum

F = torch.nn.functional


def case(call, *shapes, dtype="float32", **kwargs):
    return {"call": call, "args": [{"shape": list(shape), "dtype": dtype} for shape in shapes], "kwargs": kwargs}


CASES = [
    case("torch.nn.functional.gelu", (64, 64), dtype="bfloat16"),
    case("torch.add", (64, 64), (64, 64)),
    case("torch.add", (64, 1), (1, 64)),
    case("torch.softmax", (8, 1024), dim=-1),
    case("torch.sum", (8, 1024), dim=0),
]


@pytest.mark.parametrize("target", ["sm_90", "avx2", "avx512"])
def test_a_plan_names_the_kernels(on, target):
    kernels = corundum.plan(target, CASES).kernels
    assert len(kernels) == len(set(kernels))
    text = "\n".join(kernels)
    for word in ("gelu", "add", "softmax", "sum"):
        assert word in text
    assert torch.equal(torch.ones(3) + 1, torch.full((3,), 2.0))  # this thread launches again


@pytest.mark.parametrize("number", [2, 0.5])
def test_a_number_plans_the_kernel_that_a_call_launches(on, number):
    target = next(one for one in corundum.info()["backends"] if one["name"] == "cpu")["devices"][0]["target"]
    x = {"shape": [64, 64], "dtype": "bfloat16"}
    planned = corundum.plan(target, [{"call": "torch.mul", "args": [x, number]}]).kernels
    (called,) = corundum.explain(torch.mul, torch.ones(64, 64, dtype=torch.bfloat16), number)["mul.Tensor"]
    assert planned == [launch.kernel for launch in called.launches]


def test_what_cannot_be_planned_says_why(on):
    with pytest.raises(Exception, match=r"add.Tensor cannot be planned: dtype not covered"):
        corundum.plan("sm_90", [case("torch.add", (4,), (4,), dtype="uint16")])
