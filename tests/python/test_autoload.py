"""CORUNDUM_ENABLE: nothing at all when unset, a warning and not a broken `import torch` when it cannot be met."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = ROOT / "tests" / "python"


@pytest.fixture
def installed(tmp_path):
    """A folder that makes the source tree look installed: the entry point that pyproject.toml states."""
    group = re.search(r'\[project\.entry-points\."torch\.backends"\]\n(.*)\n', (ROOT / "pyproject.toml").read_text())
    metadata = tmp_path / "corundum-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: corundum\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text("[torch.backends]\n" + group[1].replace('"', "") + "\n")
    return tmp_path


def run(installed, code, **environment):
    path = os.pathsep.join([str(installed), str(ROOT / "python"), str(STAND_IN)])
    clean = {name: value for name, value in os.environ.items() if name != "CORUNDUM_ENABLE"}
    return subprocess.run(
        [sys.executable, "-c", code], env={**clean, "PYTHONPATH": path, **environment}, text=True, capture_output=True, check=True
    )


LIST_MODULES = "import sys, torch; print([name for name in sys.modules if name.split('.')[0] in ('corundum', 'yaml', 'tomllib')])"


@pytest.mark.parametrize("environment", [{}, {"CORUNDUM_ENABLE": ""}, {"CORUNDUM_ENABLE": "0"}])
def test_nothing_is_imported_when_unset(installed, environment):
    done = run(installed, LIST_MODULES, **environment)
    assert done.stdout == "[]\n"
    assert done.stderr == ""


def stand_in_first(code):
    """Puts the stand-in into the place of the library before torch asks for it: by a hook on the module that opens it."""
    return (
        "import builtins, sys, stand_in\n"
        "library = stand_in.StandIn()\n"
        "real = builtins.__import__\n"
        "def hook(name, *rest):\n"
        "    module = real(name, *rest)\n"
        "    opened = sys.modules.get('corundum._library')\n"
        "    if hasattr(opened, '_call'): opened._raw_call = lambda: library\n"
        "    return module\n"
        "builtins.__import__ = hook\n" + code + "\nprint(library.commands(), library.asked[-1:])"
    )


@pytest.mark.parametrize("first", ["import torch", "import corundum"])
def test_enables(installed, first):
    done = run(installed, stand_in_first(first), CORUNDUM_ENABLE="1")
    assert done.stdout == "['ops', 'enable'] [('enable', {'only': None, 'exclude': None, 'program': None})]\n"
    assert done.stderr == ""


def test_enables_from_a_file(installed, tmp_path):
    wish = tmp_path / "wish.toml"
    wish.write_text('only = ["gelu"]')
    done = run(installed, stand_in_first("import torch"), CORUNDUM_ENABLE=str(wish))
    assert "('enable', {'only': ['gelu.default', 'gelu.out'], 'exclude': None, 'program': None})" in done.stdout


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("yes", "CORUNDUM_ENABLE=yes: expected 1, or the path of a TOML or YAML file"),
        ("/nowhere/wish.toml", "cannot read the list of operators in /nowhere/wish.toml: No such file"),
    ],
)
def test_a_wish_that_cannot_be_met_is_a_warning(installed, wish, message):
    done = run(installed, stand_in_first("import torch; print(torch.ones(2).sum().item())"), CORUNDUM_ENABLE=wish)
    assert done.stdout.startswith("2.0\n")
    assert message in done.stderr
    assert "PyTorch runs without Corundum." in done.stderr
