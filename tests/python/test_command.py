"""The command: text for people, JSON for programs, a sentence and status 1 for errors."""

import json

import pytest

from corundum._command import main


def run(capsys, *arguments):
    status = main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def test_info(library, capsys):
    status, out, _ = run(capsys, "info")
    assert (status, out) == (0, "version: 0.1.0\npacks: -\nconfig:\n  jit: yes\n  cxx: -\n")
    assert json.loads(run(capsys, "info", "--json")[1])["config"]["jit"] is True


def test_ops(library, capsys):
    _, out, _ = run(capsys, "ops")
    assert out.splitlines()[2].split() == ["_softmax", "softmax", "cpu", "cuda", "float32", "float64"]
    assert out.splitlines()[-1] == "7 overloads"
    rows = json.loads(run(capsys, "ops", "--json")[1])
    assert rows[0]["dtypes"] == ["float32", "float64"]
    assert all({"overload", "family", "backends", "dtypes", "via"} <= set(row) for row in rows)


def test_cache(library, capsys):
    assert run(capsys, "cache", "path")[1] == "/somewhere/corundum\n"
    assert json.loads(run(capsys, "cache", "stats", "--json")[1])["entries"] == 3
    assert "bytes: 100\n" in run(capsys, "cache", "verify")[1]
    run(capsys, "cache", "prune", "--max-bytes", "2M")
    assert library.last("cache") == {"action": "prune", "max_bytes": 2 << 20}
    run(capsys, "cache", "prune", "--all")
    assert library.last("cache") == {"action": "prune", "max_bytes": 0}


@pytest.mark.parametrize("wrong", [["cache", "prune"], ["cache", "prune", "--max-bytes", "much"], ["pack"], [], ["nonsense"]])
def test_wrong_usage(library, capsys, wrong):
    with pytest.raises(SystemExit) as stopped:
        main(wrong)
    assert stopped.value.code == 2


def test_pack(library, capsys, tmp_path):
    cases = tmp_path / "cases.jsonl"
    cases.write_text('{"call": "torch.exp", "args": [{"shape": [3]}]}')
    wish = ["pack", "--target", "sm_90", "--cases", str(cases), "-o", "out.pack", "--threads", "2"]
    assert run(capsys, *wish)[:2] == (0, "out.pack: 1 kernels for sm_90, 9,000 bytes\n")
    library.answers["pack_write"].update(failed=1, errors=["pointwise/gelu: does not compile"])
    status, out, err = run(capsys, *wish, "--json")
    assert (status, json.loads(out)["failed"]) == (1, 1)
    assert "corundum: pointwise/gelu: does not compile\n" in err


def test_error(library, capsys):
    library.answers["info"] = {"ok": False, "kind": "runtime", "error": "the disk is on fire"}
    assert run(capsys, "info") == (1, "", "corundum: the disk is on fire\n")
    status, out, _ = run(capsys, "info", "--json")
    assert (status, json.loads(out)) == (1, {"error": "the disk is on fire"})
