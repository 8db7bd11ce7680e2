"""docs/coverage.md: each call that is said to be not covered falls back, with the reason that is written there."""

from pathlib import Path

import pytest
import torch
from against_aten import DEVICES
from layouts import values

import corundum

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "coverage.md"
pytestmark = pytest.mark.usefixtures("on")


def rows():
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


CASES = [
    pytest.param(device, overload, call, reason, id=f"{overload}-{dtype}-{layout}-{device}", marks=marks)
    for overload, dtype, layout, backend, call, reason in rows()
    for device, marks in [("cpu", []), ("cuda", [pytest.mark.cuda])]
    if backend in ("all", device)
]


@pytest.mark.parametrize(("device", "overload", "call", "reason"), CASES)
def test_what_is_not_covered_says_why(device, overload, call, reason):
    x = values(torch.float32, device, shape=(4, 6))
    names = {"t": torch, "F": torch.nn.functional, "x": x, "n": values(torch.int64, device, shape=(4, 6))}
    names |= {"h": x.half(), "z": values(torch.complex64, device, shape=(4, 6))}
    with corundum.record() as record:
        eval(call, names)
    assert record[overload].fell_back == {reason: record[overload].fell_back.get(reason)}


def test_the_table_names_overloads_that_are_ours():
    ours = {op["overload"] for op in corundum.ops() if not op["via"]}
    assert {row[0] for row in rows()} <= ours
    assert len(rows()) > 20


@pytest.mark.parametrize("device", DEVICES)
def test_a_row_that_became_covered_would_be_noticed(device):
    """The same calls with what is covered are served, so the reasons above come from what the rows say."""
    x = values(torch.float32, device, shape=(4, 6))
    with corundum.record() as record:
        (x + x).tanh().sum(0)
        torch.where(x > 0, x, x).masked_fill(x > 0, 0).zero_()
    assert all(call.fell_back == {} for call in record.calls)
