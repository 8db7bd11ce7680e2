"""Faults that `corundum check` and the emulator must find, planted in copies of the sources.

`faults.py FOLDER` writes the copies of C++ sources for the libraries `corundum_planted` and `test_conformance_planted`; each fault
sleeps until the environment names it (planted.h). `faults.py --run LIBRARY NAME...` checks with that library, each fault awake
while its own check runs, and prints which checks passed, as JSON; `--asleep` does the same with none awake.

A fault is a text and what takes its place. Where the text is no longer there, once, writing the copies fails and says so.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Fault:
    file: str
    """Below src/. A header is a kernel's text, taken in the place of the embedded one; a source is compiled again."""
    old: str
    new: str
    finds: str
    """What finds it: "cpu" or "cuda" for the check there, "emulator", "two GPUs"."""
    wish: dict[str, Any] = field(default_factory=dict)
    """What is checked; for the emulator the filter of its tests and a word of its message."""


FAULTS = {
    "off by one in a mask": Fault(
        "lang/rows_simd.h",
        "return n - c * Width < Width ? static_cast<int>(n - c * Width) : Width; }",
        "return n - c * Width < Width ? static_cast<int>(n - c * Width) - (n > 1) : Width; }",
        "cpu",
        {"names": ("_softmax.default",), "dtypes": ("float32",), "modes": ("plain",)},
    ),
    "wrong stride": Fault(
        "lang/pointwise_simd.h",
        "return convert<V>(p[k * stride]);",
        "return convert<V>(p[k]);",
        "cpu",
        {"names": ("tanh.default",), "dtypes": ("float64",), "modes": ("plain",), "sample": 40},
    ),
    "wrong tie": Fault(
        "ops/topk/topk.kernel.h",
        "const cor::u32 at = list.number[i];",
        "const cor::u32 at = list.number[i > 0 && p[list.number[i]] == p[list.number[i - 1]] ? i - 1 : i];",
        "cpu",
        {"names": ("topk.default",), "dtypes": ("int8",), "modes": ("plain",), "sample": 20},
    ),
    "wrong promotion": Fault(
        "torch/pointwise_call.cpp",
        "if (!yields) return promoted(call);",
        'if (!yields) return planted("wrong promotion") ? type : promoted(call);',
        "cpu",
        {"names": ("add.Tensor",), "dtypes": ("float32",), "modes": ("plain",), "sample": 60},
    ),
    "cut gradient": Fault(
        "torch/registry.cpp",
        "  overload.bind_(*library, overload);\n",
        "  overload.bind_(*library, overload);\n"
        '  if (planted("cut gradient") && key == c10::DispatchKey::CPU) {\n'
        '    libraries_.push_back(std::make_unique<torch::Library>(torch::Library::IMPL, "aten", c10::DispatchKey::AutogradCPU,\n'
        "                                                          __FILE__, __LINE__));\n"
        "    libraries_.back()->impl(overload.name_, torch::CppFunction::makeFallthrough());\n"
        "  }\n",
        "cpu",
        {"names": ("tanh.default",), "dtypes": ("float32",), "modes": ("grad_fn",)},
    ),
    "unwritten output": Fault(
        "torch/devices.cpp",
        "  void* stream = nullptr;\n",
        '  if (planted("unwritten output")) return {};\n  void* stream = nullptr;\n',
        "cpu",
        {"names": ("sub.Tensor",), "dtypes": ("float64",), "modes": ("plain",)},
    ),
    "stale cache entry": Fault(
        "jit/build.cpp",
        "EntryKey entry_key(const Recipe& r, const std::string& identity) {\n",
        "EntryKey entry_key(const Recipe& given, const std::string& identity) {\n"
        "  Recipe r = given;\n"
        '  if (planted("stale cache entry")) r.content = digest({r.name});\n',
        "cpu",
        {"names": ("tanh.default",), "dtypes": ("float64",), "modes": ("plain",), "sample": 40},
    ),
    "missing barrier": Fault(
        "lang/rows_simt_row.h",
        "        if (in_warp == 0) mine[warp] = s;\n        barrier();\n",
        "        if (in_warp == 0) mine[warp] = s;\n",
        "emulator",
        {"filter": "*Families.Softmax/emulator64", "word": "race on byte"},
    ),
    "race": Fault(
        "lang/block_simt.h",
        "  barrier(); // the lanes have written it\n",
        "",
        "emulator",
        {"filter": "*Families.LayerNorm/emulator64:*Blocks*/emulator64", "word": "race on byte"},
    ),
    "missing barrier on a GPU": Fault(
        "lang/rows_simt_row.h",
        "        if (in_warp == 0) mine[warp] = s;\n        barrier();\n",
        "        if (in_warp == 0) mine[warp] = s;\n",
        "cuda",
        {"names": ("_softmax.default",), "dtypes": ("float32",), "modes": ("plain",), "sample": 60},
    ),
    "lost stream": Fault(
        "torch/devices.cpp",
        "    stream = c10::impl::VirtualGuardImpl(",
        '    if (!planted("lost stream")) stream = c10::impl::VirtualGuardImpl(',
        "cuda",
        {"names": ("tanh.default",), "dtypes": ("float32",), "modes": ("side stream",)},
    ),
    "wrong device": Fault(
        "torch/devices.cpp",
        "  const int index = where.index() < 0 ? 0 : where.index();\n",
        '  const int index = where.index() < 0 || planted("wrong device") ? 0 : where.index();\n',
        "two GPUs",
        {"names": ("tanh.default",), "dtypes": ("float32",), "modes": ("second device",)},
    ),
}


def spoiled(text: str, fault: Fault) -> str:
    if text.count(fault.old) != 1:
        sys.exit(f"{__file__}: src/{fault.file} has {text.count(fault.old)} times, not once:\n{fault.old}")
    return text.replace(fault.old, fault.new)


def write_sources(folder: Path) -> None:
    """The copies that are compiled; and jit/language.cpp, which looks for texts of faults."""
    loads = Fault(
        "jit/language.cpp",
        "const char* embedded_text(std::string_view name) {\n",
        "const char* embedded_text(std::string_view name) {\n"
        "  if (const char* text = planted_text(std::string(name))) return text;\n",
        "",
    )
    copies: dict[str, str] = {}
    for fault in [loads, *FAULTS.values()]:
        text = copies.get(fault.file) or (ROOT / "src" / fault.file).read_text()
        if fault.file.endswith(".cpp"):
            copies[fault.file] = spoiled(text, fault)
        else:
            spoiled(text, fault)  # that it still can be
    for name, text in copies.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text() != text:
            path.write_text(text)


@contextlib.contextmanager
def awake(name: str) -> Iterator[None]:
    """The fault is there within the block: its text, or its name for what has been compiled."""
    fault = FAULTS[name]
    with tempfile.TemporaryDirectory() as folder:
        if fault.file.endswith(".h"):
            path = Path(folder, fault.file)
            path.parent.mkdir(parents=True)
            path.write_text(spoiled((ROOT / "src" / fault.file).read_text(), fault).replace("#pragma once\n", ""))
        before = dict(os.environ)
        os.environ.update(CORUNDUM_PLANT=name, CORUNDUM_PLANT_TEXTS=folder)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where copies go; with --run the library")
    parser.add_argument("--run", nargs="*", metavar="NAME", choices=list(FAULTS))
    parser.add_argument("--asleep", action="store_true")
    options = parser.parse_args()
    if options.run is None:
        write_sources(options.folder)
        return
    from corundum import _library

    _library.library_path = lambda: options.folder
    import corundum
    from corundum.check import Wish, check

    passed = {}
    for name in options.run:
        fault = FAULTS[name]
        wish = Wish(**fault.wish, device="cpu" if fault.finds == "cpu" else "cuda", op_db=False, coverage=ROOT / "docs/coverage.md")
        with contextlib.nullcontext() if options.asleep else awake(name):
            corundum.disable()  # what is registered may be the fault
            said = io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                good = check(wish)
        passed[name] = [good, said.getvalue()[-600:]]
    print(json.dumps(passed))


if __name__ == "__main__":
    main()
