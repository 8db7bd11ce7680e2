"""Comparing with ATen, and making sure that it was not ATen who answered."""

import contextlib

import pytest

import corundum

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]


@contextlib.contextmanager
def aten():
    with corundum.use(only=[]):
        yield


@contextlib.contextmanager
def must_serve(*overloads):
    """The block must call each overload at least once, and our own kernels must serve every such call."""
    with corundum.record() as record:
        yield
    calls = {call.overload: call for call in record.calls}
    for overload in overloads:
        assert overload in calls, f"{overload} was not called, but {sorted(calls)}"
        call = calls[overload]
        assert call.served == {"corundum": call.count}, f"{overload}: {call.fell_back}"
