"""Where and of what a result was measured: date, device, versions, commit."""

import datetime
import hashlib
import re
import subprocess
from pathlib import Path
from typing import Any

import torch

from corundum._library import library_path
from corundum._version import __version__

ROOT = Path(__file__).resolve().parents[2]
STAMP = ROOT / "build" / "commit"


def facts(device: str) -> dict[str, Any]:
    """What a line of results says of its origin; `device` is "cpu" or "cuda"."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name() if device == "cuda" else processor(),
        "torch": torch.__version__,
        "corundum": __version__,
        "commit": commit(),
    }


def processor() -> str:
    """The CPU's model name."""
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return names[0] if names else "unknown processor"


def commit() -> str:
    """The commit of the source tree that the library lies in; "unknown" where there is none, as in an installed package.

    A build that was carried away from its history brings `build/commit` with it (`stamp`).
    """
    if not (ROOT / "CMakeLists.txt").is_file():
        return "unknown"
    if STAMP.is_file():
        words = STAMP.read_text().split()
        if words[1:] == [_digest()]:
            return words[0]
    found = subprocess.run(["git", "rev-parse", "--verify", "--quiet", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def stamp() -> None:
    """Writes into `build/commit` of which commit the library is, and the library's digest: a later build is not of this stamp."""
    STAMP.unlink(missing_ok=True)
    STAMP.write_text(f"{commit()} {_digest()}\n")


def _digest() -> str:
    return hashlib.sha256(library_path().read_bytes()).hexdigest()
