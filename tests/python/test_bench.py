"""The benchmark: its case files, how it counts and judges, and a short run of it on the real library."""

import json

import pytest
import torch

import corundum
from corundum import bench
from corundum._command import main
from corundum.bench import cases
from corundum.bench.compare import read_results
from corundum.bench.measure import is_own, why_not
from corundum.bench.report import Tally, line
from corundum.bench.timing import Patience, Side, collect, geomean, interval, ratio

# Wait for a value, which a tensor without memory does not have.
WAITING = ("torch.allclose", "aten.allclose.default", "aten.equal.default", "aten.masked_select.default")


@pytest.mark.parametrize("name", cases.names())
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_case_is_a_call_that_torch_takes(name, device):
    found = list(cases.read(cases.find(name), device))
    assert found
    titles = [(entry.group, entry.title) for entry in found]
    assert len(set(titles)) == len(titles)
    for entry in found:
        if entry.case.call not in WAITING:
            entry.case.run()


def test_the_bars_of_the_pointwise_operators_are_there():
    found = list(cases.read(cases.find("pointwise"), "cuda"))
    bars = {entry.group: (entry.bars, entry.geomean) for entry in found}
    assert bars["contiguous"] == ({"aten": 0.95}, {"aten": 1.0})
    assert bars["host"] == ({"host": 1.0}, {"host": 0.88})
    assert bars["transposing copies of 1 and 2 bytes"][0] == {"aten": 4.0, "copy": 0.85}
    assert {entry.case.args[0]["dtype"] for entry in found if entry.group == "contiguous"} >= {"float32", "bfloat16", "float16"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ('{"group": "a"}', "a line has the keys"),
        ('{"group": "a", "device": "tpu", "measure": [], "case": {}}', "cuda, cpu or any"),
        ('{"group": "a", "device": "cpu", "measure": ["speed"], "case": {}}', "must be a list of device"),
        ('{"group": "a", "device": "cpu", "measure": [], "bars": {"x": 1}, "case": {}}', "no bar 'x'"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, text, message):
    path = tmp_path / "wrong.jsonl"
    path.write_text("# a comment\n" + text)
    with pytest.raises(ValueError, match=message) as raised:
        list(cases.read(path, "cpu"))
    assert "wrong.jsonl:2" in str(raised.value)
    with pytest.raises(ValueError, match="there is no case file 'nonsense'"):
        cases.find("nonsense")


def test_real_tensors_are_as_described():
    made = cases.real({"shape": [4, 6], "dtype": "bfloat16", "stride": [1, 4], "offset": 3}, "cpu")
    assert (made.shape, made.stride(), made.storage_offset(), made.dtype) == ((4, 6), (1, 4), 3, torch.bfloat16)
    bounded = cases.real({"shape": [1000], "dtype": "int64", "range": [5, 8]}, "cpu")
    assert set(bounded.tolist()) == {5, 6, 7}
    assert cases.real({"shape": [100], "dtype": "int32"}, "cpu").min() > 0
    assert cases.real({"shape": [], "dtype": "bool"}, "cpu").dtype is torch.bool


@pytest.mark.parametrize(
    ("function", "args", "moved"),
    [
        (torch.add, [torch.ones(8, 4), torch.ones(4)], 4 * (32 + 4 + 32)),
        (torch.add, [torch.ones(8, 1).expand(8, 4), torch.ones(8, 4)], 4 * (8 + 32 + 32)),
        (torch.ops.aten.fill_.Scalar, [torch.ones(32), 1], 4 * 32),
        (torch.ops.aten.add_.Tensor, [torch.ones(32), torch.ones(32)], 4 * 96),
        (torch.ops.aten._foreach_add_.List, [[torch.ones(32)] * 2, [torch.ones(32)] * 2], 4 * 6 * 32),
        (torch.nn.functional.embedding, [torch.tensor([1, 2]), torch.ones(100, 4)], 2 * 4 * 8 + 16),
    ],
)
def test_bytes(function, args, moved):
    assert cases.bytes_moved(function, args, {}, function(*args)) == moved


def test_samples_are_taken_until_the_interval_is_narrow():
    rounds = []

    def noisy(pairs):
        rounds.append(pairs)
        return [[1.0] * pairs, [1.0 + number % 2 for number in range(pairs)]]

    samples = collect(noisy, Patience(pairs=15, most=40, seconds=60))
    assert (len(samples[0]), len(samples[1]), rounds) == (45, 45, [15, 15, 15])
    rounds.clear()
    collect(lambda pairs: (rounds.append(pairs), [[1.0] * pairs, [2.0] * pairs])[1], Patience(pairs=15))
    assert rounds == [15]


def test_statistics():
    found = interval([3.0, 1.0, 2.0, 2.0, 2.0])
    assert found["low"] <= found["median"] == 2.0 <= found["high"]
    assert ratio([4.0] * 9, [2.0] * 9) == {"median": 2.0, "low": 2.0, "high": 2.0}
    assert geomean([1.0, 4.0]) == pytest.approx(2.0)


def around(median):
    return {"median": median, "low": 0.9 * median, "high": 1.1 * median}


def test_a_bar_is_missed_when_the_whole_interval_is_on_its_wrong_side():
    bars = {"aten": 1.0, "copy": 0.9, "host": 0.8}
    assert bench.verdict(bars, {"aten": around(0.95), "copy": around(0.8), "host": around(0.85)}) == {
        "aten": True,
        "copy": False,
        "host": True,
    }
    assert bench.verdict({"host": 0.8}, {"host": around(0.95)}) == {"host": False}
    assert bench.verdict({"aten": 1.0}, {"not_covered": "mm: no kernel of ours"}) == {"aten": False}


def row(title, median, group="g", **more):
    return {"file": "f", "group": group, "title": title, "threads": None, "own": True, "aten": around(median), "passed": {}, **more}


def entry(bars):
    return cases.Entry("f", "g", ("device",), {}, bars, None, {})


def test_a_mean_of_a_group_with_a_gap_is_not_met():
    tally = Tally()
    for one in (row("a", 1.0), row("b", 4.0)):
        tally.add(one)
    (mean,) = tally.groups([entry({"aten": 1.9})])
    assert (mean["value"], mean["passed"]) == (pytest.approx(2.0), {"aten": True})
    assert tally.good
    tally.add({"file": "f", "group": "g", "title": "c", "threads": None, "own": False, "not_covered": "x", "passed": {}})
    (mean,) = tally.groups([entry({"aten": 1.9})])
    assert mean["passed"] == {"aten": False}
    assert "NOT MET: aten" in line({**mean, "title": ""})
    assert tally.to_dict()["not_covered"] == 1
    assert not tally.good


def results(path, **times):
    rows = [
        {"file": "f", "group": "g", "title": title, "threads": None, "own": us is not None}
        | ({"own_us": {"median": us, "low": 0.99 * us, "high": 1.01 * us}} if us is not None else {"not_covered": "x"})
        for title, us in times.items()
    ]
    path.write_text("\n".join(json.dumps(one) for one in rows) + '\n{"title": "cut of')
    return path


def test_compare_names_what_got_slower(tmp_path, capsys):
    before = results(tmp_path / "a.jsonl", same=10.0, slower=10.0, gone=10.0, old=1.0)
    after = results(tmp_path / "b.jsonl", same=10.1, slower=12.0, gone=None, new=1.0)
    found = bench.compare(before, after)
    assert [one["case"] for one in found.slower] == ["g: slower"]
    assert found.uncovered == ["g: gone"]
    assert found.means["device"] == pytest.approx((1.01 * 1.2) ** 0.5)
    assert main(["bench", "--compare", str(before), str(after)]) == 1
    assert "slower: g: slower: 10.00 -> 12.00 us (device time)" in capsys.readouterr().out
    assert main(["bench", "--compare", str(before), str(before)]) == 0
    with pytest.raises(ValueError, match="no measured case in common"):
        bench.compare(before, results(tmp_path / "c.jsonl", other=1.0))


TANH = {"call": "torch.tanh", "args": [{"shape": [[64, 64], [100, 100]]}]}
CASES = [
    {
        "group": "own",
        "device": "cpu",
        "measure": ["device", "host", "memory"],
        "bars": {"aten": 1e-6, "host": 1e6},
        "geomean": {"aten": 1e-6},
        "case": TANH,
    },
    *(
        {
            "group": group,
            "device": "any",
            "measure": ["device"],
            "case": {"call": "torch.mm", "args": [{"shape": [32, 32]}, {"shape": [rows, 32]}]},
        }
        for group, rows in (("product", 32), ("invalid", 3))
    ),
    {"group": "elsewhere", "device": "cuda", "measure": ["device"], "case": TANH},
]


@pytest.fixture
def few(tmp_path):
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(map(json.dumps, CASES)))
    yield path
    corundum.disable()


def test_a_run(few, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    wish = ["bench", "--cases", str(few), "--device", "cpu", "--threads", "1", "--seconds", "0", "-o", str(out)]
    assert main(wish) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "4 cases: 2 by our own kernels, 1 not covered, 1 failed; 5 of 5 bars met"
    rows = [json.loads(text) for text in out.read_text().splitlines()]
    first = rows[0]
    assert first["served_by"] == {"tanh": "corundum"}
    assert first["pairs"] >= 15
    assert first["own_us"]["low"] <= first["own_us"]["median"] <= first["own_us"]["high"]
    assert first["own_peak_bytes"] == first["aten_peak_bytes"] == 64 * 64 * 4
    assert {"date", "device", "clocks", "torch", "commit", "threads", "host", "copy", "tb_per_s"} <= set(first)
    assert rows[2]["not_covered"] == "mm: no kernel of ours"
    assert "cannot be multiplied" in rows[3]["error"]
    # Again, from the file: what stands there is not measured once more, whatever it says.
    out.write_text(json.dumps({**first, "own_us": around(123456.0)}) + "\n")
    assert main([*wish, "--resume", "--filter", "tanh(float32[64"]) == 0
    assert "123456.0 us" in capsys.readouterr().out
    assert len(read_results(out)) == 1


def test_shipped_times_what_atens_kernels_serve(few, capsys):
    wish = ["bench", "--cases", str(few), "--device", "cpu", "--threads", "1", "--seconds", "0", "--shipped", "--filter", "product"]
    assert main([*wish, "--json"]) == 0
    found, *_, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert (found["own"], last["not_covered"]) == (False, 1)
    assert found["served_by"] == {"mm": "ATen"}
    assert found["tflop_per_s"] > 0
    assert found["of_rate"] > 0


def test_first_calls(few, capsys):
    wish = ["bench", "--cases", str(few), "--device", "cpu", "--threads", "1", "--measure", "first", "--filter", "tanh", "--json"]
    assert main(wish) == 0
    first, second = (json.loads(text)["first"] for text in capsys.readouterr().out.splitlines()[:2])
    made = {way: [first[way][name] for name in ("compiled", "from_disk", "from_pack")] for way in first}
    assert made == {"cold": [1, 0, 0], "disk": [0, 1, 0], "pack": [0, 0, 1]}
    assert first["cold"]["first_us"] > first["disk"]["first_us"]
    assert second["cold"]["compiled"] == 0  # the same kernel


def test_a_list_for_packs(few, tmp_path, capsys):
    assert main(["bench", "--cases", str(few), "--device", "cpu", "--list-cases"]) == 0
    text = capsys.readouterr().out
    assert "mm(float32[32, 32], float32[3, 32]): torch.mm" in next(one for one in text.splitlines() if one.startswith("#"))
    listed = tmp_path / "listed.jsonl"
    listed.write_text(text)
    assert len(corundum.plan("sm_90", listed).kernels) == 1


def test_the_record_decides_what_counts(few):
    corundum.enable()
    x = torch.ones(8, 8)
    with corundum.record() as own:
        torch.tanh(x)
    with corundum.record() as mixed:
        torch.tanh(x @ x)
    with corundum.record() as switched, corundum.use(exclude="tanh"):
        torch.tanh(x)
    assert is_own(own)
    assert not is_own(mixed)
    assert why_not(mixed) == "mm: no kernel of ours"
    assert (is_own(switched), why_not(switched)) == (False, "tanh: switched off")


def test_a_side_holds_its_mask(few):
    corundum.enable()
    with corundum.record() as record:
        for own in (True, False):
            with Side(lambda: None, own).mask():
                torch.tanh(torch.ones(3))
    assert (record["tanh"].served, record["tanh"].fell_back) == ({"corundum": 1}, {"switched off": 1})


@pytest.mark.cuda
def test_two_runs_agree(tmp_path):
    path = tmp_path / "sample.jsonl"
    path.write_text(
        '{"group": "a", "device": "cuda", "measure": ["device"], "case": {"call": ["torch.tanh", "torch.exp", "torch.neg"], '
        '"args": [{"shape": [[64, 64], [1024, 1024], [4096, 4096]], "dtype": ["float32", "bfloat16"]}]}}\n'
    )
    files = [tmp_path / "1.jsonl", tmp_path / "2.jsonl"]
    for out in files:
        bench.bench(bench.Wish([str(path)], "cuda", shipped=True), out)
    corundum.disable()
    assert bench.compare(*files).means["device"] == pytest.approx(1.0, abs=0.03)
