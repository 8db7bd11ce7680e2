"""Comparing with ATen, and making sure that it was not ATen who answered."""

import contextlib

import pytest
import torch
from cases import COMPLEX, HALVES, MOVED

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


def bits(t):
    return t.cpu().reshape(-1).view(torch.uint8)


def same(ours, theirs, exact=False, tolerance=None):
    """Dtype, shape, strides and values; the comparison itself is ATen's."""
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    assert ours.stride() == theirs.stride(), f"strides {ours.stride()} instead of {theirs.stride()}"
    with aten():
        if theirs.dtype in MOVED and not (theirs.dtype in COMPLEX and not exact):
            assert torch.equal(bits(ours), bits(theirs))
        elif exact or not (theirs.is_floating_point() or theirs.is_complex()):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)
        else:
            torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True)


def expected(case, function, *tensors):
    """ATen's result: where 16-bit arithmetic is in question its float64 result, in the layout and dtype of the 16-bit one."""
    with aten():
        theirs = function(*tensors)
        if case.through_double and tensors[0].dtype in HALVES:
            theirs.copy_(function(*(t.double() for t in tensors)))
    return theirs


def aten_has_none(function, *tensors):
    """Whether ATen has no kernel for the call on this device. Then a call of ours must be the same error."""
    try:
        with aten():
            function(*tensors)
    except NotImplementedError as error:
        words = str(error).splitlines()[:1]
    else:
        return False
    with pytest.raises(NotImplementedError) as raised:
        function(*tensors)
    assert str(raised.value).splitlines()[:1] == words
    return True


def compare(case, *tensors, tolerance=None):
    if tensors[0].is_cuda and aten_has_none(case.function, *tensors):
        return
    theirs = expected(case, case.function, *tensors)
    with must_serve(case.overload):
        ours = case.function(*tensors)
    same(ours, theirs, case.exact, tolerance)
