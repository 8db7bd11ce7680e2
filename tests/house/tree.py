"""What the checks of the tree look at."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def files(*endings: str) -> list[Path]:
    """The repository's own files, those not yet committed included, that end in one of `endings` (all, if none is given).

    Outside a git checkout (an unpacked archive): every file but hidden ones and build folders.
    """
    if (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        found = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        parts = [(path, path.relative_to(ROOT).parts) for path in ROOT.rglob("*")]
        found = [path for path, names in parts if not any(name.startswith((".", "build")) for name in names)]
    return sorted(path for path in found if path.is_file() and (not endings or path.name.endswith(endings)))
