"""Enabling, masks, disabling, threads and processes."""

import os
import threading

import pytest
import torch
from against_aten import aten, must_serve

import corundum


def dispatch_tables():
    """What the dispatcher would call, for every overload that is ours, without the addresses of kernels."""
    return {op["overload"]: torch._C._dispatch_dump_table(f"aten::{op['overload']}") for op in corundum.ops() if not op["via"]}


def registrations():
    return {op["overload"]: torch._C._dispatch_dump(f"aten::{op['overload']}") for op in corundum.ops() if not op["via"]}


def test_disable_puts_aten_back_exactly(on):
    corundum.disable()
    tables, kernels = dispatch_tables(), registrations()
    assert corundum.enable() == len(tables)
    assert dispatch_tables() != tables
    assert corundum.disable() == len(tables)
    assert dispatch_tables() == tables
    assert registrations() == kernels
    assert corundum.disable() == 0


def test_no_composite_is_registered(on):
    with_kernels_beside = ("mish_backward", "silu_backward")  # of ATen's
    without_gradient = ("isclose", "isfinite")  # bools
    for op in corundum.ops():
        if not op["via"]:
            composite = torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{op['overload']}", "CompositeImplicitAutograd")
            assert not composite or op["overload"] in with_kernels_beside + without_gradient
            on_cpu = torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{op['overload']}", "CPU")
            assert on_cpu != (op["overload"] == "_masked_scale")  # which ATen has for CUDA alone
            continue
        assert not torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{op['overload']}", "CPU")


def test_every_composite_named_is_served_by_its_parts(on):
    """A composite that is said to be covered must exist in this torch, and its parts must be ours."""
    ours = {op["overload"] for op in corundum.ops() if not op["via"]}
    via = {op["overload"]: op["via"] for op in corundum.ops() if op["via"]}
    assert {"softmax.int", "layer_norm", "clone", "add.Scalar", "to.dtype"} <= set(via)
    for parts in via.values():
        assert set(parts) <= ours


def served(function):
    with corundum.record() as record:
        function()
    return {call.overload for call in record.calls if call.served}


def test_masks_nest_and_the_innermost_counts(on):
    x = torch.randn(8, 8)

    def both():
        return x + x, x * x

    assert served(both) == {"add.Tensor", "mul.Tensor"}
    with corundum.use(only=["add"]):
        assert served(both) == {"add.Tensor"}
        with corundum.use(exclude=["add.Tensor"]):
            assert served(both) == {"mul.Tensor"}
        with corundum.use(only=[]):
            assert served(both) == set()
        assert served(both) == {"add.Tensor"}
    assert served(both) == {"add.Tensor", "mul.Tensor"}


def test_enabling_a_choice_leaves_the_rest_to_aten(on):
    x = torch.randn(8, 8)
    corundum.disable()
    corundum.enable(only=["mul.Tensor"])
    assert served(lambda: (x + x, x * x)) == {"mul.Tensor"}
    assert not torch._C._dispatch_has_kernel_for_dispatch_key("aten::sum", "CPU")
    corundum.enable()
    assert served(lambda: (x + x, x * x)) == {"add.Tensor", "mul.Tensor"}


def test_a_switched_off_call_says_so(on):
    with corundum.use(only=[]), corundum.record() as record:
        torch.ones(3) + 1
    assert record["add.Tensor"].fell_back == {"switched off": 1}


def test_unknown_tokens_are_errors(on):
    from corundum import _library

    with pytest.raises(ValueError, match="no mask has token 999"):
        _library._call("use_pop", token=999)
    with pytest.raises(ValueError, match="no recording has token 999"):
        _library._call("record_stop", token=999)
    with pytest.raises(ValueError, match="did you mean 'add.Tensor'"):
        _library._call("enable", only=["add.Tensr"])
    with pytest.raises(TypeError, match="only"):
        _library._call("enable", only=3)
    with pytest.raises(ValueError, match="there is no command"):
        _library._call("dance")


def run_in_threads(count, work):
    failures = []

    def guarded(index):
        try:
            work(index)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_fresh_threads_compute_and_differentiate(on):
    x = torch.randn(64, 48)
    with aten():
        expected = torch.tanh(x).mul(x).sum(1)

    def work(_):
        leaf = x.clone().requires_grad_()
        result = torch.tanh(leaf).mul(leaf).sum(1)
        result.sum().backward()
        torch.testing.assert_close(result.detach(), expected)
        assert leaf.grad is not None

    with must_serve("tanh", "mul.Tensor", "sum.dim_IntList", "tanh_backward"):
        run_in_threads(8, work)


def test_a_record_sees_all_threads(on):
    x = torch.randn(4)
    with corundum.record() as record:
        run_in_threads(3, lambda _: torch.tanh(x))
    assert record["tanh"].count == 3


def test_a_forked_process_goes_on(on):
    x = torch.randn(40, 30)
    expected = torch.tanh(x) + x
    child = os.fork()
    if child == 0:
        torch.set_num_threads(1)  # OpenMP's threads do not survive a fork
        same = torch.equal(torch.tanh(x) + x, expected) and torch.isfinite(torch.softmax(x[:, :13], 0)).all()
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
