"""Two files of results of the same cases: what got slower."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corundum.bench.timing import geomean

Row = dict[str, Any]
TOLERANCE = 0.05
_KINDS = {"device": "own_us", "host": "host_own_us"}


@dataclass
class Comparison:
    """`print()` shows it."""

    means: dict[str, float] = field(default_factory=dict)
    """Geometric mean of the times after over those before, for device and host time."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many cases that is the mean of."""
    slower: list[dict[str, Any]] = field(default_factory=list)
    """By more than 5 %, and the intervals do not meet."""
    uncovered: list[str] = field(default_factory=list)
    """Served by our own kernels before, and no longer."""

    @property
    def good(self) -> bool:
        return not self.slower and not self.uncovered

    def __str__(self) -> str:
        lines = [
            f"slower: {one['case']}: {one['before_us']:.2f} -> {one['after_us']:.2f} us ({one['kind']} time)" for one in self.slower
        ]
        lines += [f"no longer covered: {case}" for case in self.uncovered]
        for kind, mean in self.means.items():
            lines.append(f"{kind} time: {self.counts[kind]} cases in both, geometric mean of after over before {mean:.4f}")
        return "\n".join(lines)


def compare(before: Path, after: Path) -> Comparison:
    """Raises ValueError when there is nothing to compare."""
    old, new = ({identity(row): row for row in read_results(path)} for path in (before, after))
    both = sorted(old.keys() & new.keys(), key=str)
    found = Comparison()
    for kind, key in _KINDS.items():
        measured = [one for one in both if key in old[one] and key in new[one]]
        if measured:
            found.counts[kind] = len(measured)
            found.means[kind] = geomean([new[one][key]["median"] / old[one][key]["median"] for one in measured])
        for one in measured:
            was, now = old[one][key], new[one][key]
            if now["median"] > (1 + TOLERANCE) * was["median"] and now["low"] > was["high"]:
                case = {"case": _name(one), "before_us": was["median"], "after_us": now["median"]}
                found.slower.append({**case, "kind": kind})
    found.uncovered = [_name(one) for one in both if old[one].get("own") and not new[one].get("own")]
    if not found.means and not found.uncovered:
        raise ValueError(f"{before} and {after} have no measured case in common")
    return found


def identity(row: Row) -> tuple[Any, ...]:
    """What tells a row from all others of a file of results."""
    return (row["file"], row["group"], row["title"], row["threads"])


def read_results(path: Path) -> list[Row]:
    """The cases of a file of results; a line that was cut off is left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"cannot read the results in {path}: {error.strerror}") from error
    return [row for row in map(json.loads, (text for text in lines if text.endswith("}"))) if "title" in row]


def _name(one: tuple[Any, ...]) -> str:
    _, group, title, threads = one
    return f"{group}: {title}" + (f", {threads} threads" if threads else "")
