"""Random numbers: with one seed, Corundum's are ATen's bit for bit, and leave the generator where ATen's leave it."""

import math
import platform
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from against_aten import DEVICES, aten, bits

import corundum

pytestmark = pytest.mark.usefixtures("on")

FLOATS = [torch.float32, torch.bfloat16, torch.float16, torch.float64]
INTEGERS = [torch.int64, torch.uint8, torch.int8, torch.int16, torch.int32, torch.bool]
SIZES = [1, 3, 127, 4096, 5003, 1_000_003]
# On CPUs these are made by libm's functions, or by MKL: there is nothing to match them with.
CUDA_ONLY = {"normal_", "log_normal_", "exponential_", "cauchy_", "geometric_"}
MKL = platform.machine() == "x86_64" and torch.backends.mkl.is_available() and "GenuineIntel" in Path("/proc/cpuinfo").read_text()
FILLS = {
    "uniform_": [(), (-2.5, 7.25)],
    "normal_": [(), (3.0, 0.1)],
    "log_normal_": [(), (0.5, 2.0)],
    "exponential_": [(), (0.3,)],
    "cauchy_": [(), (-1.0, 3.0)],
    "geometric_": [(0.3,), (0.9,)],
    "bernoulli_": [(), (0.0,), (1.0,), (0.37,)],
    "random_": [(), (2,), (0, 100), (3, 120)],
}
WIDE = {
    torch.int64: [(1 << 40,), (-(1 << 62), 1 << 62), (-(1 << 63), None), (5, None), (0, 1 << 28), (0, (1 << 28) - 1)],
    torch.int32: [(-(1 << 31), (1 << 31) - 1), (7, None)],
    torch.float32: [(-(1 << 24), 1 << 24), (-(1 << 63), None), (5, None)],
    torch.float64: [(-(1 << 50), 1 << 53), (-(1 << 63), None)],
    torch.uint16: [(0, 60000)],
    torch.uint32: [(0, 1 << 32)],
    torch.float16: [(0, 2048), (-100, None)],
}


def test_this_file_reaches_every_random_overload():
    text = Path(__file__).read_text()
    ours = {op["overload"] for op in corundum.ops() if op["family"] == "random" and not op["via"]}
    assert len(ours) > 15
    assert {overload for overload in ours if f'"{overload}"' not in text} == set()


def generator_state(device):
    if torch.device(device).type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.get_rng_state()


def both(function, device, seed=7, overload=None):
    """Ours and ATen's, on generators of the same state; some draws come first, so that they do not stand at the start."""
    results = []
    for ours in (True, False):
        torch.manual_seed(seed)
        with aten():
            torch.rand(5, device=device)
        if ours:
            with corundum.record() as record:
                result = function()
            if overload:
                assert record[overload].served == {"corundum": record[overload].count}, record[overload]
                assert record[overload].count > 0
        else:
            with aten():
                result = function()
        result = result if isinstance(result, tuple) else (result,)
        results.append((result, generator_state(device)))
    (mine, state), (wanted, wanted_state) = results
    for a, b in zip(mine, wanted, strict=True):
        assert (a.dtype, a.shape, a.stride()) == (b.dtype, b.shape, b.stride())
        assert torch.equal(bits(a.contiguous()), bits(b.contiguous())), (a, b)
    assert torch.equal(state, wanted_state), "the generators stand at different places"


def filled(name, args, n, dtype, device):
    return getattr(torch.empty(n, dtype=dtype, device=device), name)(*args)


def skip_if_atens(name, device):
    if device == "cpu" and name in CUDA_ONLY:
        pytest.skip("ATen's on a CPU: a row of docs/coverage.md")
    if device == "cpu" and name == "bernoulli_" and MKL:
        pytest.skip("MKL's on a processor of Intel's: docs/coverage.md")


def overload_of(name, args):
    if name == "bernoulli_":
        return "bernoulli_.float"
    return {0: "random_", 1: "random_.to", 2: "random_.from"}[len(args)] if name == "random_" else name


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", FLOATS + INTEGERS, ids=str)
@pytest.mark.parametrize("name", FILLS)
def test_fills(name, dtype, device):
    skip_if_atens(name, device)
    integral_too = name in ("bernoulli_", "random_") or (name == "geometric_" and dtype != torch.bool)
    if not dtype.is_floating_point and not integral_too:
        with pytest.raises(RuntimeError):
            getattr(torch.zeros(3, dtype=dtype, device=device), name)(*FILLS[name][0])
        return
    for args in FILLS[name]:
        if dtype == torch.bool and args in [(0, 100), (3, 120)]:
            continue
        for n in SIZES if args == FILLS[name][-1] else SIZES[:4]:
            both(partial(filled, name, args, n, dtype, device), device, n, overload_of(name, args))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", WIDE, ids=str)
def test_integers_of_any_range(dtype, device):
    for args in WIDE[dtype]:
        for n in (1, 127, 5003):
            both(partial(filled, "random_", args, n, dtype, device), device, n, overload_of("random_", args))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["uniform_", "normal_", "random_", "bernoulli_"])
def test_layouts(name, device):
    """Elements are numbered in the order of memory, dimensions of tensors with gaps by their strides."""
    skip_if_atens(name, device)
    layouts = {
        "transposed": lambda: torch.empty(70, 33, device=device).t(),
        "channels last": lambda: torch.empty(2, 3, 5, 7, device=device).to(memory_format=torch.channels_last),
        "misaligned": lambda: torch.empty(1001, device=device)[1:],
        "every second": lambda: torch.empty(300, 20, device=device)[:, ::2],
        "permuted with gaps": lambda: torch.empty(8, 9, 10, device=device)[:, :, 1:7].permute(2, 0, 1),
        "no dimension": lambda: torch.empty((), device=device),
        "empty": lambda: torch.empty(0, 3, device=device),
    }
    for make in layouts.values():
        both(lambda make=make: getattr(make(), name)(), device, overload=overload_of(name, ()))
    with pytest.raises(RuntimeError, match="single memory location"):
        getattr(torch.empty(1, device=device).expand(5), name)()


@pytest.mark.parametrize("device", DEVICES)
def test_generators(device):
    """An explicit generator is advanced, and the default one is left alone."""
    generator = torch.Generator(device=device)

    def call():
        generator.manual_seed(11)
        x = torch.empty(1000, device=device).uniform_(generator=generator)
        return x, torch.empty(77, device=device).uniform_(generator=generator)

    both(call, device, overload="uniform_")
    other = torch.Generator(device="cpu")
    if device != "cpu":
        with pytest.raises(RuntimeError, match="Expected a 'cuda' device type"):
            torch.empty(3, device=device).uniform_(generator=other)


@pytest.mark.parametrize("device", DEVICES)
def test_bad_parameters_raise_what_aten_raises(device):
    def empty(dtype=torch.float32):
        return torch.empty(3, dtype=dtype, device=device)

    calls = [
        lambda: empty().uniform_(2, 1),
        lambda: empty(torch.float16).uniform_(0, 1e6),
        lambda: empty().normal_(0, -1),
        lambda: empty().log_normal_(0, 0),
        lambda: empty().exponential_(0),
        lambda: empty().cauchy_(0, 0),
        lambda: empty().geometric_(1),
        lambda: empty().bernoulli_(1.5),
        lambda: empty(torch.uint8).random_(0, 257),
        lambda: empty().random_(5, 5),
        lambda: empty(torch.complex64).exponential_(),
    ]
    for call in calls:
        with aten(), pytest.raises(RuntimeError) as wanted:
            call()
        with pytest.raises(RuntimeError) as raised:
            call()
        assert str(raised.value) == str(wanted.value)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [*FLOATS, torch.int64, torch.bool], ids=str)
def test_bernoulli_of_probabilities(dtype, device):
    for kind in FLOATS:
        with aten():
            p = torch.rand(1003, device=device).to(kind)
            row = torch.rand(17, device=device).to(kind)
        for n in (1, 4, 1003):
            both(partial(filled, "bernoulli_", (p[:n],), n, dtype, device), device, n, "bernoulli_.Tensor")
        both(partial(filled, "bernoulli_", (row,), (30, 17), dtype, device), device, 1, "bernoulli_.Tensor")
    both(lambda: torch.bernoulli(p, out=torch.empty(1003, dtype=dtype, device=device)), device, 2, "bernoulli.out")
    if device == "cpu":
        with pytest.raises(RuntimeError, match="p_in >= 0"):
            torch.empty(3, dtype=dtype).bernoulli_(torch.tensor([0.5, 1.5, 0.5]))


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_dropout(dtype):
    with aten():
        inputs = [torch.randn(n, device="cuda", dtype=dtype) for n in [*SIZES, 4098, 4100, 3_000_000]]
        inputs += [torch.randn(64, 128, device="cuda", dtype=dtype).t(), inputs[-1][1:-1], inputs[-1][2:1002]]
        inputs += [torch.randn(2, 8, 5, 7, device="cuda", dtype=dtype).to(memory_format=torch.channels_last)]
        inputs += [torch.tensor([math.nan, math.inf, -math.inf, -1.0, -0.0, 1.0, 2.0, 3.0] * 9, device="cuda", dtype=dtype)]
        inputs += [torch.randn(300, 20, device="cuda", dtype=dtype)[:, ::2], torch.randn(0, 4, device="cuda", dtype=dtype)]
    for x in inputs:
        for p in (0.1, 0.5):
            both(partial(torch.native_dropout, x, p, True), "cuda", overload="native_dropout")
    for p, train in ((0.0, True), (1.0, True), (0.3, None), (0.3, False)):
        both(partial(torch.native_dropout, inputs[3], p, train), "cuda", overload="native_dropout")


@pytest.mark.parametrize("device", DEVICES)
def test_dropout_and_its_gradient(device):
    def train():
        torch.manual_seed(5)
        with aten():
            x = torch.linspace(-2, 2, 4096, device=device).view(64, 64).requires_grad_()
        y = F.dropout(x, 0.3)
        (y * y).sum().backward()
        return y.detach(), x.grad

    both(train, device)


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_rrelu_with_noise(dtype):
    with aten():
        x = torch.randn(100_003, device="cuda", dtype=dtype)

    def call():
        noise = torch.zeros_like(x)
        return torch.ops.aten.rrelu_with_noise(x, noise, 0.1, 0.3, True), noise

    both(call, "cuda", overload="rrelu_with_noise")


@pytest.mark.parametrize("device", DEVICES)
def test_composites(device):
    """What ATen makes of these is ours through its parts."""
    normal = {} if device == "cpu" else {"normal_": lambda: torch.randn(1000, device=device)}
    parts = {
        "uniform_": lambda: torch.rand(1000, device=device),
        "random_.from": lambda: torch.randint(-5, 17, (1000,), device=device),
        "bernoulli_.Tensor": lambda: torch.bernoulli(torch.full((1000,), 0.3, device=device)),
        **normal,
    }
    for overload, call in parts.items():
        both(call, device, overload=overload)
    x = torch.empty(100, 3, device=device)
    both(lambda: torch.rand_like(x), device, overload="uniform_")
    both(lambda: torch.randint_like(x, 40), device, overload="random_.from")
    if device != "cpu":
        both(lambda: torch.randn_like(x), device, overload="normal_")
        both(lambda: torch.normal(2.0, 3.0, (100,), device=device), device, overload="normal_")
        both(lambda: torch.randn(100, dtype=torch.complex64, device=device), device, overload="normal_")
    both(lambda: torch.rand(100, dtype=torch.complex64, device=device), device, overload="uniform_")
    both(lambda: F.alpha_dropout(torch.ones(100, device=device), 0.4, True), device)
    both(lambda: F.dropout1d(torch.ones(5, 4, 3, device=device), 0.4, True), device)


@pytest.mark.parametrize("device", DEVICES)
def test_normal_of_tensors(device):
    skip_if_atens("normal_", device)
    with aten():
        mean, deviation = torch.randn(40, 1, device=device), torch.rand(33, device=device)
    both(lambda: torch.normal(mean, 2.0), device, overload="normal.Tensor_float")
    both(lambda: torch.normal(1.5, deviation), device, overload="normal.float_Tensor")
    both(lambda: torch.normal(mean, deviation), device, overload="normal.Tensor_Tensor")
    out = torch.empty(40, 33, device=device)
    both(lambda: torch.normal(mean, deviation, out=out).clone(), device, overload="normal.Tensor_Tensor_out")
    both(lambda: torch.normal(mean, 2.0, out=out[:, :1]).clone(), device, overload="normal.Tensor_float_out")
    both(lambda: torch.normal(1.5, deviation, out=out[0]).clone(), device, overload="normal.float_Tensor_out")
    with pytest.raises(RuntimeError, match="std >= 0"):
        torch.normal(mean, -deviation)


@pytest.mark.cuda
def test_a_captured_graph_draws_anew():
    def play():
        torch.manual_seed(3)
        x = torch.ones(5000, device="cuda")
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results = [torch.rand(5000, device="cuda"), *torch.native_dropout(x, 0.4, True), torch.randint(9, (33,), device="cuda")]
        seen = []
        for _ in range(3):
            graph.replay()
            seen += [r.clone() for r in results]
        seen.append(torch.rand(50, device="cuda"))
        assert not torch.equal(seen[0], seen[4])
        return tuple(seen)

    both(play, "cuda")


@pytest.mark.cuda
def test_beyond_32_bit_offsets():
    """ATen cuts such tensors into parts, and advances the generator for the whole before it does."""
    n = (1 << 30) + 5
    both(partial(filled, "uniform_", (), n, torch.float32, "cuda"), "cuda", overload="uniform_")
    both(partial(filled, "random_", (0, 200), 2 * n, torch.uint8, "cuda"), "cuda", overload="random_.from")
    x = torch.empty(n, dtype=torch.bfloat16, device="cuda").fill_(1)
    both(lambda: torch.native_dropout(x[:-1], 0.25, True), "cuda", overload="native_dropout")
