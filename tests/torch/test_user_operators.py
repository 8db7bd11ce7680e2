"""Operators that users define: as torch's own in dtypes, layouts, gradients, transforms, compilation and errors."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from against_aten import DEVICES
from layouts import LAYOUTS, values, with_specials

import corundum

each_device = pytest.mark.parametrize("device", DEVICES)
SILU_MUL = ("float x, float y, *, scalar alpha = 1", "x / (1 + exp(-x)) * y * alpha")
DERIVATIVE = {
    "x": "grad * y * alpha * sigmoid(x) * (1 + x * (1 - sigmoid(x)))",
    "y": "grad * alpha * x * sigmoid(x)",
}


@pytest.fixture(scope="module")
def silu_mul():
    return corundum.pointwise("user_tests::silu_mul", *SILU_MUL, derivative=DERIVATIVE)


def reference(x, y, alpha=1):
    common = torch.result_type(x, y)
    common = common if common.is_floating_point else torch.get_default_dtype()
    x, y = x.double(), y.double()
    return (x * torch.sigmoid(x) * y * alpha).to(common)


def served(record, name):
    return record[name].served == {"corundum": record[name].count}


@each_device
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(silu_mul, layout, device):
    x = LAYOUTS[layout](with_specials(values(torch.float32, device)))
    y = LAYOUTS[layout](values(torch.float32, device, seed=1))
    with corundum.record() as record:
        result = silu_mul(x, y, alpha=0.5)
    assert served(record, "user_tests::silu_mul")
    assert result.stride() == (x * y).stride()
    torch.testing.assert_close(result, reference(x, y, 0.5), equal_nan=True)


@each_device
@pytest.mark.parametrize(
    "dtypes", ["float16 float16", "bfloat16 float32", "float64 float16", "int64 int8", "bool float16", "uint8 bool"]
)
def test_dtypes(silu_mul, dtypes, device):
    x, y = (values(getattr(torch, name), device, seed) for seed, name in enumerate(dtypes.split()))
    result, expected = silu_mul(x, y), reference(x, y)
    assert result.dtype == expected.dtype
    torch.testing.assert_close(result, expected)


@each_device
def test_broadcasting_and_numbers(silu_mul, device):
    x, y = values(torch.bfloat16, device, shape=(7, 1, 33)), values(torch.bfloat16, device, 1, shape=(5, 1))
    torch.testing.assert_close(silu_mul(x, y), reference(x, y))
    number = torch.tensor(1.5, dtype=torch.float64)  # on the CPU, whatever x is on; no promotion by it
    torch.testing.assert_close(silu_mul(x, number), reference(x, number.to(device)))
    kernels = corundum.info()["counters"]["compiled"]
    for alpha in (2, -0.25, 1e-3):
        torch.testing.assert_close(silu_mul(x, y, alpha=alpha), reference(x, y, alpha))
    assert corundum.info()["counters"]["compiled"] == kernels


@each_device
def test_out_and_in_place(silu_mul, device):
    x, y = values(torch.float32, device), values(torch.float32, device, 1)
    out = torch.empty(0, device=device)
    assert silu_mul(x, y, out=out) is out
    torch.testing.assert_close(out, reference(x, y))
    half = torch.empty_like(x, dtype=torch.float16)  # casts, as torch's own out= does
    silu_mul(x, y, out=half)
    torch.testing.assert_close(half, reference(x, y).half())
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        silu_mul(x, y, out=torch.empty_like(x, dtype=torch.int64))
    written = x.clone()
    version = written._version
    assert silu_mul.in_place(written, y) is written
    assert written._version == version + 1
    torch.testing.assert_close(written, reference(x, y))
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        silu_mul.in_place(x[:1], y)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory location"):
        silu_mul.in_place(x[:1].expand(17, -1), y)
    with pytest.raises(RuntimeError, match="unsupported operation: some elements of the input tensor and the written-to tensor"):
        silu_mul(x[1:], y[1:], out=x[:-1])


@each_device
def test_gradients(silu_mul, device):
    x = values(torch.float64, device, shape=(3, 4)).requires_grad_()
    y = values(torch.float64, device, 1, shape=(4,)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: silu_mul(x, y, alpha=0.7), (x, y))
    with corundum.record() as record:
        silu_mul(x, y.detach()).sum().backward()
    assert served(record, "user_tests::silu_mul_backward_x")  # alone, as y wants none
    (gradient,) = torch.autograd.grad(silu_mul(x, y).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="derivative for user_tests::silu_mul_backward_x is not implemented"):
        gradient.sum().backward()


def test_gradients_of_other_forms(silu_mul):
    x, y = values(torch.float32, "cpu").requires_grad_(), values(torch.float32, "cpu", 1)
    copy = x * 1
    silu_mul.in_place(copy, y)
    copy.sum().backward()
    in_place, x.grad = x.grad, None
    silu_mul(x, y).sum().backward()
    torch.testing.assert_close(x.grad, in_place)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        silu_mul.in_place(x, y)
    with pytest.raises(RuntimeError, match=r"functions with out=\.\.\. arguments don't support automatic differentiation"):
        silu_mul(x, y, out=torch.empty_like(y))
    plain = corundum.pointwise("user_tests::no_gradient", "float x", "x * x")
    with pytest.raises(RuntimeError, match="derivative for user_tests::no_gradient is not implemented"):
        plain(x).sum().backward()


def test_gradients_use_results_and_several_of_them():
    both = corundum.pointwise(
        "user_tests::exp_and_square",
        "float x",
        ["exp(x)", "x * x"],
        derivative={"x": "grad0 * result0 + grad1 * 2 * x"},
    )
    x = values(torch.float64, "cpu", shape=(3, 4)).requires_grad_()
    assert torch.autograd.gradcheck(both, (x,))
    assert torch.autograd.gradcheck(lambda x: both(x)[1], (x,))  # the other one's gradient is nothing
    first, second = both(x.detach(), out=(torch.empty(0), torch.empty(3, 4, dtype=torch.float64)))
    torch.testing.assert_close((first.double(), second), (x.detach().exp().float().double(), x.detach() ** 2))


@each_device
def test_vmap(silu_mul, device):
    x, y = values(torch.float32, device, shape=(6, 5, 4)), values(torch.float32, device, 1, shape=(4, 6))
    result = torch.vmap(silu_mul, in_dims=(0, 1))(x, y)
    torch.testing.assert_close(result, reference(x, y.t()[:, None]))
    torch.testing.assert_close(torch.vmap(silu_mul, in_dims=(0, None))(x, x[0]), reference(x, x[0]))
    nested = torch.vmap(torch.vmap(silu_mul, in_dims=(0, None)), in_dims=(1, 1), out_dims=1)(x, y[:, :1].expand(4, 5))
    torch.testing.assert_close(nested, reference(x, y[:, 0]))
    written = x.clone()
    torch.vmap(silu_mul.in_place, in_dims=(0, None))(written, x[0])
    torch.testing.assert_close(written, reference(x, x[0]))
    with pytest.raises(RuntimeError, match="vmap"):
        torch.vmap(silu_mul.in_place, in_dims=(None, 0))(x[0].clone(), x)


def test_function_transforms(silu_mul):
    x, y = values(torch.float32, "cpu", shape=(6, 5)), values(torch.float32, "cpu", 1, shape=(6, 5))
    per_row = torch.vmap(torch.func.grad(lambda x, y: silu_mul(x, y).sum()))(x, y)
    leaf = x.clone().requires_grad_()
    reference(leaf, y).sum().backward()
    torch.testing.assert_close(per_row, leaf.grad)


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(silu_mul, dynamic):
    def function(x, y):
        z = silu_mul(x * 1, y, alpha=0.5)
        silu_mul.in_place(z, y)
        return z + 1

    compiled = torch.compile(function, backend="aot_eager", fullgraph=True, dynamic=dynamic)
    for size in (17, 21):
        x = values(torch.float32, "cpu", shape=(3, size)).t().requires_grad_()
        y = values(torch.float32, "cpu", 1, shape=(1, 3))
        result, expected = compiled(x, y), function(x, y)
        assert result.stride() == expected.stride()
        torch.testing.assert_close(result, expected)
        torch.testing.assert_close(*(torch.autograd.grad(r.sum(), x)[0] for r in (result, expected)))


def test_fake_tensors_say_what_comes_out(silu_mul):
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import ShapeEnv

    for layout in LAYOUTS.values():
        x, y = layout(values(torch.float16, "cpu")), layout(values(torch.float32, "cpu"))
        real = silu_mul(x, y)
        for environment in (None, ShapeEnv()):
            with FakeTensorMode(shape_env=environment) as mode:
                fake = silu_mul(mode.from_tensor(x), mode.from_tensor(y))
            assert (fake.shape, fake.stride(), fake.dtype) == (real.shape, real.stride(), real.dtype)


def test_conditions_and_integers():
    choose = corundum.pointwise("user_tests::choose", "bool m, number x, number y", "m ? x : y")
    m, x, y = values(torch.bool, "cpu"), values(torch.int16, "cpu"), values(torch.int64, "cpu", 1)
    torch.testing.assert_close(choose(m, x, y), torch.where(m, x, y))
    with pytest.raises(TypeError, match="user_tests::choose: expected bool for 'm', got Short"):
        choose(x, x, y)
    bits = corundum.pointwise("user_tests::bits", "int x, int y, *, scalar k = 7", "(x ^ y) & k")
    torch.testing.assert_close(bits(x, y), (x ^ y) & 7)
    with pytest.raises(TypeError, match="expected an integral dtype for 'y', got Float"):
        bits(x, y.float())
    above = corundum.pointwise("user_tests::above", "number x, number y", "x > y")
    torch.testing.assert_close(above(x, y), x > y)
    same = corundum.pointwise("user_tests::same", "number x, number y", "x - y", promotion="none")
    with pytest.raises(TypeError, match="expected 'y' to have dtype Short"):
        same(x, y)


def test_names_are_defined_once(silu_mul):
    again = corundum.pointwise("user_tests::silu_mul", *SILU_MUL, derivative=DERIVATIVE)
    assert again.name == silu_mul.name == corundum.user_operator("user_tests::silu_mul").name
    with pytest.raises(ValueError, match="is defined already, in another way"):
        corundum.pointwise("user_tests::silu_mul", "float x", "x")
    torch.library.define("user_tests_other::taken", "(Tensor x) -> Tensor")
    with pytest.raises(ValueError, match="another library has defined"):
        corundum.pointwise("user_tests_other::taken", "float x", "x")
    with pytest.raises(ValueError, match="belongs to torch"):
        corundum.pointwise("aten::mine", "float x", "x")
    with pytest.raises(ValueError, match="no operator 'user_tests::nothing'"):
        corundum.user_operator("user_tests::nothing")
    assert corundum.pointwise("of_no_namespace", "float x", "x + 1").name == "corundum::of_no_namespace"


def test_bad_calls(silu_mul):
    x = torch.ones(3)
    with pytest.raises(ValueError, match=r"(?s)expression, character 10: there is no function 'expp'.*\n +\^"):
        corundum.pointwise("user_tests::bad", "float x", "x / (1 + expp(-x))")
    with pytest.raises((RuntimeError, TypeError), match="missing value for argument 'y'"):
        silu_mul(x)
    with pytest.raises((RuntimeError, TypeError), match="takes 2 positional"):
        silu_mul(x, x, x)
    with pytest.raises(NotImplementedError, match="'x' has dtype ComplexFloat, which user-defined operators do not take"):
        silu_mul(x + 0j, x)
    with pytest.raises(RuntimeError, match="must match the size"):
        silu_mul(x, torch.ones(4))
    with pytest.raises(NotImplementedError, match="complex number"):
        silu_mul(x, x, alpha=1j)
    with pytest.raises(NotImplementedError, match="Sparse"):
        silu_mul(x.to_sparse(), x)


def test_lazy_bits_are_resolved(silu_mul):
    z = torch.view_as_complex(values(torch.float32, "cpu", shape=(9, 2))).conj()
    assert z.imag.is_neg()
    torch.testing.assert_close(silu_mul(z.imag, z.real), reference(z.imag.resolve_neg(), z.real))


def test_plans_and_packs(silu_mul, tmp_path):
    tensors = [{"shape": [300, 500], "dtype": "bfloat16"}] * 2
    pack = corundum.pack("avx2", [{"call": "torch.ops.user_tests.silu_mul", "args": tensors}], tmp_path / "user.pack")
    assert (pack.kernels, pack.failed) == (1, 0)


PROGRAM = """
import sys, torch, corundum
corundum.enable()
for name, expression in sorted({"a": "x * x + 1", "b": "x - 3 * x"}.items(), reverse=sys.argv[1] == "backwards"):
    operator = corundum.pointwise("prefetched::" + name, "float x", expression)
    if sys.argv[1] == "first":
        operator(torch.arange(1000.0))  # no kernel of ours
counters = corundum.info()["counters"]
import time
for _ in range(200):
    if sys.argv[1] == "first" or corundum.info()["counters"]["prefetched"] == 2:
        break
    time.sleep(0.05)
print(counters["compiled"], corundum.info()["counters"]["prefetched"])
"""


def test_next_process_finds_kernels_whatever_the_order(tmp_path):
    """By what is computed, not by when it was defined: from disk, and in the background as soon as the operator is known."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    environment = {"PYTHONPATH": ":".join(sys.path), "CORUNDUM_CACHE_DIR": str(tmp_path / "cache"), "PATH": "/usr/bin:/bin"}
    answers = []
    for order in ("first", "backwards"):
        done = subprocess.run([sys.executable, script, order], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout.split())
    assert answers == [["2", "0"], ["0", "2"]]


def test_from_cpp(tmp_path):
    """The macro, in a library of its own, linked with Corundum's."""
    root = Path(__file__).parents[2]
    library = Path(corundum._library.library_path())
    source = tmp_path / "mine.cpp"
    source.write_text(
        '#include "corundum/pointwise.h"\n'
        'COR_POINTWISE_OPERATOR("from_cpp::twice", "number x, *, scalar times = 2", "x * times");\n'
        'COR_POINTWISE_OPERATOR(corundum::PointwiseOperator("from_cpp::square", "float x", "x * x")\n'
        '                           .derivative("x", "2 * x * grad"));\n'
        'extern "C" bool refuses() {\n'
        "  try {\n"
        '    corundum::PointwiseOperator("from_cpp::bad", "float x", "x \\"").define();\n'
        "  } catch (const std::invalid_argument& e) {\n"
        '    return std::string(e.what()).find("character 3") != std::string::npos;\n'
        "  }\n"
        "  return false;\n"
        "}\n"
    )
    compile_line = ["g++", "-std=c++17", "-shared", "-fPIC", f"-I{root / 'include'}", source, library, "-o", tmp_path / "mine.so"]
    subprocess.run([str(part) for part in compile_line], check=True)
    corundum.info()  # the library is there
    torch.ops.load_library(tmp_path / "mine.so")
    x = values(torch.float32, "cpu").requires_grad_()
    torch.testing.assert_close(torch.ops.from_cpp.twice(x.detach(), times=3), x.detach() * 3)
    square = corundum.user_operator("from_cpp::square")
    square(x).sum().backward()
    torch.testing.assert_close(x.grad, 2 * x.detach())
    torch.testing.assert_close(torch.vmap(square)(x.detach()), x.detach() ** 2)
    import ctypes

    assert ctypes.CDLL(str(tmp_path / "mine.so")).refuses()
