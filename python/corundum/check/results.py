"""Results of `corundum check`: as lines that a run can go on from, as a summary to commit, and as a table for people."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from corundum._record import table
from corundum.check.compare import operator_of
from corundum.check.driver import OUTCOMES

Row = dict[str, Any]


def read(out: Path, about: Row) -> dict[str, Row]:
    """Rows by unit that stand in `out` and are of the same commit and seed; a line that was cut off counts for nothing."""
    if not out.is_file():
        return {}
    rows = [json.loads(line) for line in out.read_text().splitlines() if line.endswith("}")]
    return {row["unit"]: row for row in rows if (row["commit"], row["seed"]) == (about["commit"], about["seed"])}


def conclude(rows: Sequence[Row], overloads: Sequence[str], seed: int, as_json: bool) -> bool:
    """Prints what failed, what was not reached and how often each outcome came. True when all is well."""
    total: dict[str, Counter[str]] = {}
    failures: list[dict[str, str]] = []
    for row in rows:
        for mode, counts in row["modes"].items():
            total.setdefault(mode, Counter()).update(counts)
        failures += [{"unit": row["unit"], **failure} for failure in row["failures"]]
    missed = not_served(rows, overloads)
    if as_json:
        answer = {"passed": not failures and not missed, "modes": total, "failures": failures, "not_reached": missed}
        print(json.dumps({**answer, "seed": seed}, indent=2))
    else:
        _print(total, failures, missed, seed)
    return not failures and not missed


# For these reasons all calls of an overload, but on no elements, are ATen's on that device (docs/coverage.md).
ATENS_OWN = {
    "on a CPU these numbers are made by libm, by MKL or by ATen's own vector code",
    "on a CPU dropout is made of other operators",
}


def not_served(rows: Iterable[Row], overloads: Iterable[str]) -> list[str]:
    """The overloads that no call reached with a kernel of ours, but for those that are ATen's own to the last call."""
    served: set[str] = set()
    reasons: dict[str, set[str]] = {}
    for row in rows:
        served |= row["served"].keys()
        for overload, why in row["fell_back"].items():
            reasons.setdefault(overload, set()).update(why)
    return sorted(o for o in set(overloads) - served if not reasons.get(o, set()) & ATENS_OWN)


def _print(total: dict[str, Counter[str]], failures: list[dict[str, str]], missed: list[str], seed: int) -> None:
    for failure in failures:
        print(f"\nFAILED {failure['unit']}: {failure['case']}, mode {failure['mode']}\n  {failure['message']}")
        print("  " + failure["script"].replace("\n", "\n  "))
    everything = sum(total.values(), Counter())
    lines = [(mode, *(str(counts[o]) for o in OUTCOMES)) for mode, counts in {**total, "all": everything}.items()]
    print(table([("mode", *OUTCOMES), *lines], right=range(1, len(OUTCOMES) + 1)))
    if missed:
        print(f"{len(missed)} overloads were never served by a kernel of ours: {', '.join(missed)}", file=sys.stderr)
    passed = everything.total() - everything["failed"]
    print(f"{passed} passed, {len(failures)} failed, {len(missed)} overloads not reached; seed {seed}")


# --- the summary ------------------------------------------------------------------------------------------------------------------
# The first line says of what it is: facts(), the overloads that were registered, those that no kernel of ours served, the outcomes'
# names. Then a line for each operator (its forms together) and dtype, or operator of op_db: how often each overload was served and,
# by mode, how often each outcome came. Failures stand in their line in full.


def write_summary(path: Path, rows: Sequence[Row], about: Row, overloads: Sequence[str]) -> None:
    head = {**about, "outcomes": OUTCOMES, "overloads": sorted(overloads), "not_served": not_served(rows, overloads)}
    lines: dict[tuple[str, str], Row] = {}
    for row in rows:
        if not row["modes"] and not row["failures"]:
            continue  # of op_db, and calls nothing of ours
        name, dtype, _ = row["unit"].rsplit(" ", 2)
        of_op_db = name.startswith("op_db ")
        key = name if of_op_db else operator_of(name)
        empty = {"operator": key, "dtype": "", "served": Counter(), "modes": {}, "failures": []}
        line = lines.setdefault((key, "" if of_op_db else dtype), empty)
        line["dtype"] = " ".join(sorted({*line["dtype"].split(), dtype}))
        line["served"].update(row["served"])
        for mode, counts in row["modes"].items():
            line["modes"].setdefault(mode, Counter()).update(counts)
        line["failures"] += row["failures"]
    with path.open("w") as sink:
        for line in [head, *(_compact(line) for line in lines.values())]:
            sink.write(json.dumps(line, separators=(",", ":")) + "\n")


def _compact(line: Row) -> Row:
    modes = {mode: [counts[outcome] for outcome in OUTCOMES] for mode, counts in line["modes"].items()}
    return {name: value for name, value in {**line, "modes": modes}.items() if value}


def read_summary(path: Path) -> tuple[Row, list[Row]]:
    """The first line, and the others."""
    head, *lines = (json.loads(line) for line in path.read_text().splitlines())
    return head, lines
