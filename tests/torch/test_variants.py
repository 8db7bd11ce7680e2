"""Many layouts, few kernels, and none of them is compiled twice. How many a row has at most: tests/ops/test_pointwise.cpp."""

import json
import os
import subprocess
import sys

import pytest

CODE = """
import json, torch
import corundum
from corundum import _library

def counters():
    return _library._call("info")["counters"]

def layouts(n):
    t = torch.arange(float(n * n * 4)).reshape(2 * n, 2 * n)
    yield t[:n, :n].clone()
    yield t[:n, :n]
    yield t[:n, :n].t()
    yield t[: n // 2, ::2]
    yield t[:, :1].expand(2 * n, 3)
    yield t[:1, :1].expand(3, n)
    yield t[: n // 2 * 2, : n // 2 * 2].reshape(2, n // 2, 2, n // 2)
    yield t[: n // 2 * 2, : n // 2 * 2].reshape(2, n // 2, 2, n // 2).permute(2, 0, 3, 1)
    yield t[0, 0]

corundum.enable()
kernels = set()
def calls(n):
    for x in layouts(n):
        yield torch.tanh, x
        yield (lambda x: torch.tanh(x, out=torch.empty(*x.shape, 2)[..., 0])), x
        turned = x.transpose(0, -1).contiguous().transpose(0, -1) if x.dim() else x
        for y in (x, x.contiguous(), x.reshape(-1)[:1], torch.tensor(2.0), turned):
            yield (lambda x, y=y: torch.add(x, y)), x
            yield (lambda x, y=y: torch.add(y, x)), x

def run(sizes):
    found = corundum.explain(lambda: [function(x) for n in sizes for function, x in calls(n)] and None)
    kernels.update(one.kernel for call in found.calls for one in call.launches)
    return {"kernels": sorted(kernels), "compiled": counters()["compiled"]}

print(json.dumps([run((12, 40)), run((7, 9, 16, 33, 128, 301))]))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment["CORUNDUM_CACHE_DIR"] = str(tmp_path_factory.mktemp("empty"))
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_no_kernel_is_compiled_twice(found):
    for stage in found:
        assert stage["compiled"] == len(stage["kernels"])


def test_other_sizes_compile_nothing(found):
    first, second = found
    assert second == first
