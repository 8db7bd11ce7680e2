"""The documents' examples run, and what they say of versions and variables is what the code says."""

import os
import re
import subprocess
import sys

import pytest
import tomllib
from tree import ROOT, files

import corundum

DOCUMENTS = [path for path in files(".md") if path.parent in (ROOT, ROOT / "docs")]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def with_examples():
    return [path for path in DOCUMENTS if BLOCK.search(path.read_text())]


def test_there_are_examples():
    assert ROOT / "README.md" in with_examples()


@pytest.mark.parametrize("document", with_examples(), ids=lambda path: path.name)
def test_examples(document, tmp_path):
    """All blocks of a document, in order, as one program of a reader who types along."""
    program = "\n".join(BLOCK.findall(document.read_text()))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_links():
    missing = []
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text()):
            if "://" not in target and not (document.parent / target).exists():
                missing.append(f"{document.name}: {target}")
    assert missing == []


def test_version_is_one():
    (version,) = re.findall(r"project\(corundum VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())
    assert corundum.__version__ == version


def test_operators_page_is_current():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "operators.py"), "--check"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_every_environment_variable_is_documented():
    written = set(re.findall(r"\bCORUNDUM_[A-Z_]+\b", (ROOT / "docs" / "configuration.md").read_text()))
    read = set()
    for path in files(".cpp", ".py"):
        if not path.is_relative_to(ROOT / "tests"):
            read |= set(
                re.findall(r"""(?:getenv|environ(?:\.get)?|\benv\w*)[(\[]\s*["'](CORUNDUM_[A-Z_]+)["']""", path.read_text())
            )
    in_header = set(re.findall(r"// (CORUNDUM_[A-Z_]+)", (ROOT / "src" / "core" / "config.h").read_text())) | {"CORUNDUM_ENABLE"}
    assert written == in_header
    assert read <= written
    assert len(written) <= 8


def test_constraints_pin_all_that_is_declared():
    """One file says every version; nothing that pyproject.toml names is left to chance."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = (
        project["build-system"]["requires"]
        + project["project"]["dependencies"]
        + project["project"]["optional-dependencies"]["demo"]
    )
    names = {re.split(r"[<>=;\s]", text)[0].replace("_", "-").lower() for text in declared if "python_version" not in text}
    pins = re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert names <= {name.replace("_", "-").lower() for name in pins}
