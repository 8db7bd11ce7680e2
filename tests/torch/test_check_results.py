"""The committed results of `corundum check --full` (docs/check): nothing failed, and nothing that they were to reach is missing.

A file speaks for the overloads that were registered when it was made, which its first line lists. Overloads that came later are
shown in a table, and fail the whole run (--full), which is what a release goes through: so a file cannot stay behind unseen.
"""

from pathlib import Path

import pytest

import corundum
from corundum.check.compare import operator_of
from corundum.check.results import OUTCOMES, read_summary

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "check"
FILES = sorted(FOLDER.glob("*.jsonl"))


def newer(head):
    """Registered overloads that the file does not know, by operator."""
    found = {}
    for row in corundum.ops():
        if not row["via"] and row["overload"] not in head["overloads"]:
            found.setdefault(operator_of(row["overload"]), []).append(row["overload"])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_overload_of_a_file_was_served_and_none_failed(path):
    assert path.stat().st_size < 2_000_000
    head, lines = read_summary(path)
    assert len(head["commit"]) == 40
    assert head["device"]
    assert head["outcomes"] == OUTCOMES
    assert head["units_done"] == head["units"]
    assert head["not_served"] == []
    assert not [line for line in lines if line.get("failures")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_came_after_a_file_is_named(path, request):
    head, _ = read_summary(path)
    missing = newer(head)
    table = "\n".join(f"  {operator}: {', '.join(overloads)}" for operator, overloads in sorted(missing.items()))
    print(f"{path.name} of {head['date']} has no line for\n{table}" if missing else f"{path.name} knows every overload")
    if request.config.getoption("--full"):
        assert not missing, f"run tools/gpu_check.py --only check and commit its files:\n{table}"
