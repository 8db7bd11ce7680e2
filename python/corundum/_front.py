"""Switching Corundum on and off, and asking what it is."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from corundum import _library, _names
from corundum._names import Names


def enable(only: Names = None, exclude: Names = None) -> int:
    """Gives ATen's operators Corundum's kernels, in this whole process. Returns how many overloads it serves.

    `only` and `exclude` are ATen names ("add.Tensor", or "add" for all overloads of add), lists of names, or the path of a TOML or
    YAML file with the keys `only` and `exclude`. Called again, the new choice replaces the old one. Call it while no operator runs:
    at the start of the program.

    Kernels that this program used when it last ran are made ready in the background (programs are told apart by the path of their
    script, or the name of their module).

    Raises ValueError for an unknown name, RuntimeError when the library cannot be loaded.
    """
    global _enabled
    count = int(_library._call("enable", **_names.resolve(only, exclude, ops()), program=_program())["overloads"])
    _enabled = True
    return count


# Not what `ops()` says: within `use(only=[])` no operator is enabled, and Corundum is.
_enabled = False


@contextmanager
def enabled() -> Iterator[None]:
    """Enables Corundum within the block, when it is not."""
    was = _enabled
    if not was:
        enable()
    try:
        yield
    finally:
        if not was:
            disable()


def _program() -> str | None:
    """What tells this program from others: the name of the module it was started by, or its script's path. None for a prompt."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:
        return f"-m {spec.name}"
    script = sys.argv[0] if sys.argv else ""
    return os.path.abspath(script) if script not in ("", "-c", "-m") else None


def disable() -> int:
    """Puts back the kernels that `enable()` found, if it was called. Returns how many. Call it while no operator runs."""
    global _enabled
    _enabled = False
    return int(_library._call("disable")["restored"])


@contextmanager
def use(only: Names = None, exclude: Names = None) -> Iterator[None]:
    """Within the block, Corundum serves what `only` and `exclude` leave (names as in `enable()`); `use(only=[])` means nothing.

    Blocks nest; the innermost counts. The choice holds for the whole process, all threads included: it is a mask that every call
    reads, not a property of the thread that set it. Works after `enable()`.
    """
    # Nothing needs no table of operators: the checker asks for it at every call.
    nothing = isinstance(only, (list, tuple)) and not only and exclude is None
    chosen = {"only": [], "exclude": None} if nothing else _names.resolve(only, exclude, ops())
    token = _library._call("use_push", **chosen)["token"]
    try:
        yield
    finally:
        _library._call("use_pop", token=token)


def ops() -> list[_library.Operator]:
    """The overloads that Corundum covers, enabled or not, sorted by name."""
    rows = _library._call("ops")["ops"]
    return sorted(cast("list[_library.Operator]", rows), key=lambda row: row["overload"])


def info() -> dict[str, Any]:
    """Versions, backends with their devices and compilers, packs, cache, counters and configuration, as JSON data."""
    return _library._call("info")


def enable_as_environment_says(wish: str) -> None:
    """Serves CORUNDUM_ENABLE. A wish that cannot be met is a warning: `import torch` must not fail for it."""
    try:
        enable(None if wish == "1" else _existing_file(wish))
    except (ValueError, RuntimeError) as error:
        warnings.warn(f"CORUNDUM_ENABLE={wish}: {error} PyTorch runs without Corundum.", RuntimeWarning, stacklevel=2)


def _existing_file(wish: str) -> str:
    if not wish.endswith((".toml", ".yaml", ".yml")):
        raise ValueError("expected 1, or the path of a TOML or YAML file with the keys 'only' and 'exclude'.")
    return wish
