"""What the first call of a process costs: cold, from the disk, from a pack. Each in a child process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import corundum
from corundum.bench.cases import Entry

WAYS = ("cold", "disk", "pack")


def first_calls(entries: Sequence[Entry], device: str) -> dict[str, dict[str, Any]]:
    """By title {"first": {way: {"first_us", "second_us", "aten_first_us", "compiled", ...}}}, or {"error"}.

    The children run all cases one after the other, so a kernel that an earlier case had made costs a later one nothing: "compiled"
    says how many were made for this one. Three children in all, with an empty cache, the one that the first filled, and a pack.
    """
    target = _target(device)
    refused = {entry.title: why for entry in entries if (why := why_not_planned(entry, target))}
    planned = [entry for entry in entries if entry.title not in refused]
    sources = [entry.source for entry in planned]
    with tempfile.TemporaryDirectory(prefix="corundum-bench-") as folder:
        pack = Path(folder) / "cases.pack"
        corundum.pack(target, sources, pack)
        places = {"cold": ("warm", "", "1"), "disk": ("warm", "", "1"), "pack": ("empty", str(pack), "0")}
        answers = {way: _child(sources, device, Path(folder) / cache, packs, jit) for way, (cache, packs, jit) in places.items()}
    rows: dict[str, dict[str, Any]] = {title: {"first": {}, "first_error": why} for title, why in refused.items()}
    for number, entry in enumerate(planned):
        ways = {way: answers[way][number] for way in WAYS}
        failed = next((one["error"] for one in ways.values() if "error" in one), None)
        rows[entry.title] = {"first": {}, "first_error": failed} if failed else {"first": ways}
    return rows


def why_not_planned(entry: Entry, target: str) -> str | None:
    """Why the kernels of a case cannot be compiled ahead: ATen would get the call, or it waits for a value."""
    try:
        corundum.plan(target, [entry.source])
    except ValueError as error:
        return str(error).removeprefix("case 1: ")
    return None


def _target(device: str) -> str:
    """The instruction set of the first device of a backend."""
    backend = next(one for one in corundum.info()["backends"] if one["name"] == device)
    return str(backend["devices"][0]["target"])


def _child(sources: Sequence[dict[str, Any]], device: str, cache: Path, packs: str, jit: str) -> list[dict[str, Any]]:
    variables = {"CORUNDUM_CACHE_DIR": str(cache), "CORUNDUM_PACKS": packs, "CORUNDUM_JIT": jit, "CORUNDUM_ENABLE": ""}
    done = subprocess.run(
        [sys.executable, "-c", "from corundum.bench.first_call import main; main()", device],
        input=json.dumps(list(sources)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **variables},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"the child that times first calls failed: {done.stderr.strip().splitlines()[-1:]}")
    return list(json.loads(done.stdout.splitlines()[-1]))


# --- in the child -----------------------------------------------------------------------------------------------------------------


def main() -> None:
    """Reads cases from stdin, prints a list of results. Started with -c, so that no manifest of an earlier run is followed."""
    import torch

    device = sys.argv[1]
    corundum.enable()
    torch.ones(8, device=device)  # the device's own start
    print(json.dumps([_time(source, device) for source in json.loads(sys.stdin.read())]))


def _time(source: dict[str, Any], device: str) -> dict[str, Any]:
    import functools

    import torch

    from corundum._cases import read_cases
    from corundum.bench import cases
    from corundum.bench.measure import is_own, why_not

    (case,) = read_cases([source])
    try:
        function, args, kwargs = case.build(functools.partial(cases.real, device=device))
        settle = torch.cuda.synchronize if device == "cuda" else (lambda: None)
        with corundum.use(only=[]), torch.no_grad():
            aten = [_clocked(lambda: function(*args, **kwargs), settle) for _ in range(2)]
        before = corundum.info()["counters"]
        with torch.no_grad():
            first = _clocked(lambda: function(*args, **kwargs), settle)
            made = {name: count - before[name] for name, count in corundum.info()["counters"].items()}
            with corundum.record() as record:
                second = _clocked(lambda: function(*args, **kwargs), settle)
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        return {"error": (str(error).strip() or type(error).__name__).splitlines()[0]}
    if not is_own(record):
        return {"error": f"not covered: {why_not(record)}"}
    return {
        "first_us": first,
        "second_us": second,
        "aten_first_us": aten[0],
        **{name: made[name] for name in ("compiled", "from_disk", "from_pack")},
    }


def _clocked(run: Any, settle: Any) -> float:
    settle()
    begin = time.perf_counter()
    run()
    settle()
    return (time.perf_counter() - begin) * 1e6
