"""A device that no line of src/ knows (tests/torch/private_device.cpp) runs operators through the same torch room."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils import cpp_extension

HERE = Path(__file__).resolve().parent

PROGRAM = """
import sys
import types
import torch
import torch.nn.functional as F
import corundum
from corundum import _library

torch.ops.load_library(sys.argv[1])
torch.utils.rename_privateuse1_backend("stone")
stone = types.ModuleType("torch.stone")
stone._lazy_init = lambda: None
stone._is_in_bad_fork = lambda: False
stone.manual_seed_all = lambda seed: None
torch._register_device_module("stone", stone)
_library._call("bind_device", device="privateuseone", backend="cpu")
corundum.enable()

def to(x, device):
    result = torch.empty(x.shape, dtype=x.dtype, device=device)
    return result.copy_(x)

torch.manual_seed(0)
x, y = torch.randn(9, 33), torch.randn(9, 33)
a, b = to(x, "stone:1"), to(y, "stone:1")
calls = {
    "add.Tensor": lambda x, y: x + y,
    "mul.Tensor": lambda x, y: x * 2,
    "gelu": lambda x, y: F.gelu(x),
    "_softmax": lambda x, y: F.softmax(x, -1),
    "sum.dim_IntList": lambda x, y: x.sum(0),
    "native_layer_norm": lambda x, y: F.layer_norm(x, (33,)),
    "copy_": lambda x, y: x.t().contiguous(),
    "masked_fill_.Scalar": lambda x, y: x.clone().masked_fill_(y.to(torch.bool), 3),
}
for overload, function in calls.items():
    with corundum.record() as record:
        result = function(a, b)
    assert result.device == torch.device("stone", 1), (overload, result.device)
    assert record[overload].served == {"corundum": record[overload].count}, (overload, record[overload])
    torch.testing.assert_close(to(result, "cpu"), function(x, y), msg=overload)

corundum.disable()
try:
    a + b
except NotImplementedError as error:
    assert "aten::add" in str(error)
else:
    raise AssertionError("this device has no kernel of its own for add")
print("served", len(calls))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    target = tmp_path_factory.mktemp("private") / "libprivate_device.so"
    torch_root = Path(torch.__file__).parent
    includes = [f"-isystem{path}" for path in cpp_extension.include_paths()]
    abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(torch._C._GLIBCXX_USE_CXX11_ABI)}"
    libraries = [f"-L{torch_root / 'lib'}", "-ltorch_cpu", "-lc10"]
    source = str(HERE / "private_device.cpp")
    command = [os.environ.get("CXX", "c++"), "-std=c++20", "-O0", "-fPIC", "-shared", abi, *includes, source, "-o", str(target)]
    subprocess.run([*command, *libraries], check=True)
    return target


def test_three_operators_and_more_are_served_there(library, tmp_path):
    """In a process of its own: a bound device stays bound, and PrivateUse1 stays renamed."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, str(program), str(library)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "served 8"
