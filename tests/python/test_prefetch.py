"""enable() names the program, so that its next run finds the kernels of this one loaded before it asks for them."""

import json
import os
import subprocess
import sys

import pytest

import corundum

PROGRAM = """
import json, sys, time, torch, corundum
torch.set_num_threads(1)
start = time.perf_counter()
corundum.enable()
enabling = time.perf_counter() - start
expected = int(sys.argv[1])
deadline = time.monotonic() + 60
while corundum.info()["counters"]["prefetched"] < expected and time.monotonic() < deadline:
    time.sleep(0.005)
before = corundum.info()["counters"]
x = torch.linspace(-4, 4, 1000)
with corundum.record() as record:
    y = torch.softmax(torch.nn.functional.gelu(x), -1)
after = corundum.info()["counters"]
print(json.dumps({"served": [record[name].served_count for name in ("gelu", "_softmax")], "before": before, "after": after,
                  "enabling": enabling}))
"""


@pytest.fixture
def run(tmp_path):
    def start(script, expected=0, *options):
        done = subprocess.run(
            [sys.executable, *(options or [str(script)]), str(expected)],
            cwd=script.parent,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "CORUNDUM_CACHE_DIR": str(tmp_path / "cache"),
                "CORUNDUM_PACKS": "",
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return start


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_the_second_run_finds_its_kernels_loaded(run, script):
    first = run(script)
    assert first["served"] == [1, 1]
    assert (first["after"]["compiled"], first["after"]["prefetched"]) == (2, 0)
    second = run(script, 2)
    assert second["served"] == [1, 1]
    assert (second["before"]["prefetched"], second["before"]["from_disk"]) == (2, 2)
    assert second["after"] == second["before"]  # the calls themselves missed nothing


def test_another_program_starts_with_nothing(run, script, tmp_path):
    run(script)
    other = tmp_path / "other.py"
    other.write_text(PROGRAM)
    result = run(other)
    assert (result["before"]["prefetched"], result["after"]["from_disk"]) == (0, 2)


def test_a_module_is_a_program_too(run, script):
    assert run(script, 0, "-m", "program")["after"]["compiled"] == 2
    assert run(script, 2, "-m", "program")["before"]["prefetched"] == 2
    assert run(script)["before"]["prefetched"] == 0


def test_a_prompt_has_no_name(library, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["-c"])
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    corundum.enable()
    assert library.last("enable")["program"] is None


def test_enabling_takes_less_than_a_tenth_of_a_second(run, script):
    run(script)
    assert min(run(script, 2)["enabling"] for _ in range(3)) < 0.1
