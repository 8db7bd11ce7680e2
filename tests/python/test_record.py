"""Records: entries, the table, the share served."""

import json

import pytest

import corundum

CALLS = [
    {"overload": "view", "count": 50, "total_us": 10.0, "served": {}, "fell_back": {}, "composite": False},
    {
        "overload": "add.Tensor",
        "count": 8,
        "total_us": 1500.0,
        "served": {"own": 6},
        "fell_back": {"sparse": 2},
        "composite": False,
    },
    {"overload": "aten::gelu", "count": 2, "total_us": 20.0, "served": {"own": 2}, "fell_back": {}, "composite": False},
    {"overload": "addmm", "count": 4, "total_us": 20.0, "served": {}, "fell_back": {}, "composite": False},
    {"overload": "linear", "count": 4, "total_us": 20.0, "served": {}, "fell_back": {}, "composite": True},
    {"overload": "softmax.int", "count": 1, "total_us": 20.0, "served": {}, "fell_back": {}, "composite": True},
    {"overload": "embedding", "count": 10, "total_us": 1.0, "served": {"own": 10}, "fell_back": {}, "composite": True},
    {"overload": "clone", "count": 3, "total_us": 20.0, "served": {}, "fell_back": {}, "composite": False},
]


@pytest.fixture
def entries(library):
    library.answers["record_stop"]["calls"] = CALLS
    with corundum.record() as record:
        assert len(record) == 0
    assert library.last("record_stop") == {"token": 3}
    return record


def test_entries(entries):
    assert [call.overload for call in entries][:3] == ["view", "embedding", "add.Tensor"]
    assert entries["gelu"].served == {"own": 2}
    assert entries["add.Tensor"].served_count == 6
    with pytest.raises(KeyError, match="'mul.Tensor' was not called"):
        entries["mul.Tensor"]


def test_kinds_and_share(entries):
    kinds = {call.overload: call.kind for call in entries}
    assert kinds == {
        "view": "view",
        "add.Tensor": "compute",
        "gelu": "compute",
        "addmm": "matmul",
        "linear": "matmul",
        "softmax.int": "composite",
        "embedding": "compute",
        "clone": "composite",
    }
    assert entries.share_served == 0.9


def test_table(entries):
    lines = str(entries).splitlines()
    assert lines[0].split() == ["operator", "calls", "ms", "kind", "served", "by"]
    assert any(line.split()[:3] == ["add.Tensor", "8", "1.50"] and line.endswith("own (6); sparse (2)") for line in lines)
    assert any(line.startswith("gelu") and line.endswith("  own") for line in lines)
    assert lines[-1] == "Corundum served 18 of 20 calls that compute (90.0%)."


def test_json(entries):
    content = json.loads(entries.to_json())
    assert content["share_served"] == 0.9
    assert content["calls"][2] == {**CALLS[1], "kind": "compute"}


def test_empty(library):
    with corundum.record() as record:
        pass
    assert str(record) == "no aten call was recorded"
    assert record.share_served == 1.0
