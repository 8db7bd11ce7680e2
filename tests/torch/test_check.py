"""`corundum check`: it finds what it is there to find, and finds nothing in a sample of all that is covered."""

import ctypes
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import corundum
from corundum.check import Files, Wish, check, results, workers
from corundum.check.calls import calls
from corundum.check.compare import unlike
from corundum.check.driver import Report, Sample, guarded, judge
from corundum.check.modes import MODES
from corundum.check.tensors import LAYOUTS, Guarded, Recipe, layouts
from corundum.check.work import all_units, allowed_fallbacks, one_dtype_each

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "coverage.md"
X = Recipe((4, 6), (6, 1), 0, torch.float32)


class Faulty:
    """Adds 1 as it should, until Corundum serves: then `fault` spoils the result."""

    def __init__(self, fault):
        self.fault = fault

    def __call__(self, x):
        with corundum.record() as calls_made:
            right = x + 1
        return self.fault(x, right) if any(call.served for call in calls_made) else right


def cut_gradient(x, right):
    return right.detach().requires_grad_(right.requires_grad)


def beyond_the_end(x, right):
    x.as_strided((1,), (1,), x.storage_offset() + x.numel()).fill_(7)
    return right


def refuse(x, right):
    raise ValueError("no")


FAULTS = {
    "a wrong value": ("plain", lambda x, right: right + torch.eye(4, 6) * 1e-3, "4 of 24 elements differ"),
    "a missing last element": ("plain", lambda x, right: right.index_fill(1, torch.tensor([5]), 0), "4 of 24 elements differ"),
    "a wrong dtype": ("plain", lambda x, right: right.double(), "dtype torch.float64 instead of torch.float32"),
    "wrong strides": ("plain", lambda x, right: right.t().contiguous().t(), "strides (1, 4) instead of (6, 1)"),
    "a wrong shape": ("plain", lambda x, right: right[:3], "shape"),
    "an error of its own": ("plain", refuse, "Corundum raises ValueError: no"),
    "a write beyond the end": ("plain", beyond_the_end, "bytes were written outside of the result"),
    "a cut gradient": ("backward", cut_gradient, ""),
    "one thread of eight": ("eight threads", lambda x, right: right + 1, "elements differ"),
    "the forked child": ("fork", lambda x, right: right + 1, "elements differ"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(on, name):
    mode, fault, message = FAULTS[name]
    verdict = judge(Sample(name, Faulty(fault), [X.make("cpu")], {}, ""), MODES[mode])
    assert verdict.outcome == "failed", verdict
    assert message in verdict.message


def test_the_same_call_without_a_fault_is_served(on):
    for mode in MODES.values():
        if mode.backend in (None, "cpu") and mode.wants([X.make("cpu")], False):
            verdict = judge(Sample("add", lambda x: x + 1, [X.make("cpu")], {}, ""), mode)
            assert verdict.outcome == "served", (mode.name, verdict)
            assert verdict.served


def test_falling_back_is_not_being_served(on):
    verdict = judge(Sample("complex", torch.nn.functional.silu, [torch.ones(3, dtype=torch.complex64)], {}, ""), MODES["plain"])
    assert verdict.outcome == "fell back"
    assert verdict.fell_back == {"silu": {"dtype not covered": 1}}
    assert judge(Sample("matmul", lambda x: x @ x.t(), [X.make("cpu")], {}, ""), MODES["plain"]).outcome == "unsupported"


def test_what_aten_refuses_must_be_refused_alike(on):
    sample = Sample("shapes", lambda x: x + torch.ones(5), [X.make("cpu")], {}, "")
    assert judge(sample, MODES["plain"]).outcome == "ATen fails"


def test_guards_see_writes_between_a_views_elements():
    guarded = Guarded()
    view = guarded.copy(torch.zeros(10)[::2])
    view.fill_(1)
    assert guarded.stray_write([view]) is None
    view.as_strided((10,), (1,), view.storage_offset()).fill_(1)
    assert "bytes were written outside" in guarded.stray_write([view])


def test_canaries_lie_around_what_corundum_allocates(on):
    x = X.make("cpu")
    with guarded() as damage:
        kept, freed = x + 1, x + 2
        ctypes.memset(kept.data_ptr() + 96, 0, 4)
        ctypes.memset(freed.data_ptr() - 2, 0, 1)
        del freed
    assert sorted(damage) == ["1 bytes were written before memory of 96 bytes", "4 bytes were written behind memory of 96 bytes"]
    with guarded() as damage:
        torch.testing.assert_close(x + 1, kept)
        kept.resize_(100).fill_(1)
    assert damage == []


def test_layouts_are_what_they_are_called():
    shape = (2, 8, 4, 6)
    tensors = {name: Recipe(shape, stride, offset, torch.float32).make("cpu") for name, stride, offset in layouts(shape)}
    assert set(tensors) == set(LAYOUTS)
    assert tensors["contiguous"].is_contiguous()
    assert tensors["misaligned"].data_ptr() % 8 == 4
    assert tensors["channels_last"].is_contiguous(memory_format=torch.channels_last)
    assert tensors["expanded"].stride(-1) == 0
    assert tensors["transposed"].mT.is_contiguous()


def test_every_overload_has_calls(on):
    for row in corundum.ops():
        if not row["via"]:
            assert list(calls(row["overload"])), row["overload"]


def test_the_script_of_a_failure_runs(on, tmp_path):
    from corundum.check import sources

    unit = next(sources.own_units(["tanh"], [torch.float32], "cpu", [MODES["plain"]], "sample", False))
    make, mode = next(unit.cells(random.Random(0)))
    sample = make()
    from corundum.check.driver import script

    path = tmp_path / "failure.py"
    path.write_text(script(sample, mode))
    environment = {"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_the_table_of_what_is_not_covered_is_read():
    assert ("tanh", "dtype not covered") in allowed_fallbacks(TABLE)


def test_a_fallback_without_a_row_fails(on, tmp_path, capsys):
    empty = tmp_path / "coverage.md"
    empty.write_text("")
    wish = Wish(names=["sum.IntList_out"], dtypes=["float32"], modes=["plain"], sample=40, op_db=False, coverage=empty)
    assert not check(wish)
    assert "does not give" in capsys.readouterr().out


def test_results_are_lines_and_resume(on, tmp_path, capsys):
    out = tmp_path / "results.jsonl"
    wish = Wish(names=["tanh.default"], dtypes=["float32", "float64"], modes=["plain"], sample=2, op_db=False)
    assert check(wish, Files(out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["unit"] for row in rows] == ["tanh float32 cpu", "tanh float64 cpu"]
    assert all(row["commit"] and row["date"] and row["seed"] == 0 for row in rows)
    out.write_text(json.dumps(rows[0]) + "\n")
    seen = []
    assert check(wish, Files(out, resume=True), progress=lambda done, total: seen.append(done))
    assert seen == [2]
    assert len(out.read_text().splitlines()) == 2


def test_what_is_late_is_not_begun(on, tmp_path, capsys):
    out = tmp_path / "results.jsonl"
    wish = Wish(names=("tanh.default",), dtypes=("float32", "float64"), modes=("plain",), sample=2, op_db=False)
    for jobs in (1, 2):
        assert not check(wish, Files(out), jobs=jobs, minutes=0)
        assert "2 of 2 units were not begun" in capsys.readouterr().err
        assert out.read_text() == ""
    assert check(wish, Files(out, resume=True))


def test_processes_find_what_one_finds(on, tmp_path, capsys):
    wish = Wish(names=("tanh", "sum.IntList_out"), dtypes=("float32",), modes=("plain", "backward"), sample=4, op_db=False)
    rows = []
    for jobs in (1, 2):
        out, summary = tmp_path / "out.jsonl", tmp_path / "summary.jsonl"
        assert check(wish, Files(out, summary=summary), jobs=jobs)
        read = [json.loads(line) for line in out.read_text().splitlines()]
        rows.append(sorted((row["unit"], str(row["modes"]), str(row["served"])) for row in read))
    assert rows[0] == rows[1]
    head, lines = results.read_summary(summary)
    assert head["not_served"] == []
    assert {line["operator"] for line in lines} == {"tanh", "sum"}
    assert all(sum(map(sum, line["modes"].values())) for line in lines)
    assert head["jobs"] == 2


def die(wish, pipe, label):
    """A process of the checker's that ends at its second unit."""
    pipe.send({**Report(str(pipe.recv())).row(), "served": {"tanh": 1}})
    pipe.recv()
    label.value = b"a call that ends the process"
    os.kill(os.getpid(), signal.SIGSEGV)


def test_a_process_that_dies_is_a_failure_of_its_unit(on, monkeypatch):
    monkeypatch.setattr(workers, "_work", die)
    units = list(all_units(Wish(names=("tanh.default",), dtypes=("float32", "float64", "float16"), op_db=False)))
    found = dict(workers.in_processes(Wish(), units, range(3), 2))
    assert sorted(found) == [0, 1, 2]
    assert [failure["message"] for failure in found[1]["failures"]] == ["the process ended with exit code -11"]
    assert found[1]["failures"][0]["case"] == "a call that ends the process"
    assert [found[number]["failures"] for number in (0, 2)] == [[], []]


def test_seeds_take_turns_with_dtypes(on):
    units = list(all_units(Wish(names=("add", "tanh"), op_db=False)))
    names = {unit.name for unit in units}
    turns = [one_dtype_each(units, seed) for seed in range(13)]
    assert all(sorted(units[number].name for number in turn) == sorted(names) for turn in turns)
    assert {number for turn in turns for number in turn} == set(range(len(units)))


def test_another_dtype_is_tried_where_none_served(on, tmp_path, capsys):
    out = tmp_path / "results.jsonl"
    dtypes = ("int32", "float32")  # on a CPU remainders of integers are ATen's
    for seed in (0, 1):
        assert check(
            Wish(("remainder.Tensor",), dtypes=dtypes, modes=("plain",), sample=2, op_db=False, one_dtype=True, seed=seed),
            Files(out),
        )
        done = {json.loads(line)["unit"] for line in out.read_text().splitlines()}
        assert "remainder.Tensor float32 cpu" in done


def test_a_sum_is_held_to_the_size_of_what_it_adds(on):
    """1e4 and its negative: the sum of all is 0 but for rounding, which is in proportion to 1e4."""
    x = torch.cat([torch.linspace(1e4, 2e4, 1000), -torch.linspace(1e4, 2e4, 1000).flip(0)])
    wrong = x.sum() + 0.5
    assert unlike(wrong, x.sum(), x.double().sum(), sizes=x.double().abs().sum()) is None
    assert unlike(wrong + 50, x.sum(), x.double().sum(), sizes=x.double().abs().sum()) is not None
    assert unlike(wrong, x.sum(), x.double().sum()) is not None


def week_of_commit():
    """Changes with the commits, not with the day of a run: the same commit sees the same part."""
    found = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    return int(found.stdout or 0) // (7 * 24 * 3600)


@pytest.mark.parametrize("backend", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_a_sample_is_right(on, backend, capsys):
    """Every overload is served in one dtype, another each week."""
    wish = Wish(device=backend, sample=2, op_db=False, coverage=TABLE, one_dtype=True, seed=week_of_commit())
    good = check(wish, jobs=max(2, (os.cpu_count() or 2) // 2))
    assert good, capsys.readouterr().out[-6000:]
