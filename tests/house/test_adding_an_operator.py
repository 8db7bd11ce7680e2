"""docs/adding-an-operator.md, done: its examples are built beside the library's own objects, loaded, and serve calls."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tree import ROOT, files

from corundum._library import library_path

DOCUMENT = ROOT / "docs" / "adding-an-operator.md"
BUILD = library_path().parents[1]

CODE = """
import json, pathlib, sys, torch
from corundum import _library
_library.library_path = lambda: pathlib.Path(sys.argv[1])
import corundum

(row,) = [row for row in corundum.ops() if row["overload"] == "renorm"]
served, worst = [], 0.0
corundum.enable()
for n in (1, 15, 16, 17, 64, 65, 4097, 1000003):
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        x = torch.randn(3, n, generator=torch.Generator().manual_seed(n)).to(dtype)
        x[1] *= 1e-3
        with corundum.record() as record:
            y = torch.renorm(x, 2, 0, 1.5)
        served.append(record["renorm"].served_count)
        with corundum.use(only=[]):
            z = torch.renorm(x, 2, 0, 1.5)
        assert y.dtype == z.dtype and y.shape == z.shape and y.stride() == z.stride()
        torch.testing.assert_close(y, z)
with corundum.record() as record:
    torch.renorm(torch.ones(3, 4), 1, 0, 1.5)
refused = record["renorm"].fell_back
with corundum.record() as record:
    torch.nn.functional.gelu(torch.ones(3))
print(json.dumps({"family": row["family"], "served": served, "refused": refused, "gelu": record["gelu"].served_count}))
"""


ROW = """
import json, pathlib, sys, torch
from corundum import _library
if sys.argv[1:]: _library.library_path = lambda: pathlib.Path(sys.argv[1])
import corundum

rows = [row["overload"] for row in corundum.ops() if row["overload"].startswith("deg2rad") and not row["via"]]
corundum.enable()
def forms(x):
    new, written = torch.deg2rad(x), torch.deg2rad(x, out=torch.empty(x.shape))
    return [new, written, *([x.clone().deg2rad_()] if x.is_floating_point() else [])]

served = []
for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.int32):
    for x in (torch.arange(-400, 1000).to(dtype), torch.arange(600).to(dtype).reshape(20, 30).t()[::2]):
        with corundum.record() as record:
            y = forms(x)
        counts = {call.overload: call.served_count for call in record}
        served.append([counts.get(name, 0) for name in ("deg2rad", "deg2rad.out", "deg2rad_")])
        with corundum.use(only=[]):
            z = forms(x)
        for ours, theirs in zip(y, z, strict=True):
            assert torch.equal(ours, theirs) and ours.stride() == theirs.stride(), (dtype, x.shape)
x = torch.ones(3, requires_grad=True)
torch.deg2rad(x).sum().backward()
print(json.dumps({"rows": rows, "served": served, "grad": x.grad.tolist()}))
"""


@pytest.fixture(scope="module")
def example():
    if not (BUILD / "CMakeCache.txt").exists():
        pytest.skip(f"an installed library has no objects to link with: {BUILD} is no build folder")
    cmake = Path(sys.executable).with_name("cmake")
    command = [str(cmake) if cmake.exists() else shutil.which("cmake"), "--build", str(BUILD), "--target", "corundum_example"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return BUILD / "example" / "libcorundum_example.so"


def run(code, cache, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CORUNDUM_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_row_of_its_own_serves_all_forms_and_goes(example, tmp_path):
    """Two lines, in the library that has them; nothing of them in the one that has not."""
    answer = run(ROW, tmp_path, str(example))
    assert sorted(answer["rows"]) == ["deg2rad", "deg2rad.out", "deg2rad_"]
    assert answer["served"] == [[1, 1, 1]] * 6 + [[1, 1, 0]] * 2
    assert answer["grad"] == pytest.approx([0.017453292519943295] * 3)
    without = run(ROW, tmp_path)
    assert without["rows"] == []
    assert without["served"] == [[0, 0, 0]] * 8
    blocks = dict(re.findall(r"^```cpp title=(\S+)\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL))
    assert len(blocks["src/torch/deg2rad.cpp"].splitlines()) <= 3


def test_the_example_family_serves(example, tmp_path):
    answer = run(CODE, tmp_path, str(example))
    assert answer["family"] == "renorm"
    assert answer["served"] == [1] * 32
    assert answer["refused"] == {"only the 2-norm is covered": 1}
    assert answer["gelu"] == 1


def test_the_example_keeps_to_the_house():
    """It adds files and changes none, and clang-format would leave it as it is."""
    blocks = re.findall(r"^```cpp title=(\S+)\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    tree = {str(path.relative_to(ROOT)) for path in files(".h", ".cpp")}
    assert [name for name, _ in blocks if name in tree] == []
    tool = Path(sys.executable).with_name("clang-format")
    for name, text in blocks:
        formatted = subprocess.run(
            [str(tool) if tool.exists() else "clang-format", f"--assume-filename={ROOT / name}"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        assert text == formatted.stdout, name


def test_the_row_fits_the_table():
    """The compiler takes the document's row as a row of the table, and torch has the operator it names."""
    (row,) = re.findall(r"^```cpp row\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    text = (
        '#include "ops/pointwise/table.h"\nusing namespace corundum::pointwise;\n'
        f"constexpr Op rows[] = {{\n{row}}};\n"
        "static_assert(rows[0].inputs == 1 && rows[0].scalars == 0 && rows[0].expression[0] && rows[0].dtypes == set_floating);\n"
    )
    compiler = os.environ.get("CXX", "c++")
    done = subprocess.run(
        [compiler, "-std=c++20", "-fsyntax-only", f"-I{ROOT / 'src'}", "-x", "c++", "-"], input=text, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    name = re.match(r'{"(\w+)"', row)[1]
    assert {"default", "out"} <= set(getattr(torch.ops.aten, name).overloads())
    assert torch.ops.aten.__getattr__(name + "_").overloads() == ["default"]
