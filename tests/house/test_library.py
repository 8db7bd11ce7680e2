"""The one shared library: what it needs, and that it works where no GPU is to be seen."""

import json
import os
import struct
import subprocess
import sys

import pytest

from corundum._library import library_path


def needed(path):
    """The DT_NEEDED names of a 64-bit little-endian ELF file, from its program headers (so that stripping changes nothing)."""
    data = path.read_bytes()
    assert data[:6] == b"\x7fELF\x02\x01"
    table, entry_size, entries = *struct.unpack_from("<Q", data, 32), *struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQ", data, table + i * entry_size) for i in range(entries)]
    offset, size = next((offset, size) for kind, _, offset, _, _, size in segments if kind == 2)
    dynamic = [struct.unpack_from("<qQ", data, at) for at in range(offset, offset + size, 16)]
    names_address = next(value for tag, value in dynamic if tag == 5)
    names = next(
        names_address - address + start
        for kind, _, start, address, _, size in segments
        if kind == 1 and address <= names_address < address + size
    )
    strings = [names + value for tag, value in dynamic if tag == 1]
    return [data[at : data.index(b"\0", at)].decode() for at in strings]


def test_needs_no_cuda_and_no_python():
    names = needed(library_path())
    assert any(name.startswith("libtorch_cpu.so") for name in names)
    assert any(name.startswith("libc10.so") for name in names)
    allowed = (
        "libtorch_cpu",
        "libc10.so",
        "libstdc++",
        "libm.so",
        "libgcc_s",
        "libc.so",
        "libdl.so",
        "libpthread",
        "ld-linux",
        "librt",
    )
    assert [name for name in names if not name.startswith(allowed)] == []


CODE = """
import json, torch, corundum
corundum.enable()
x = torch.linspace(-3, 3, 1000)
with corundum.record() as r:
    y = torch.nn.functional.gelu(x)
with corundum.use(only=[]):
    z = torch.nn.functional.gelu(x)
corundum.disable()
print(json.dumps([torch.cuda.is_available(), r["gelu"].served_count, float((y - z).abs().max())]))
"""


@pytest.mark.parametrize("first", ["", "import torch\n"])
def test_works_without_a_gpu(first):
    done = subprocess.run(
        [sys.executable, "-c", first + CODE],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    has_gpu, served, difference = json.loads(done.stdout.splitlines()[-1])
    assert (has_gpu, served) == (False, 1)
    assert difference < 1e-6
