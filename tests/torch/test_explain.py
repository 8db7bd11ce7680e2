"""explain(): what it says of calls on the real library, from a function to a program."""

import json
import os
import subprocess
import sys

import pytest
import torch

import corundum


def test_a_call_that_is_served(on):
    x = torch.randn(64, 64)
    found = corundum.explain(torch.nn.functional.gelu, x)
    (call,) = found["gelu"]
    assert call.implementation == call.served_by == "corundum"
    assert [(one.name, one.why_not) for one in call.candidates] == [("corundum", None)]
    assert call.inputs[0] == {"dtype": "float32", "shape": [64, 64], "stride": [64, 1], "device": "cpu"}
    assert call.outputs[0]["shape"] == [64, 64]
    (launch,) = call.launches
    assert launch.kernel.startswith("pointwise/gelu")
    assert "gelu" in launch.symbol
    assert launch.grid[0] >= 1
    assert launch.made_from in ("compiled", "disk", "pack")
    assert torch.equal(found.result, torch.nn.functional.gelu(x))


def test_the_second_call_finds_its_kernel_in_memory(on):
    x = torch.randn(64, 64)
    first, second = (corundum.explain(torch.tanh, x)["tanh"][0].launches[0] for _ in range(2))
    assert second.state == "memory"
    assert second.made_from == first.made_from
    assert second.made_us == first.made_us > 0


def test_where_a_kernel_came_from(tmp_path):
    """Compiled, from the disk, from a pack; each in a process of its own."""
    pack = tmp_path / "tanh.pack"
    target = next(one for one in corundum.info()["backends"] if one["name"] == "cpu")["devices"][0]["target"]
    corundum.pack(target, [{"call": "torch.tanh", "args": [{"shape": [64, 64]}]}], pack)

    def state(cache, packs):
        code = "import torch, corundum; print(corundum.explain(torch.tanh, torch.ones(64, 64))['tanh'][0].launches[0].state)"
        variables = {"CORUNDUM_CACHE_DIR": str(tmp_path / cache), "CORUNDUM_PACKS": packs, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert [state("a", ""), state("a", ""), state("b", str(pack))] == ["compiled", "disk", "pack"]


def test_why_not(on):
    z = torch.ones(3, dtype=torch.complex64)
    found = corundum.explain(lambda: (torch.sinc(z), torch.ones(2, 2) @ torch.ones(2, 2), torch.tanh(torch.ones(3))))
    [refused], [served] = found["sinc"], found["tanh"]
    assert (refused.served_by, refused.candidates[0].why_not) == ("ATen", "dtype not covered")
    assert refused.launches == []
    assert served.served_by == "corundum"
    (product,) = found["mm"]
    assert (product.kind, product.served_by) == ("matmul", "ATen")
    assert "no kernel" in product.candidates[0].why_not
    with corundum.use(only=[]):
        assert corundum.explain(torch.tanh, torch.ones(3))["tanh"][0].reason == "switched off"


def test_order_depth_and_the_table(on):
    x = torch.randn(8, 16)
    found = corundum.explain(lambda: [torch.softmax(x.t(), -1) for _ in range(3)])
    assert [call.overload for call in found][:5] == ["t", "transpose.int", "as_strided", "softmax.int", "_softmax"]
    assert [call.depth for call in found["softmax.int"] + found["_softmax"]] == [0, 0, 0, 1, 1, 1]
    table = str(found).splitlines()
    (composite,) = [line for line in table if line.startswith("softmax.int")]
    assert composite.split()[1] == "3"
    assert "its parts" in composite
    assert any(line.startswith("  _softmax") and "f32[16, 8] strides [1, 16]" in line and "softmax/" in line for line in table)
    assert not any(line.strip().startswith("transpose") for line in table)
    assert table[-1].startswith("Corundum served ")


def test_json(on):
    found = json.loads(corundum.explain(torch.add, torch.ones(3), 1).to_json())
    (call,) = [one for one in found["calls"] if one["overload"] == "add.Tensor"]
    assert call["candidates"] == [{"name": "corundum", "why_not": None}]
    assert call["launches"][0]["kernel"].startswith("pointwise/add")


def test_a_module_with_its_backward(on):
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.LayerNorm(16))
    found = corundum.explain(lambda x: model(x).sum().backward(), torch.randn(4, 8))
    assert {"addmm", "tanh", "native_layer_norm", "tanh_backward"} <= {call.overload for call in found}
    assert found["tanh_backward"][0].served_by == "corundum"


def test_a_compiled_function(on):
    """What the tracer calls on tensors without memory is left out."""

    def function(x):
        return torch.tanh(x) + torch.nn.functional.gelu(x)

    torch._dynamo.reset()
    found = corundum.explain(torch.compile(function, backend="aot_eager"), torch.randn(64, 64))
    for name in ("tanh", "gelu", "add.Tensor"):
        (call,) = found[name]
        assert call.served_by == "corundum"
        assert call.launches


def test_a_record_within(on):
    """Both see the calls; ending one does not end the other."""
    with corundum.record() as record:
        found = corundum.explain(torch.tanh, torch.ones(3))
        torch.tanh(torch.ones(3))
    assert record["tanh"].count == 2
    assert len(found["tanh"]) == 1


def test_it_enables_while_it_works_and_hands_errors_on():
    corundum.disable()
    assert corundum.explain(torch.tanh, torch.ones(3))["tanh"][0].served_by == "corundum"
    with pytest.raises(ZeroDivisionError):
        corundum.explain(lambda: 1 / 0)
    assert not any(row["enabled"] for row in corundum.ops())


def explain(*arguments):
    command = [sys.executable, "-m", "corundum", "explain", *arguments]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True)


def test_the_command(tmp_path):
    done = explain("-c", "import torch; torch.tanh(torch.ones(8)); print('its own output')")
    assert done.returncode == 0, done.stderr
    assert "its own output" in done.stdout
    assert "pointwise/tanh" in done.stdout
    script = tmp_path / "script.py"
    script.write_text("import sys, torch\nprint(torch.tanh(torch.ones(int(sys.argv[1]))).shape)\nsys.exit(3)\n")
    done = explain("--json", str(script), "7")
    assert done.returncode == 1
    assert "torch.Size([7])" in done.stderr
    assert "exit status 3" in done.stderr
    (call,) = [one for one in json.loads(done.stdout)["calls"] if one["overload"] == "tanh"]
    assert call["inputs"][0]["shape"] == [7]


@pytest.mark.cuda
def test_cuda(on):
    found = corundum.explain(torch.softmax, torch.randn(64, 1024, device="cuda"), -1)
    (launch,) = found["_softmax"][0].launches
    assert launch.target.startswith("sm_")
    assert launch.threads >= 32
