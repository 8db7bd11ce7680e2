"""`verify()` sees a wrong result in a live model, `bisect()` finds the operator that makes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import corundum
from corundum import _verify

ROOT = Path(__file__).resolve().parents[2]


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.LayerNorm(16), torch.nn.Softmax(-1))


def test_a_right_model_passes_with_its_backward(on):
    net, x = model(), torch.randn(5, 8, requires_grad=True)
    with corundum.verify() as seen:
        net(x).square().sum().backward()
    assert seen.differences == []
    assert seen.checked >= 5


@pytest.fixture
def spoiled_tanh(monkeypatch):
    """As if our tanh were wrong in one element of the third call."""
    right, count = _verify._run, [0]

    def run(func, args, kwargs):
        result = right(func, args, kwargs)
        if func is torch.ops.aten.tanh.default:
            count[0] += 1
            if count[0] == 3:
                result.view(-1)[7] += 1e-3
        return result

    monkeypatch.setattr(_verify, "_run", run)


def test_the_first_difference_stops_with_a_script(on, spoiled_tanh, tmp_path):
    x = torch.randn(4, 6)

    def run():
        y = x
        with corundum.verify(directory=tmp_path):
            for _ in range(4):
                y = torch.tanh(y) + 1

    with pytest.raises(corundum.DifferenceError, match="1 of 24 elements differ") as caught:
        run()
    difference = caught.value.difference
    assert (difference.overload, difference.call) == ("tanh", 5)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run([sys.executable, str(difference.script)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr  # the operator itself is right


def test_without_stopping_all_are_noted(on, spoiled_tanh, tmp_path):
    x = torch.randn(4, 6)
    with corundum.verify(stop=False, directory=tmp_path) as seen:
        for _ in range(4):
            torch.tanh(x)
    assert [d.overload for d in seen.differences] == ["tanh"]
    assert seen.checked == 4


def served(*names):
    """Whether Corundum serves all of these now."""
    x = torch.randn(3, 4)
    with corundum.record() as calls:
        torch.tanh(x), x * x, F.softmax(x, -1), x + x
    return all(call.served for call in calls if call.overload in names)


def test_bisect_finds_one_operator(on):
    def run():
        x = torch.linspace(-1, 1, 12).reshape(3, 4)
        result = F.softmax(torch.tanh(x * x) + x, -1)
        return result + 1 if served("mul.Tensor") else result

    assert corundum.bisect(run) == ["mul.Tensor"]


def test_bisect_finds_two_that_only_break_together(on):
    def run():
        x = torch.linspace(-1, 1, 12).reshape(3, 4)
        F.softmax(torch.tanh(x * x) + x, -1)
        return served("tanh", "_softmax")

    assert corundum.bisect(run, good=lambda broken: not broken) == ["_softmax.default", "tanh.default"]


def test_bisect_finds_nothing_in_a_right_model(on):
    net, x = model(), torch.randn(5, 8)
    assert corundum.bisect(lambda: net(x)) == []


def test_bisect_wants_a_run_that_is_right_without_corundum(on):
    with pytest.raises(ValueError, match="without Corundum, too"):
        corundum.bisect(lambda: None, good=lambda result: False)
