"""docs/coverage.md: each call that is said to be not covered falls back, with the reason that is written there."""

import re
from pathlib import Path

import pytest
import torch
from against_aten import DEVICES
from layouts import values

import corundum

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "coverage.md"
pytestmark = pytest.mark.usefixtures("on")

# Refusals of calls that are errors in ATen, too (test_errors.py compares the words).
ERRORS = {
    "a deviation is below 0",
    "a number is no probability",
    "a parameter is out of its range",
    "mean and deviation do not broadcast",
    "the generator is of another kind of device",
    "the probabilities do not broadcast",
    "a bound overflows the dtype",
    "a first tensor that broadcasts beside equal NaN",
    "a number does not fit the dtype",
    "a tolerance is below 0",
    "ATen has not this dtype on a GPU",
    "the buffer is of another shape",
    "the mask is of another dtype",
    "the tensors do not broadcast",
    "a dimension is out of range",
    "a list of largest squares that is not asked for",
    "a dimension is repeated",
    "a maximum over no elements",
    "a mean needs a floating point dtype",
    "a negative order",
    "alpha is of another kind than the tensors",
    "an index is out of range",
    "an odd number of elements has no halves",
    'approximate is neither "none" nor "tanh"',
    "bool tensors cannot be subtracted",
    "complex numbers are not covered",
    "complex numbers in place",
    "half to float is for float16 on a GPU",
    "indices are neither int32 nor int64",
    "indices are not int32 or int64",
    "integers to negative integer powers",
    "k is not between 0 and the row's length",
    "neither min nor max is given",
    'rounding_mode is neither None, "trunc" nor "floor"',
    "tensor and mask do not broadcast",
    "the condition is not bool",
    "the dimension is out of range",
    "of a result the argument is not known",
    "the gradient has another shape",
    "the dtype is narrower than the tensor's",
    "the factor is of another kind than the tensors",
    "the mask does not broadcast to the tensor",
    "the mask is not bool",
    "the normalized shape is not the end of the tensor's",
    "the operator is not defined for this dtype",
    "the output has another dtype than the result",
    "the output overlaps the input",
    "the result cannot be cast to the output's dtype",
    "the source does not broadcast to the tensor",
    "the value is not a plain tensor of no dimensions",
    "the value does not fit the tensor's dtype",
    "the weight is not a matrix",
    "the weight is of another kind than the tensors",
    "weight and bias have another dtype than the tensor",
    "weight and bias have different dtypes",
    "weight or bias is not of the normalized shape",
    "a number in a tensor is no float32 on the lists' device",
    "the growth tracker is no int32 on the scale's device",
    "the lists have different lengths",
}
# Of the machinery: no device, no plan, and what the checks above a plan let nobody reach.
MACHINERY = {
    "a mode or a tracer sees each operator",
    "no kernel for this distribution on this device",
    "this device type has random numbers of its own",
    "this torch has no such random generator",
    "a block's part is too long",
    "a plan is being made: only meta tensors are planned",
    "a row is too long for one block",
    "a row is too long for this k",
    "device index above 63",
    "elements are not of 1, 2, 4, 8 or 16 bytes",
    "meta tensors are served only while a plan is made",
    "more blocks than a grid holds",
    "more than 64 dimensions",
    "no backend serves this device type",
    "no backend serves this device",
    "no kernel for this dtype",
    "no kernel for this input dtype",
    "no kernel for this output dtype",
    "switched off",
    "too many transposed inputs for a block's shared memory",
    "a list without tensors",
}


def rows():
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


CASES = [
    pytest.param(device, overload, call, reason, id=f"{overload}-{dtype}-{layout}-{device}", marks=marks)
    for overload, dtype, layout, backend, call, reason in rows()
    for device, marks in [("cpu", []), ("cuda", [pytest.mark.cuda])]
    if backend in ("all", device)
]


def names(device):
    x = values(torch.float32, device, shape=(4, 6))
    tensors = {"x": x, "n": values(torch.int64, device, shape=(4, 6)), "h": x.half()}
    tensors["z"] = values(torch.complex64, device, shape=(4, 6))
    return {"t": torch, "F": torch.nn.functional, **tensors}


@pytest.mark.parametrize(("device", "overload", "call", "reason"), CASES)
def test_what_is_not_covered_says_why(device, overload, call, reason):
    scope = names(device)
    with corundum.record() as record:
        eval(call, scope)
    assert set(record[overload].fell_back) == {reason}
    assert record[overload].served == {}


def test_the_table_names_overloads_that_are_ours():
    ours = {op["overload"] for op in corundum.ops() if not op["via"]}
    assert len(rows()) > 20
    assert {row[0] for row in rows()} <= ours
    assert {row[3] for row in rows()} <= {"all", "cpu", "cuda"}


def test_every_reason_in_the_source_has_its_place():
    """A new refusal is in the table, or the call is an error, or nobody's call comes to it."""
    text = "".join(path.read_text() for folder in ("torch", "ops") for path in (ROOT / "src" / folder).rglob("*.[ch]*"))
    refused = re.findall(r'refuse\(\s*"((?:[^"\\]|\\.)*)"', text)
    constants = re.findall(r'const char\* \w+ =\s*"([^"]* [^"]*)"', text)
    said = {reason.replace('\\"', '"') for reason in refused + constants}
    said = {reason for reason in said if "float16 bfloat16" not in reason}  # lists of dtypes
    documented = {row[5] for row in rows()}
    assert said - documented - ERRORS - MACHINERY == set(), "reasons that are written nowhere"
    assert (documented | ERRORS | MACHINERY) - said == set(), "reasons that the source no longer gives"


@pytest.mark.parametrize("device", DEVICES)
def test_what_is_covered_gives_no_reason(device):
    x = values(torch.float32, device, shape=(4, 6))
    with corundum.record() as record:
        (x + x).tanh().sum(0)
        torch.where(x > 0, x, x).masked_fill(x > 0, 0).zero_()
    assert {call.overload for call in record.calls if call.served} >= {"add.Tensor", "tanh", "where.self", "zero_"}
    assert all(call.fell_back == {} for call in record.calls)
