"""The door to libcorundum.so: one C function, JSON in and JSON out."""

import ctypes
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

import torch

_ERRORS: dict[str, type[Exception]] = {"value": ValueError, "type": TypeError, "runtime": RuntimeError}

# Takes a command and its arguments as JSON text, gives the answer as JSON text.
RawCall = Callable[[bytes, bytes], bytes]


class Operator(TypedDict):
    """One ATen overload that Corundum covers."""

    overload: str
    """ATen's name: "add.Tensor", or "gelu" for a default overload."""
    family: str
    """The folder of src/ops that holds it."""
    backends: list[str]
    dtypes: list[str]
    via: list[str]
    """For a composite that is covered through other overloads: these. Otherwise empty."""
    enabled: bool
    """Whether a call would reach Corundum now."""


def library_path() -> Path:
    """Where the library is: inside the installed package, or in the build folder of the source tree that holds this file."""
    package = Path(__file__).resolve().parent
    places = [package / "lib" / "libcorundum.so", package.parents[1] / "build" / "lib" / "libcorundum.so"]
    for place in places:
        if place.is_file():
            return place
    looked = " nor ".join(str(place) for place in places)
    raise RuntimeError(f"Corundum's library is not built: there is neither {looked}. In a source tree, run `make build`.")


@cache
def _raw_call() -> RawCall:
    path = library_path()
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise RuntimeError(
            f"cannot load {path} beside torch {torch.__version__}: {error}. "
            "Corundum is built for one version of torch: install or build it again with this one."
        ) from error
    library.corundum_call.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    library.corundum_call.restype = ctypes.c_void_p  # not c_char_p, which would lose the pointer to free
    library.corundum_free.argtypes = [ctypes.c_void_p]
    library.corundum_free.restype = None

    def call(command: bytes, arguments: bytes) -> bytes:
        answer = library.corundum_call(command, arguments)
        if not answer:
            raise RuntimeError(f"{command.decode()}: the library gave no answer")
        try:
            return ctypes.string_at(answer)
        finally:
            library.corundum_free(answer)

    return call


def _call(command: str, **arguments: Any) -> dict[str, Any]:
    """Runs one command of include/corundum/corundum.h. Raises ValueError, TypeError or RuntimeError, as its answer says."""
    answer: dict[str, Any] = json.loads(_raw_call()(command.encode(), json.dumps(arguments).encode()))
    if answer.pop("ok", False):
        return answer
    error = _ERRORS.get(answer.get("kind", "runtime"), RuntimeError)
    raise error(answer.get("error", f"{command}: failed without saying why"))
