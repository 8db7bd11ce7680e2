"""The kernel cache on disk. Deleting it is always safe: kernels are compiled again when they are next needed."""

from typing import Any

from corundum import _library


def path() -> str:
    """The directory of the cache."""
    return str(_library._call("cache", action="path")["path"])


def stats() -> dict[str, Any]:
    """Path, entries and bytes, in all and per instruction set; `refusal` says why the directory is not used, if so."""
    return _library._call("cache", action="stats")


def verify() -> dict[str, Any]:
    """Reads every entry, removes the faulty ones; `faulty` says how many there were."""
    return _library._call("cache", action="verify")


def prune(max_bytes: int = 0) -> dict[str, Any]:
    """Removes the entries used longest ago until at most `max_bytes` remain (0: all), and what killed processes left behind."""
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int):
        raise TypeError(f"prune: expected a number of bytes, got {max_bytes!r}")
    if max_bytes < 0:
        raise ValueError(f"prune: expected a number of bytes of 0 or more, got {max_bytes}")
    return _library._call("cache", action="prune", max_bytes=max_bytes)
