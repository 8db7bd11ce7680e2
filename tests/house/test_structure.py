"""The order of the rooms: who may include whom, and where an operator's name may stand."""

import re
from collections import defaultdict

import pytest
from tree import ROOT, files

import corundum

SRC = ROOT / "src"
# A room includes itself and these: the table of the design.
MAY_INCLUDE = {
    "lang": set(),
    "core": set(),
    "codegen": {"core"},
    "jit": {"core"},
    "ops": {"core", "codegen"},  # the pointwise family has its kernel text made by codegen
    "tune": {"core", "jit"},
    "backends": {"core", "jit"},
    "torch": {"core", "codegen", "jit", "ops", "tune", "backends", "corundum"},
}
FRAMEWORKS = ("ATen", "torch", "c10", "caffe2", "cuda", "cuda_runtime", "nvrtc", "hip")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def sources():
    return [path for path in files(".h", ".cpp") if path.is_relative_to(SRC)]


def room_of(path):
    return path.relative_to(SRC).parts[0]


def includes_of(path):
    return [(quote == '"', name) for quote, name in INCLUDE.findall(path.read_text())]


def faults(path, is_quoted, name):
    """Why this line may not stand in this file, or nothing."""
    room, head = room_of(path), name.split("/")[0]
    is_kernel_text = path.name.endswith(".kernel.h")
    if is_kernel_text or room == "lang":
        if not is_quoted or head != "lang":
            return "kernel text sees nothing but lang/"
        return None
    if is_quoted:
        if head not in MAY_INCLUDE and head != "corundum":
            return "is not a path below src/ or include/"
        if head != room and head not in MAY_INCLUDE[room]:
            return f"{room} may not include {head}"
        if head == "ops" == room and len(name.split("/")) > 2 and name.split("/")[1] != path.relative_to(SRC).parts[1]:
            return "a family may not include another"
        return None
    if head in FRAMEWORKS and room != "torch":
        return "only src/torch includes ATen, and nothing includes a vendor's headers"
    return None


def test_rooms_are_known():
    assert {room_of(path) for path in sources()} <= set(MAY_INCLUDE)
    assert len(sources()) > 15


@pytest.mark.parametrize("room", sorted(MAY_INCLUDE))
def test_includes_go_down(room):
    wrong = []
    for path in sources():
        if room_of(path) == room:
            wrong += [
                f"{path.relative_to(ROOT)}: #include {name}: {why}"
                for is_quoted, name in includes_of(path)
                if (why := faults(path, is_quoted, name))
            ]
    assert wrong == []


@pytest.mark.parametrize(
    ("file", "line", "is_wrong"),
    [
        ("core/view.h", '#include "jit/cache.h"', True),
        ("core/view.h", '#include "core/dtype.h"', False),
        ("ops/softmax/softmax.cpp", '#include "jit/runtime.h"', True),
        ("ops/softmax/softmax.cpp", '#include "ops/reduce/reduce.h"', True),
        ("jit/cache.cpp", "  # include <ATen/ATen.h>", True),
        ("jit/cache.cpp", "#include <vector>", False),
        ("lang/row.h", "#include <cstdint>", True),
        ("ops/softmax/softmax.kernel.h", '#include "core/dtype.h"', True),
        ("backends/cpu/cpu.cpp", '#include "cpu.h"', True),
        ("torch/register.cpp", '#include "backends/cpu/cpu.h"', False),
        ("backends/cuda/cuda.cpp", "#include <cuda.h>", True),
    ],
)
def test_the_rule_itself(file, line, is_wrong):
    ((quote, name),) = INCLUDE.findall(line)
    fault = faults(SRC / file, quote == '"', name if quote == '"' else name.removesuffix(".h"))
    assert (fault is not None) == is_wrong


STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
COMMENT = re.compile(r"//[^\n]*")


def strings_by_file():
    """The string literals of each file of src/, comments aside."""
    return {path: STRING.findall(COMMENT.sub("", path.read_text())) for path in sources()}


def overloads():
    return {operator["overload"] for operator in corundum.ops() if "." in operator["overload"]}


def test_each_overload_is_said_once():
    names = overloads()
    places = defaultdict(set)
    for path, strings in strings_by_file().items():
        for text in strings:
            name = text.removeprefix("aten::").split("(")[0]
            if name in names:
                places[name].add(str(path.relative_to(ROOT)))
    assert {name: sorted(where) for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("room", ["backends", "jit", "lang"])
def test_no_operator_below_the_operators(room):
    names = overloads()
    found = [
        f"{path.relative_to(ROOT)}: {text!r}"
        for path, strings in strings_by_file().items()
        if room_of(path) == room
        for text in strings
        if text.startswith("aten::") or text in names
    ]
    assert found == []
