"""Streams, graphs, threads and first calls: the kernel runs where and when the caller means it to."""

import os
import subprocess
import sys
import threading

import pytest
import torch
import torch.nn.functional as F
from against_aten import DEVICES, aten, must_serve, same

# First calls need a process in which nothing has been called, and a cache in which nothing lies.
PREAMBLE = """
import sys, threading
import torch
import torch.nn.functional as F
import corundum

device = sys.argv[1]
corundum.enable()

def counters():
    found = corundum.info()["counters"]
    return {name: found[name] for name in ("compiled", "from_disk", "from_pack", "failed")}

def loaded():
    return sum(counters().values())
"""

CAPTURE = """
torch.manual_seed(0)
make = lambda *shape: torch.randn(*shape, device=device)
x, row, weight = make(300, 70), make(70), make(50, 33)
half = x.bfloat16()
whole = torch.arange(300 * 70, device=device).view(300, 70)
indices = torch.randint(0, 50, (9,), device=device)
functions = {
    "add.Tensor": lambda: x + row,
    "mul.Tensor": lambda: half.t() * 3,
    "div.Tensor_mode": lambda: torch.div(x, 0.7, rounding_mode="floor"),
    "gelu": lambda: F.gelu(half),
    "lt.Scalar": lambda: whole < 1000,
    "where.self": lambda: torch.where(x > 0, x, row),
    "masked_fill.Scalar": lambda: x.masked_fill(x > 0.5, -1),
    "copy_": lambda: x.t().contiguous(),
    "sum.dim_IntList": lambda: x.sum(0),
    "sum": lambda: half.sum(),
    "linalg_vector_norm": lambda: torch.linalg.vector_norm(x, dim=1),
    "_softmax": lambda: F.softmax(half, -1),
    "native_layer_norm": lambda: F.layer_norm(x, (70,), row, row),
    "embedding": lambda: F.embedding(indices, weight),
}
torch.cuda.synchronize()
for overload, function in functions.items():
    before = loaded()
    graph = torch.cuda.CUDAGraph()
    with corundum.record() as record, torch.cuda.graph(graph):
        result = function()
    assert record[overload].served == {"corundum": record[overload].count}, (overload, record[overload])
    assert loaded() > before, (overload, "its kernel was there already: this was no first call")
    for seed in range(1, 4):
        torch.manual_seed(seed)
        x.copy_(make(300, 70)); row.copy_(make(70)); weight.copy_(make(50, 33)); half.copy_(x); whole.add_(37)
        graph.replay()
        with corundum.use(only=[]):
            torch.testing.assert_close(result, function(), msg=overload)
print("captured", len(functions))
"""

EIGHT_THREADS = """
x = torch.randn(64, 33, device=device)
with corundum.use(only=[]):
    expected = torch.tanh(x)
before, results, gate = counters(), [None] * 8, threading.Barrier(8)

def work(i):
    gate.wait()
    results[i] = torch.tanh(x)

threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
after = counters()
for result in results:
    torch.testing.assert_close(result, expected)
assert after["compiled"] == before["compiled"] + 1, (before, after)
assert after["failed"] == 0
print("one kernel")
"""


def run(program, device, tmp_path):
    (tmp_path / "program.py").write_text(PREAMBLE + program)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CORUNDUM_CACHE_DIR": str(tmp_path / "cache")}
    environment.pop("CORUNDUM_PACKS", None)
    done = subprocess.run([sys.executable, tmp_path / "program.py", device], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.cuda
def test_graphs_capture_from_the_first_call_on(tmp_path):
    assert run(CAPTURE, "cuda", tmp_path) == "captured 14"


@pytest.mark.parametrize("device", DEVICES)
def test_eight_threads_wait_for_one_kernel(device, tmp_path):
    assert run(EIGHT_THREADS, device, tmp_path) == "one kernel"


@pytest.mark.cuda
def test_a_graph_of_forward_and_backward(on):
    x = torch.randn(64, 48, device="cuda", requires_grad=True)
    y = torch.randn(64, 48, device="cuda")

    def step():
        (F.softmax(F.gelu(x) * y, -1) - y).clamp_min(0).sum().backward()

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        step()
    torch.cuda.current_stream().wait_stream(side)
    x.grad = None
    graph = torch.cuda.CUDAGraph()
    with must_serve("gelu", "gelu_backward", "_softmax", "sum"), torch.cuda.graph(graph):
        step()
    for seed in range(3):
        with torch.no_grad():
            x.copy_(torch.randn(64, 48, generator=torch.Generator().manual_seed(seed)))
        graph.replay()
        captured = x.grad.clone()
        with aten():
            (expected,) = torch.autograd.grad((F.softmax(F.gelu(x) * y, -1) - y).clamp_min(0).sum(), x)
        torch.testing.assert_close(captured, expected)


SLOW = 200_000_000  # clock cycles: about a tenth of a second

ON_STREAMS = {
    "mul.Tensor": lambda x: x * 2,
    "sum": lambda x: x.sum(),
    "sum.dim_IntList": lambda x: x.view(1024, -1).sum(0),
    "copy_": lambda x: x.view(1024, -1).t().contiguous(),
    "_softmax": lambda x: F.softmax(x.view(1024, -1) * torch.arange(1024, device=x.device), -1),
    "native_layer_norm": lambda x: F.layer_norm(x.view(1024, -1) * torch.arange(1024, device=x.device), (1024,)),
}


@pytest.mark.cuda
@pytest.mark.parametrize("overload", ON_STREAMS)
@pytest.mark.parametrize("side", [True, False])
def test_the_callers_stream_is_the_one(on, overload, side):
    """The input arrives late on the caller's stream: a kernel on any other stream would read what was there before."""
    function = ON_STREAMS[overload]
    x = torch.zeros(1 << 20, device="cuda")
    with aten():
        expected = function(torch.full_like(x, 3.0))
    function(x)  # compiled before
    torch.cuda.synchronize()
    stream = torch.cuda.Stream() if side else torch.cuda.current_stream()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(SLOW)
        with aten():
            x.fill_(3.0)
        with must_serve(overload):
            result = function(x)
    stream.synchronize()
    torch.testing.assert_close(result, expected)


def in_threads(count, work):
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


@pytest.mark.cuda
def test_a_fresh_thread_has_no_context_yet(on):
    """The first thing that a thread does is a call of ours whose memory the allocator has in its cache."""
    x = torch.randn(64, 48, device="cuda")
    warm = [torch.empty_like(x) for _ in range(8)]
    del warm
    with aten():
        expected = torch.tanh(x)
    torch.cuda.synchronize()
    results = [None] * 4

    def work(i):
        results[i] = torch.tanh(x)

    with must_serve("tanh"):
        for i in range(4):
            in_threads(1, lambda _, i=i: work(i))
    torch.cuda.synchronize()
    for result in results:
        same(result, expected)


@pytest.mark.cuda
def test_autograds_own_threads(on):
    def gradient():
        x = torch.linspace(-3, 3, 300, device="cuda", requires_grad=True)
        F.gelu(torch.tanh(x)).clamp_min(-0.1).sum().backward()
        return x.grad

    with aten():
        expected = gradient()
    with must_serve("gelu_backward", "tanh_backward", "gelu", "tanh"):
        torch.testing.assert_close(gradient(), expected)


@pytest.mark.cuda
def test_threads_on_streams_of_their_own(on):
    def work(index):
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            x = torch.full((333, 77), float(index), device="cuda")
            for _ in range(50):
                x = (x + 1).t().contiguous().t() - 1
        stream.synchronize()
        assert bool((x == index).all())

    in_threads(8, work)
