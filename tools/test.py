"""Runs the C++ tests (ctest), then the Python tests (pytest), and closes with one line that adds both up.

Usage: python tools/test.py [--build build] [-- pytest options]. Exit status 1 when anything failed.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Tally:
    """Tests by outcome."""

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0

    def add(self, passed: int, failed: int, skipped: int, status: int, runner: str) -> None:
        if status and not failed:
            failed = 1  # the runner itself failed: nothing was built, or nothing was found
            print(f"{runner} ended with status {status}")
        self.passed, self.failed, self.skipped = self.passed + passed, self.failed + failed, self.skipped + skipped

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def run(command: list[str], **variables: str) -> tuple[int, str]:
    """Shows the output as it comes, and keeps it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "PYTHONUNBUFFERED": "1", **variables}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    kept = []
    assert process.stdout
    for line in process.stdout:
        print(line, end="", flush=True)
        kept.append(line)
    return process.wait(), "".join(kept)


def tool(name: str) -> str:
    """Of the environment that this Python belongs to."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else name


def run_ctest(build: str, full: bool, tally: Tally) -> None:
    jobs = str(os.cpu_count() or 1)
    command = [tool("ctest"), "--test-dir", build, "--output-on-failure", "--no-tests=error", "--parallel", jobs]
    status, output = run(command, CORUNDUM_TEST_FULL="1" if full else "0")
    # "100% tests passed out of 3", before CMake 4 "100% tests passed, 0 tests failed out of 3"
    found = re.search(r"tests passed(?:, (\d+) tests? failed)? out of (\d+)", output)
    failed, total = (int(found[1] or 0), int(found[2])) if found else (0, 0)
    skipped = len(re.findall(r"\*\*\*Skipped", output))
    tally.add(total - failed - skipped, failed, skipped, status, "ctest")


def run_pytest(options: list[str], tally: Tally) -> None:
    status, output = run([sys.executable, "-m", "pytest", *options])
    closing = output.strip().splitlines()[-1] if output.strip() else ""

    def count(*words: str) -> int:
        return sum(int(number) for number, word in re.findall(r"(\d+) (\w+)", closing) if word in words)

    tally.add(count("passed", "xfailed"), count("failed", "error", "errors", "xpassed"), count("skipped"), status, "pytest")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", default="build", help="the CMake build folder")
    parser.add_argument("pytest", nargs="*", help="options for pytest, after --")
    options = parser.parse_args()
    tally = Tally()
    run_ctest(options.build, "--full" in options.pytest, tally)
    run_pytest(options.pytest, tally)
    print(tally)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
