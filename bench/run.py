"""Times Corundum's kernels beside ATen's, interleaved in one run, and holds them to the bars of a case file.

Usage: python bench/run.py [--cases FILE] [--device cuda|cpu] [--threads 1 2] [--pairs 15] [--out FILE] [--filter TEXT]
A case counts only if our own kernel served it (the dispatch record says so). Copy means torch's copy_ moving the same number of
bytes. Each result is a JSON line with date, device, versions and commit.
"""

import argparse
import contextlib
import json
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "bench")]

import torch  # noqa: E402
from timing import SHORT_US, CudaTimer, geomean, host_times, ratio  # noqa: E402

import corundum  # noqa: E402
from corundum._cases import Case, read_cases  # noqa: E402
from corundum._facts import facts  # noqa: E402


def real_tensor(value: Any, device: str) -> Any:
    """Random data of a case's description, on the device."""
    if isinstance(value, list):
        return [real_tensor(one, device) for one in value]
    if isinstance(value, str) and value.startswith("torch."):
        return getattr(torch, value.removeprefix("torch."))
    if not isinstance(value, dict) or "shape" not in value:
        return value
    dtype, shape = getattr(torch, value["dtype"]), value["shape"]
    dense = torch.empty(shape, device="meta")
    stride = value.get("stride", dense.stride())
    count = 1 + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    flat = (
        torch.randn(count, device=device).to(dtype)
        if dtype.is_floating_point
        else torch.randint(-100, 100, (count,), device=device).to(dtype)
    )
    return flat.as_strided(shape, stride)


def tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [found for one in value for found in tensors(one)] if isinstance(value, (list, tuple)) else []


def own_only() -> Any:
    return contextlib.nullcontext()


def aten_only() -> Any:
    return corundum.use(only=[])


def measure(entry: dict[str, Any], case: Case, device: str, pairs: int, timer: CudaTimer | None) -> dict[str, Any]:
    args = [real_tensor(value, device) for value in case.args]
    kwargs = {name: real_tensor(value, device) for name, value in case.kwargs.items()}
    function: Any = torch
    for name in case.call.split(".")[1:]:
        function = getattr(function, name)

    def run() -> Any:
        return function(*args, **kwargs)

    with corundum.record() as record:
        result = run()
    fell_back = {call.overload: call.fell_back for call in record if call.fell_back}
    served = sum(call.served_count for call in record)
    if fell_back or not served:
        return {"error": f"not served by our kernel: {fell_back or [call.overload for call in record]}"}
    moved = sum(t.numel() * t.element_size() for t in tensors(args) + tensors(list(kwargs.values())) + tensors([result]))
    source = torch.empty(max(1, moved // 2), dtype=torch.uint8, device=device).random_(0, 255)
    target = torch.empty_like(source)
    runs, switch = [run, run, lambda: target.copy_(source)], [own_only, aten_only, aten_only]
    if entry["measure"] == "host":
        settle = torch.cuda.synchronize if device == "cuda" else (lambda: None)
        samples = host_times(runs[:2], switch[:2], pairs, 1000, settle)
    elif timer is not None:
        samples = timer.once(runs, switch, pairs)
        if min(statistics.median(own) for own in samples) < SHORT_US:
            samples = timer.graphs(runs, switch, pairs)
    else:
        with aten_only():
            probe = host_times([run], [own_only], 1, 1)[0][0]
        samples = host_times(runs, switch, pairs, max(1, int(20_000 / max(probe, 1.0))))
    found: dict[str, Any] = {
        "own_us": statistics.median(samples[0]),
        "aten_us": statistics.median(samples[1]),
        "aten": ratio(samples[1], samples[0]),
        "bytes": moved,
    }
    if entry["measure"] == "host":
        found["time"] = {"median": 1 / found["aten"]["median"], "low": 1 / found["aten"]["high"], "high": 1 / found["aten"]["low"]}
    else:
        found["copy"] = ratio(samples[2], samples[0])
        found["copy_us"] = statistics.median(samples[2])
        found["tb_per_s"] = moved / found["own_us"] / 1e6
    return found


def verdict(bars: dict[str, float], found: dict[str, Any]) -> dict[str, bool]:
    """A bar fails only if the whole interval lies on its wrong side. "time" is ours over theirs: smaller is better."""
    return {name: (found[name]["low"] <= bar if name == "time" else found[name]["high"] >= bar) for name, bar in bars.items()}


def describe(case: Case) -> str:
    parts = [
        f"{value['shape']} {value['dtype']}" + (" strided" if "stride" in value else "")
        for value in case.args
        if isinstance(value, dict)
    ]
    return "; ".join(parts[:2])


def run_group(entries: list[dict[str, Any]], options: argparse.Namespace, device: str, threads: int | None, sink: Any) -> bool:
    timer = CudaTimer() if device == "cuda" else None
    about, groups, good = facts(device), {}, True
    for entry in entries:
        for case in read_cases([entry["case"]]):
            found = measure(entry, case, device, options.pairs, timer)
            row = {**about, "threads": threads, "group": entry["group"], "case": describe(case), "call": case.call, **found}
            if "error" in found:
                passed, good = {"served": False}, False
            else:
                passed = verdict(entry["bars"], found)
                good = good and all(passed.values())
                groups.setdefault(entry["group"], (entry.get("geomean", {}), []))[1].append(found)
            sink({**row, "passed": passed})
    for group, (bars, rows) in groups.items():
        for name, bar in bars.items():
            value = geomean([row[name]["median"] for row in rows])
            good = good and value >= bar
            sink(
                {
                    **about,
                    "threads": threads,
                    "group": group,
                    "geomean": name,
                    "value": value,
                    "bar": bar,
                    "passed": {name: value >= bar},
                }
            )
    return good


def line(row: dict[str, Any]) -> str:
    head = f"{row['group']:20} {row.get('case', ''):58} "
    mark = "" if all(row["passed"].values()) else "  BELOW: " + ", ".join(name for name, ok in row["passed"].items() if not ok)
    if "error" in row:
        return head + row["error"] + mark
    if "geomean" in row:
        return f"{row['group']:20} geometric mean of {row['geomean']}: {row['value']:.2f} (bar {row['bar']}){mark}"
    numbers = f"{row['own_us']:9.1f} us  {row['aten']['median']:6.2f}x ATen"
    if "copy" in row:
        numbers += f"  {100 * row['copy']['median']:5.1f} % of copy"
    return head + numbers + (f"  {row['threads']} thread(s)" if row["threads"] else "") + mark


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=Path, default=ROOT / "bench" / "cases" / "house.jsonl")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2], help="CPU: numbers of threads to time with")
    parser.add_argument("--pairs", type=int, default=15, help="interleaved samples of each side, at least 15 for a verdict")
    parser.add_argument("--filter", default="", help="only groups whose name contains this")
    parser.add_argument("--out", type=Path, help="append the results to this file of JSON lines")
    parser.add_argument("--list-cases", action="store_true", help="print the cases as a case file of `corundum pack`, and stop")
    options = parser.parse_args()
    lines = [text for text in options.cases.read_text().splitlines() if text.strip() and not text.startswith("#")]
    entries = [entry for entry in map(json.loads, lines) if entry["device"] == options.device and options.filter in entry["group"]]
    if options.list_cases:
        print("\n".join(json.dumps(entry["case"]) for entry in entries))
        return 0
    corundum.enable()
    out = options.out.open("a") if options.out else None

    def sink(row: dict[str, Any]) -> None:
        print(line(row), flush=True)
        if out:
            out.write(json.dumps(row) + "\n")

    good = True
    for threads in options.threads if options.device == "cpu" else [None]:
        if threads:
            torch.set_num_threads(threads)
        good = run_group(entries, options, options.device, threads, sink) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
