"""The check under NVIDIA's compute-sanitizer, which sees what no result shows: reads out of bounds, races in shared memory."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

TOOLS = ["memcheck", "racecheck", "synccheck"]
"""Not initcheck: torch's allocator hands out memory that another stream has written, which it cannot know."""


def find() -> str | None:
    """The tool's path: on PATH, or in a CUDA toolkit."""
    homes = [os.environ.get("CUDA_HOME"), "/usr/local/cuda"]
    places = [Path(home, folder, "compute-sanitizer") for home in homes if home for folder in ("bin", "compute-sanitizer")]
    return shutil.which("compute-sanitizer") or next((str(place) for place in places if place.is_file()), None)


def sanitized(backend: str) -> int:
    """Runs this command without `--sanitize` under each of TOOLS. The exit status: 0 when no tool found anything, 2 without one."""
    tool = find()
    if backend != "cuda" or tool is None:
        why = "it is for --backend cuda" if backend != "cuda" else "compute-sanitizer is neither on PATH nor in a CUDA toolkit here"
        print(f"corundum check --sanitize: {why}", file=sys.stderr)
        return 2
    command = [sys.executable, "-m", "corundum", *(word for word in sys.argv[1:] if word != "--sanitize")]
    # Memory of its own for each tensor, so that a step over the end is one out of bounds.
    environment = {**os.environ, "PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    worst = 0
    for name in TOOLS:
        print(f"== {name}", flush=True)
        options = ["--tool", name, "--target-processes", "all", "--error-exitcode", "3", "--print-limit", "20"]
        worst = max(worst, subprocess.run([tool, *options, *command], env=environment).returncode)
    return worst
