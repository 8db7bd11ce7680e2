"""Checks a carried build on a machine with an NVIDIA GPU: no compiler, no network, nothing to install but torch and pytest.

Usage: python tools/gpu_check.py --stamp  where the library was built: its results will say of which commit they are
       python tools/gpu_check.py [--pack FILE ...] [--out FOLDER] [--weights FILE] [--only PART,...] [-- pytest options]
Takes build/lib/libcorundum.so of this tree and the packs that are named (default: every *.pack in build/) and runs, each with its
full output in FOLDER:
  tests    the tests marked `cuda`, whole products and large tensors included; a skipped one counts as failed, unless it wants a
           second GPU that is not there
  backend  build/tests/test_backends, the C++ tests of the cuda backend
  language the C++ tests of the kernel language that are in build/tests, those on cuda
  bench    `corundum bench` on the case files that have bars, without compiling where a pack is there (CORUNDUM_JIT=0)
  jit      build/tests/jit_bench: from disk to ready, lookup
  check    `corundum check --full` on the CPU and on CUDA; cpu.jsonl and cuda.jsonl in FOLDER belong into docs/check. Goes on where
           an earlier run of the same commit stopped
  demo     examples/demo.py --device cuda, with the weights that examples/demo.py --export made
Prints a summary last. Exit status 1 when a test failed; the bench's bars are reported, not enforced.
"""

import argparse
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "build" / "lib" / "libcorundum.so"


def environment(packs: list[Path]) -> dict[str, str]:
    found = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    if packs:
        found["CORUNDUM_PACKS"] = os.pathsep.join(str(pack) for pack in packs)
    return found


def machine(env: dict[str, str]) -> dict[str, Any]:
    """What `corundum info` says, in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "corundum", "info", "--json"], env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the library does not load here: {done.stderr.strip()}")
    return json.loads(done.stdout)


def run_tests(env: dict[str, str], options: list[str], out: Path) -> dict[str, Any]:
    report = out / "tests.xml"
    command = [sys.executable, "-m", "pytest", "-m", "cuda", "--full", "-q", "-p", "no:cacheprovider"]
    command += [f"--junitxml={report}", *options]
    with (out / "tests.txt").open("w") as sink:
        subprocess.run(command, cwd=ROOT, env=env, stdout=sink, stderr=subprocess.STDOUT)
    if not report.exists():
        return {"passed": 0, "failed": 1, "skipped": 0, "not_passed": ["pytest did not run"]}
    cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skips = [(case, case.find("skipped")) for case in cases]
    skipped = [case for case, skip in skips if skip is not None]
    unexplained = [case for case, skip in skips if skip is not None and "second GPU" not in skip.get("message", "")]
    return {
        "passed": len(cases) - len(failed) - len(skipped),
        "failed": len(failed) + len(unexplained),
        "skipped": len(skipped),
        "not_passed": [f"{case.get('classname')}::{case.get('name')}" for case in failed + skipped],
    }


def run_tool(name: str, command: list[str], env: dict[str, str], out: Path, lines: int) -> int:
    """Runs a command with its output in a file, and prints the end of it."""
    log = out / f"{name}.txt"
    with log.open("w") as sink:
        status = subprocess.run(command, cwd=ROOT, env=env, stdout=sink, stderr=subprocess.STDOUT).returncode
    print(f"== {name}: exit status {status}")
    print("\n".join(log.read_text().splitlines()[-lines:]), flush=True)
    return status


def nvrtc_path() -> str:
    """The NVRTC that pip installed beside torch, for executables without torch in their process."""
    import nvidia

    found = [path for folder in nvidia.__path__ for path in Path(folder).glob("*/lib/libnvrtc.so.1[0-9]")]
    return str(found[0]) if found else ""


PARTS = ["tests", "backend", "language", "bench", "jit", "demo", "check"]
# Case files with bars; `operators` and `models` are asked for by name.
BARS = ["house", "language", "scan", "pointwise"]
LANGUAGE = ["test_conformance", "test_dot", "test_movers"]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pack", type=Path, action="append", default=[], help="a pack to look into (default: build/*.pack)")
    parser.add_argument("--stamp", action="store_true", help="write down of which commit the built library is, and stop")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gpu", help="folder for outputs and results")
    parser.add_argument("--weights", type=Path, help="weights of the demo, made by examples/demo.py --export")
    parser.add_argument("--only", default=",".join(PARTS), help=f"comma-separated parts of {', '.join(PARTS)}")
    parser.add_argument("--minutes", type=float, default=9, help="time for each device's check; the next call goes on (default: 9)")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="check only there")
    parser.add_argument("pytest", nargs="*", help="options for pytest, after --")
    options = parser.parse_args()
    if options.stamp:
        sys.path.insert(0, str(ROOT / "python"))
        from corundum._facts import stamp

        stamp()
        return 0
    parts = options.only.split(",")
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    if not LIBRARY.is_file():
        sys.exit(f"there is no {LIBRARY}: build it (make build) and carry it here")
    packs = options.pack or sorted((ROOT / "build").glob("*.pack"))
    if missing := [str(pack) for pack in packs if not pack.is_file()]:
        sys.exit(f"there is no pack {missing[0]}")

    import torch

    if not torch.cuda.is_available():
        sys.exit("torch sees no GPU here")
    options.out.mkdir(parents=True, exist_ok=True)
    env = environment([pack.resolve() for pack in packs])
    summary: dict[str, Any] = {
        "torch": torch.__version__,
        "devices": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "packs": [pack.name for pack in packs],
        "corundum": machine(env),
    }
    failed = False
    native = {**env, "CORUNDUM_NVRTC": nvrtc_path()}
    if "backend" in parts:
        failed |= run_tool("backend", [str(ROOT / "build/tests/test_backends")], native, options.out, 12) != 0
    if "language" in parts:
        for name in LANGUAGE:
            command = [str(ROOT / "build" / "tests" / name), "--gtest_filter=*/cuda", "--gtest_brief=1"]
            failed |= run_tool(name, command, native, options.out, 6) != 0
    if "jit" in parts:
        run_tool("jit", [str(ROOT / "build/tests/jit_bench")], native, options.out, 14)
    if "bench" in parts:
        bench_env = {**env, "CORUNDUM_JIT": "0"} if packs else env
        for cases in BARS:
            results = options.out / f"bench-{cases}.jsonl"
            command = [sys.executable, "-m", "corundum", "bench", "--device", "cuda", "--cases", cases, "-o", str(results)]
            run_tool(f"bench-{cases}", command, bench_env, options.out, 100)
    if "demo" in parts and options.weights:
        command = [sys.executable, "examples/demo.py", "--device", "cuda", "--weights", str(options.weights)]
        failed |= run_tool("demo", [*command, "--json", str(options.out / "demo.json")], env, options.out, 45) != 0
    if "check" in parts:
        for device in [options.device] if options.device else ["cpu", "cuda"]:
            command = [sys.executable, "-W", "ignore", "-m", "corundum", "check", "--full", "--backend", device, "--resume"]
            command += ["--jobs", str(max(1, (os.cpu_count() or 1) - 2)), "--coverage", "docs/coverage.md"]
            command += ["--minutes", str(options.minutes)]
            command += ["--output", str(options.out / f"check-{device}.jsonl"), "--summary", str(options.out / f"{device}.jsonl")]
            failed |= run_tool(f"check-{device}", command, env, options.out, 30) != 0
    if "tests" in parts:
        tests = summary["tests"] = run_tests(env, options.pytest, options.out)
        failed |= bool(tests["failed"] or not tests["passed"])
        for name in tests["not_passed"][:40]:
            print(f"  did not pass: {name}")
        print(f"{tests['passed']} passed, {tests['failed']} failed, {tests['skipped']} skipped")
    (options.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(f"torch {summary['torch']} on {', '.join(summary['devices'])}; packs: {', '.join(summary['packs']) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
