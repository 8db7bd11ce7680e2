"""The front door on the real library: what a user does, from enable() to a pack that serves without a compiler."""

import json
import os
import subprocess
import sys

import pytest
import torch

import corundum
from corundum._command import main


@pytest.fixture
def enabled():
    corundum.enable()
    yield
    corundum.disable()


def served(function):
    """How many calls of gelu Corundum served."""
    with corundum.record() as record:
        function()
    return record["gelu"].served_count


def gelu():
    return torch.nn.functional.gelu(torch.linspace(-4, 4, 100))


def test_ops_have_what_the_command_promises():
    rows = corundum.ops()
    names = [row["overload"] for row in rows]
    assert len(set(names)) == len(names)
    assert {"add.Tensor", "gelu", "_softmax", "native_layer_norm", "copy_", "sum.dim_IntList", "embedding"} <= set(names)
    for row in rows:
        assert row["family"]
        assert set(row["backends"]) <= {"cpu", "cuda"}
        assert all(isinstance(getattr(torch, dtype), torch.dtype) for dtype in row["dtypes"]), row
        assert set(row["via"]) <= set(names)


def test_every_overload_is_one_of_torchs():
    for row in corundum.ops():
        base, _, variant = row["overload"].partition(".")
        assert getattr(getattr(torch.ops.aten, base), variant or "default")


def test_enable_serves_and_disable_puts_back():
    corundum.disable()  # whoever ran before may have left it on
    before = gelu()
    assert corundum.enable() > 10
    try:
        assert served(gelu) == 1
        assert torch.allclose(gelu(), before, atol=1e-6)
        assert all(row["enabled"] for row in corundum.ops())
    finally:
        assert corundum.disable() > 10
    assert served(gelu) == 0
    assert torch.equal(gelu(), before)
    assert not any(row["enabled"] for row in corundum.ops())
    assert corundum.disable() == 0


def test_enable_a_choice():
    corundum.enable(only=["gelu.default"])
    try:
        assert served(gelu) == 1
        on = {row["overload"] for row in corundum.ops() if row["enabled"] and not row["via"]}
        assert "add.Tensor" not in on
        assert "gelu" in on
        assert "gelu.out" not in on
        corundum.enable(exclude="gelu")  # the new choice replaces the old one
        assert served(gelu) == 0
        with corundum.record() as record:
            torch.ones(3) + 1
        assert record["add.Tensor"].served_count == 1
    finally:
        corundum.disable()


def test_use_nests(enabled):
    with corundum.use(exclude="gelu"):
        assert served(gelu) == 0
        with corundum.use(only="gelu"):
            assert served(gelu) == 1
        assert served(gelu) == 0
    assert served(gelu) == 1


def test_use_holds_for_other_threads(enabled):
    from concurrent.futures import ThreadPoolExecutor

    def elsewhere():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(gelu).result()

    assert served(elsewhere) == 1
    with corundum.use(only=[]):
        assert served(elsewhere) == 0


def test_record_says_why_not(enabled):
    with corundum.record() as record, corundum.use(exclude="gelu"):
        gelu()
    assert record["gelu"].fell_back
    assert all(reason for reason in record["gelu"].fell_back)


def test_info_is_json():
    facts = corundum.info()
    assert facts["version"] == corundum.__version__
    assert "cpu" in [backend["name"] for backend in facts["backends"]]
    json.dumps(facts)


def test_an_unknown_target_is_named():
    with pytest.raises(ValueError, match="sm_9000"):
        corundum.plan("sm_9000", [])


CASES = """
{"call": "torch.nn.functional.gelu", "args": [{"shape": [1000], "dtype": ["float32", "bfloat16"]}]}
{"call": "torch.softmax", "args": [{"shape": [8, 100]}, -1]}
{"call": "torch.nn.functional.layer_norm", "args": [{"shape": [8, 64]}, [64]]}
{"call": "torch.sum", "args": [{"shape": [30, 40]}], "kwargs": {"dim": 0}}
{"call": "torch.Tensor.contiguous", "args": [{"shape": [30, 40], "stride": [1, 30]}]}
{"call": "aten.add.Tensor", "args": [{"shape": [30, 40]}, {"shape": [40]}]}
"""


@pytest.fixture
def cases(tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text(CASES)
    return path


@pytest.mark.parametrize("target", ["sm_90", "avx2", "avx512"])
def test_planning_needs_no_device_and_launches_nothing(cases, target):
    plan = corundum.plan(target, cases)
    assert len(plan.kernels) >= 6
    assert len(set(plan.kernels)) == len(plan.kernels)
    for family in ("pointwise", "softmax", "layer_norm", "reduce"):
        assert any(family in kernel for kernel in plan.kernels), plan.kernels
    assert not any(row["enabled"] for row in corundum.ops())


SERVE = """
import json, torch, corundum
corundum.enable()
with corundum.record() as r:
    y = torch.nn.functional.gelu(torch.linspace(-4, 4, 1000))
counters = corundum.info()["counters"]
print(json.dumps([r["gelu"].served_count, counters["from_pack"], counters["compiled"]]))
"""


def test_a_pack_serves_where_nothing_may_compile(cases, tmp_path, capsys):
    backend = next(one for one in corundum.info()["backends"] if one["name"] == "cpu")
    target, pack = backend["devices"][0]["target"], tmp_path / "here.pack"
    assert main(["pack", "--target", target, "--cases", str(cases), "-o", str(pack), "--json", "--threads", "2"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert written["failed"] == 0
    assert written["kernels"] >= 6
    assert pack.stat().st_size >= written["bytes"] > 0
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "CORUNDUM_PACKS": str(pack),
            "CORUNDUM_JIT": "0",
            "CORUNDUM_CACHE_DIR": str(tmp_path / "empty"),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [1, 1, 0]


def test_the_cache_from_the_command(tmp_path):
    def run(*command):
        done = subprocess.run(
            [sys.executable, *command],
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
        return done.stdout

    compiled = json.loads(run("-c", SERVE).splitlines()[-1])
    again = json.loads(run("-c", SERVE).splitlines()[-1])
    assert (compiled, again) == ([1, 0, 1], [1, 0, 0])
    assert run("-m", "corundum", "cache", "path").strip() == str(tmp_path / "cache")
    assert json.loads(run("-m", "corundum", "cache", "stats", "--json"))["entries"] == 1
    assert json.loads(run("-m", "corundum", "cache", "verify", "--json"))["faulty"] == 0
    run("-m", "corundum", "cache", "prune", "--all")
    assert json.loads(run("-m", "corundum", "cache", "stats", "--json"))["entries"] == 0
