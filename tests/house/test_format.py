"""Formatting is the tools' job: `make format` puts right what these tests find."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tree import ROOT, files

HINT = "run `make format`"


def tool(name):
    """A formatter of the environment that runs the tests; a missing one is a failure, not a skip."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert path, f"{name} is not installed: pip install -r constraints.txt"
    return path


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_cpp():
    sources = files(".h", ".cpp", ".cu", ".hip")
    assert sources
    done = run(tool("clang-format"), "--dry-run", "--Werror", "--style=file", *map(str, sources))
    wrong = sorted(set(re.findall(r"^(\S+?):\d+", done.stderr, re.MULTILINE)))
    assert done.returncode == 0, f"{HINT}: {wrong}"


def test_clang_format_version():
    """Another version formats otherwise, and every file would differ."""
    assert " 14." in run(tool("clang-format"), "--version").stdout


@pytest.mark.parametrize("check", [("format", "--check"), ("check",)])
def test_python(check):
    done = run(tool("ruff"), *check, ".")
    assert done.returncode == 0, f"{HINT}\n{done.stdout}"


def text_files():
    return [path for path in files() if b"\0" not in path.read_bytes()[:4096] and path.name != "LICENSE"]


def test_white_space():
    wrong = []
    for path in text_files():
        text = path.read_text(encoding="utf-8")
        tabs = "\t" in text and path.name != "Makefile"
        if tabs or re.search(r"[ \t\r]$", text, re.MULTILINE) or (text and not text.endswith("\n")):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == [], "tabs, white space at the end of a line, or no new line at the end of the file"


def test_line_length():
    code = [path for path in text_files() if path.name.endswith((".h", ".cpp", ".py", ".cmake", "CMakeLists.txt"))]
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in code
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > 132 and 'R"' not in line and "http" not in line
    ]
    assert long == []


def test_no_machine_paths():
    """Nothing of the machine that it was written on."""
    pattern = re.compile(r"(?<![\w.$}])/(?:work|home/\w+|root|opt/\w+|Users/\w+|usr/local/\w+)/[\w.-]+")
    allowed = re.compile(r"/usr/local/cuda|/opt/rocm")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in text_files()
        if path != Path(__file__)
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
        if not allowed.match(match[0])
    ]
    assert found == []


def test_headers_guard_themselves():
    wrong = [str(path.relative_to(ROOT)) for path in files(".h") if "#pragma once\n" not in path.read_text()]
    assert wrong == []
