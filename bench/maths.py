"""Elements a second of the functions of lang/maths/ on one core, beside ATen's and a loop over libm, on data in caches.

Usage: python bench/maths.py [--filter TEXT]
Prints Markdown: 10^9 elements a second, of 16384 elements a call. The loops are
compiled by g++ as the library compiles kernels for this processor.
"""

import argparse
import ctypes
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]
COUNT = 16384
OPTIONS = "-std=c++17 -O3 -fPIC -shared -fno-exceptions -fno-rtti -fno-trapping-math -fno-math-errno -ffp-contract=fast -w"
# Ranges of the first argument; the second is in (-2, 2).
RANGES = {
    (-2.0, 2.0): "exp exp2 expm1 sin cos tan atan sinh cosh tanh asinh erf erfc gelu_erf cbrt",
    (0.1, 2.1): "log log1p log2 log10 sqrt rsqrt lgamma digamma pow atan2 hypot fmod remainder",
    (-0.98, 0.98): "asin acos atanh erfinv",
    (1.1, 3.0): "acosh",
}
BINARY = {"pow", "atan2", "hypot", "fmod", "remainder"}
NO_LIBM = {"gelu_erf", "rsqrt", "erfinv", "digamma", "remainder"}
ATEN = {"gelu_erf": torch.nn.functional.gelu, "cbrt": None}


def target_options() -> list[str]:
    flags = Path("/proc/cpuinfo").read_text()
    wide = all(name in flags for name in ("avx512f", "avx512bw", "avx512dq", "avx512vl"))
    return ["-march=skylake-avx512", "-mprefer-vector-width=512"] if wide else ["-march=haswell"]


def loops() -> str:
    text = '#include "lang/kernel.h"\n#include "lang/maths.h"\nextern "C" {\n'
    for name in " ".join(RANGES.values()).split():
        second, more = ("const T* __restrict y, ", ", y[i]") if name in BINARY else ("", "")
        for letter, kind in (("f", "float"), ("d", "double")):
            libm = name + ("f" if letter == "f" else "")
            variants = {"own": f"cor::{name}"}
            if name not in NO_LIBM:
                text += f"{kind} {libm}({kind}{', ' + kind if name in BINARY else ''});\n"
                variants["libm"] = f"::{libm}"
            for who, call in variants.items():
                text += (
                    f"void {who}_{name}_{letter}(const {kind}* __restrict x, {second.replace('T', kind)}{kind}* __restrict out) "
                    f"{{ for (int i = 0; i < {COUNT}; ++i) out[i] = {call}(x[i]{more}); }}\n"
                )
    return text + "}\n"


def rate(run: Callable[[], Any]) -> float:
    best = 1e9
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(5):
            run()
        best = min(best, (time.perf_counter() - start) / 5)
    return COUNT / best / 1e9


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--filter", default="", help="only functions whose name contains this")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        binary = f"{folder}/maths.so"
        command = ["g++", *OPTIONS.split(), *target_options(), f"-I{ROOT / 'src'}", "-x", "c++", "-", "-o", binary, "-lm"]
        subprocess.run(command, input=loops(), text=True, check=True)
        library = ctypes.CDLL(binary)
    print(f"{' '.join(target_options())}; torch {torch.__version__}\n")
    print("| function | f32 | ATen | libm | f64 | ATen | libm |\n|---|---|---|---|---|---|---|")
    for (low, high), names in RANGES.items():
        for name in names.split():
            if options.filter not in name:
                continue
            cells = []
            for letter, dtype in (("f", torch.float32), ("d", torch.float64)):
                x, y = (torch.rand(COUNT, dtype=dtype) * (b - a) + a for a, b in ((low, high), (-2.0, 2.0)))
                inputs, out = ([x, y] if name in BINARY else [x]), torch.empty_like(x)
                pointers = [ctypes.c_void_p(t.data_ptr()) for t in (*inputs, out)]
                aten = ATEN.get(name, getattr(torch, name, None))
                own, libm = (getattr(library, f"{who}_{name}_{letter}", None) for who in ("own", "libm"))
                runs = [partial(own, *pointers), aten and partial(aten, *inputs), libm and partial(libm, *pointers)]
                cells += [f"{rate(run):.3f}" if run else "-" for run in runs]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
