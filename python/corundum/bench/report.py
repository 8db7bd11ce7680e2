"""Results as lines for people, and what they come to."""

from collections.abc import Iterator, Sequence
from typing import Any

from corundum.bench.cases import Entry
from corundum.bench.timing import geomean

Row = dict[str, Any]


def line(row: Row) -> str:
    """One result."""
    missed = [name for name, met in row.get("passed", {}).items() if not met]
    mark = f"  NOT MET: {', '.join(missed)}" if missed else ""
    if "geomean" in row:
        value = f"{row['value']:.2f}" if row["count"] else "-"
        sign = "at most" if row["geomean"] == "host" else "at least"
        bar = f" (bar: {sign} {row['bar']})" if row["bar"] is not None else ""
        return f"{_head(row)} geometric mean of {row['geomean']} over {row['count']} cases: {value}{bar}{mark}"
    head = f"{_head(row)} {row['title']:64}"
    if "error" in row:
        return f"{head} failed: {row['error']}{mark}"
    if "not_covered" in row:
        return f"{head} not covered: {row['not_covered']}{mark}"
    return head + "  ".join(_numbers(row)) + mark


def _head(row: Row) -> str:
    threads = f"{row['threads']} thread{'s' * (row['threads'] > 1)}" if row["threads"] else ""
    return f"{row['group']:24} {threads}".rstrip()


def _numbers(row: Row) -> Iterator[str]:
    if "own_us" in row:
        yield f"{row['own_us']['median']:9.1f} us  {_ratio(row['aten'])}x ATen  {100 * row['copy']['median']:5.1f} % of copy"
        yield f"{row['tb_per_s']:6.3f} TB/s"
    if "of_rate" in row:
        yield f"{row['tflop_per_s']:.1f} TFLOP/s, {100 * row['of_rate']:.0f} % of the rate"
    if "host_own_us" in row:
        yield f"host {row['host_own_us']['median']:.2f} us, {_ratio(row['host'])} of ATen's"
    if "own_peak_bytes" in row:
        yield f"peak {row['own_peak_bytes'] / 1e6:.2f} MB, ATen's {row['aten_peak_bytes'] / 1e6:.2f}"
    for way, one in row.get("first", {}).items():
        yield f"first call {way} {one['first_us'] / 1e3:.1f} ms"
    if "first_error" in row:
        yield f"first call not timed: {row['first_error']}"
    if not row.get("own", True):
        yield "served by ATen"


def _ratio(found: dict[str, float]) -> str:
    return f"{found['median']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


class Tally:
    """Counts bars as rows come, and knows the groups' means at the end."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.bars: list[bool] = []

    def add(self, row: Row) -> None:
        self.rows.append(row)
        self.bars += row["passed"].values()

    def groups(self, chosen: Sequence[Entry]) -> Iterator[Row]:
        """Geometric means by group and number of threads; one with a bar is missed while a case of its group is not covered."""
        bars = {(entry.file, entry.group): entry.geomean for entry in chosen}
        seen = dict.fromkeys((row["file"], row["group"], row["threads"]) for row in self.rows)
        for file, group, threads in seen:
            rows = [row for row in self.rows if (row["file"], row["group"], row["threads"]) == (file, group, threads)]
            for name in ("aten", "copy", "host"):
                values = [row[name]["median"] for row in rows if name in row]
                bar = bars[file, group].get(name)
                if not values and bar is None:
                    continue
                mean = geomean(values) if values else None
                passed = {}
                if bar is not None:
                    whole = mean is not None and len(values) == len(rows)
                    passed = {name: whole and (mean <= bar if name == "host" else mean >= bar)}
                    self.bars += passed.values()
                yield {
                    "file": file,
                    "group": group,
                    "threads": threads,
                    "geomean": name,
                    "count": len(values),
                    "value": mean,
                    "bar": bar,
                    "passed": passed,
                }

    @property
    def good(self) -> bool:
        return all(self.bars)

    def to_dict(self) -> dict[str, int]:
        failed = sum("error" in row for row in self.rows)
        own = sum(bool(row.get("own")) and "error" not in row for row in self.rows)
        return {
            "cases": len(self.rows),
            "own": own,
            "not_covered": len(self.rows) - own - failed,
            "failed": failed,
            "bars": len(self.bars),
            "met": sum(self.bars),
        }

    def summary(self) -> str:
        n = self.to_dict()
        bars = f"{n['met']} of {n['bars']} bars met" if self.bars else "no bars"
        return f"{n['cases']} cases: {n['own']} by our own kernels, {n['not_covered']} not covered, {n['failed']} failed; {bars}"
