"""Which aten operators ran, how often, and who served them."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from corundum import _kinds, _library


@dataclass(frozen=True)
class Call:
    """All calls of one overload within a record."""

    overload: str
    """ATen's name: "add.Tensor"."""
    count: int
    total_us: float
    """Host time in microseconds, calls that it made included. On a GPU that is the time to launch, not to finish."""
    served: dict[str, int]
    """How many calls each of Corundum's implementations served."""
    fell_back: dict[str, int]
    """How many calls went to the previous kernel, by reason."""
    composite: bool
    """It only calls other operators, which have entries of their own."""

    @property
    def served_count(self) -> int:
        return sum(self.served.values())

    @property
    def kind(self) -> _kinds.Kind:
        """ "compute", or why the call is none: "view", "metadata", "matmul", "composite"."""
        if self.served or self.fell_back:  # ours, also where ATen makes it of others
            return "compute"
        kind = _kinds.kind(self.overload)
        return "composite" if self.composite and kind == "compute" else kind

    @property
    def served_by(self) -> str:
        """Implementations, then the reasons of what fell back, in a line."""
        parts = [name if count == self.count else f"{name} ({count})" for name, count in self.served.items()]
        parts += [reason if count == self.count else f"{reason} ({count})" for reason, count in self.fell_back.items()]
        return "; ".join(parts) or ("its parts" if self.kind == "composite" else "ATen")


@dataclass
class Record:
    """What ran within `with corundum.record() as r:`. Filled when the block ends. `print(r)` shows a table."""

    calls: list[Call] = field(default_factory=list)
    """One entry an overload, most calls first."""

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)

    def __getitem__(self, overload: str) -> Call:
        """The entry of an overload. Raises KeyError when it was not called."""
        for call in self.calls:
            if call.overload == overload:
                return call
        raise KeyError(f"{overload!r} was not called within this record")

    @property
    def share_served(self) -> float:
        """The part of the calls that compute (no views, metadata, matrix products, composites) that Corundum served, 0 to 1."""
        compute = [call for call in self.calls if call.kind == "compute"]
        total = sum(call.count for call in compute)
        return sum(call.served_count for call in compute) / total if total else 1.0

    def to_json(self) -> str:
        """The same as JSON text: {"share_served", "calls": [{overload, count, total_us, served, fell_back, composite, kind}]}."""
        calls = [{**vars(call), "kind": call.kind} for call in self.calls]
        return json.dumps({"share_served": self.share_served, "calls": calls}, indent=2)

    def __str__(self) -> str:
        if not self.calls:
            return "no aten call was recorded"
        rows = [("operator", "calls", "ms", "kind", "served by")]
        rows += [(c.overload, str(c.count), f"{c.total_us / 1000:.2f}", c.kind, c.served_by) for c in self.calls]
        compute = sum(call.count for call in self.calls if call.kind == "compute")
        served = sum(call.served_count for call in self.calls if call.kind == "compute")
        return f"{table(rows, right={1, 2})}\nCorundum served {served} of {compute} calls that compute ({self.share_served:.1%})."

    __repr__ = __str__


@contextmanager
def record() -> Iterator[Record]:
    """Notes every aten call of this process within the block. Changes no dispatch; costs about a microsecond a call."""
    result = Record()
    token = _library._call("record_start")["token"]
    try:
        yield result
    finally:
        answer = _library._call("record_stop", token=token)
        result.calls = _entries(answer["calls"])


def _entries(calls: list[dict[str, Any]]) -> list[Call]:
    entries = [
        Call(
            overload=call["overload"].removeprefix("aten::"),
            count=call["count"],
            total_us=call["total_us"],
            served=call["served"],
            fell_back=call["fell_back"],
            composite=call["composite"],
        )
        for call in calls
    ]
    return sorted(entries, key=lambda call: (-call.count, call.overload))


def table(rows: Iterable[tuple[str, ...]], right: Iterable[int] = ()) -> str:
    """Rows as text in aligned columns, the first row as the heading; `right` names the columns of numbers."""
    lines, to_right = list(rows), set(right)
    widths = [max(len(row[column]) for row in lines) for column in range(len(lines[0]))]
    lines.insert(1, tuple("-" * width for width in widths))

    def cell(text: str, column: int) -> str:
        return text.rjust(widths[column]) if column in to_right else text.ljust(widths[column])

    return "\n".join("  ".join(cell(text, column) for column, text in enumerate(row)).rstrip() for row in lines)
