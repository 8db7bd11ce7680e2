"""Checks a carried build on a machine with an NVIDIA GPU: no compiler, no network, nothing to install but torch and pytest.

Usage: python tools/gpu_check.py [--pack FILE ...] [--json FILE] [-- pytest options]
Takes build/lib/libcorundum.so of this tree and the packs that are named (default: every *.pack in build/), runs the tests marked
`cuda`, and prints a summary. Exit status 1 when a test failed or was skipped: on this machine every one of them has to run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
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


def run_tests(env: dict[str, str], options: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "cuda", f"--junitxml={report}", "-p", "no:cacheprovider", *options]
        status = subprocess.run(command, cwd=ROOT, env=env).returncode
        if not report.exists():
            return {"status": status, "passed": 0, "failed": 1, "skipped": 0, "not_passed": ["pytest did not run"]}
        cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    return {
        "status": status,
        "passed": len(cases) - len(failed) - len(skipped),
        "failed": len(failed),
        "skipped": len(skipped),
        "not_passed": [f"{case.get('classname')}::{case.get('name')}" for case in failed + skipped],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pack", type=Path, action="append", default=[], help="a pack to look into (default: build/*.pack)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary to a file, too")
    parser.add_argument("pytest", nargs="*", help="options for pytest, after --")
    options = parser.parse_args()
    if not LIBRARY.is_file():
        sys.exit(f"there is no {LIBRARY}: build it (make build) and carry it here")
    packs = options.pack or sorted((ROOT / "build").glob("*.pack"))
    missing = [str(pack) for pack in packs if not pack.is_file()]
    if missing:
        sys.exit(f"there is no pack {missing[0]}")

    import torch

    if not torch.cuda.is_available():
        sys.exit("torch sees no GPU here")
    env = environment([pack.resolve() for pack in packs])
    summary: dict[str, Any] = {
        "torch": torch.__version__,
        "devices": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "packs": [pack.name for pack in packs],
        "corundum": machine(env),
        "tests": run_tests(env, options.pytest),
    }
    if options.json:
        options.json.write_text(json.dumps(summary, indent=2) + "\n")
    tests = summary["tests"]
    print(f"torch {summary['torch']} on {', '.join(summary['devices'])}; packs: {', '.join(summary['packs']) or 'none'}")
    for name in tests["not_passed"]:
        print(f"  did not pass: {name}")
    print(f"{tests['passed']} passed, {tests['failed']} failed, {tests['skipped']} skipped")
    return 1 if tests["status"] or tests["failed"] or tests["skipped"] or not tests["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
