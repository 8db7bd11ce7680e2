"""tools/test.py adds up what the runners say, and lets no failure through."""

import importlib.util

import pytest
from tree import ROOT

spec = importlib.util.spec_from_file_location("runner", ROOT / "tools" / "test.py")
runner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(runner)

CTEST = "100% tests passed out of 12\n"
PYTEST = "================== 30 passed, 2 skipped, 1 warning in 3.20s ==================\n"


def closing_line(monkeypatch, capsys, ctest, pytest_):
    answers = {"ctest": ctest, "pytest": pytest_}
    monkeypatch.setattr(runner, "run", lambda command, **_: answers["pytest" if "pytest" in command else "ctest"])
    monkeypatch.setattr("sys.argv", ["test.py"])
    status = runner.main()
    return status, capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("ctest", "pytest_", "status", "line"),
    [
        ((0, CTEST), (0, PYTEST), 0, "42 passed, 0 failed, 2 skipped"),
        ((0, CTEST), (0, "30 passed in 1s\n"), 0, "42 passed, 0 failed"),
        ((0, "100% tests passed, 0 tests failed out of 12\n"), (0, PYTEST), 0, "42 passed, 0 failed, 2 skipped"),
        ((8, "83% tests passed, 2 tests failed out of 12\n"), (0, PYTEST), 1, "40 passed, 2 failed, 2 skipped"),
        ((0, CTEST), (1, "= 1 failed, 29 passed, 1 error in 3s =\n"), 1, "41 passed, 2 failed"),
        ((8, "No tests were found!!!\n"), (0, PYTEST), 1, "30 passed, 1 failed, 2 skipped"),
        ((0, CTEST), (4, "ERROR: usage\n"), 1, "12 passed, 1 failed"),
        ((-11, ""), (-6, ""), 1, "0 passed, 2 failed"),
        (
            (0, "1/1 Test #1: a ...***Skipped\n100% tests passed, 0 tests failed out of 1\n"),
            (0, PYTEST),
            0,
            "30 passed, 0 failed, 3 skipped",
        ),
    ],
)
def test_closing_line(monkeypatch, capsys, ctest, pytest_, status, line):
    assert closing_line(monkeypatch, capsys, ctest, pytest_) == (status, line)
