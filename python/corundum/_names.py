"""From what a user calls operators to the overloads that the library knows."""

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from corundum._library import Operator

# One ATen name, several, or the path of a TOML or YAML file with the keys `only` and `exclude`.
Names = str | os.PathLike[str] | Iterable[str] | None

_FILE_ENDINGS = (".toml", ".yaml", ".yml")


def resolve(only: Names, exclude: Names, operators: Iterable[Operator]) -> dict[str, list[str] | None]:
    """Turns what a user asked for into lists of overloads, None where nothing was asked.

    Raises ValueError for a name that no operator has (with the nearest that exist) and for a file that cannot be understood,
    TypeError for anything that is not a name or a list of names.
    """
    table = list(operators)
    only_names, exclude_names = _as_list(only, "only"), _as_list(exclude, "exclude")
    for role, value in (("only", only), ("exclude", exclude)):
        if not _is_file(value):
            continue
        from_file = read_file(Path(os.fspath(value)))  # type: ignore[arg-type]
        if role == "exclude" and from_file["only"] is not None:
            raise ValueError(f"{value} has a key 'only': pass the file as only=, which reads both keys")
        if role == "only":
            only_names = from_file["only"]
        elif exclude_names is None:
            exclude_names = []
        if from_file["exclude"] is not None:
            exclude_names = (exclude_names or []) + from_file["exclude"]
    return {"only": _expand(only_names, table, "only"), "exclude": _expand(exclude_names, table, "exclude")}


def read_file(path: Path) -> dict[str, list[str] | None]:
    """Reads the keys `only` and `exclude` of a TOML or YAML file. A missing key is None; any other key is an error."""
    if path.suffix not in _FILE_ENDINGS:
        raise ValueError(f"{path}: expected a file that ends in {', '.join(_FILE_ENDINGS)}")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"cannot read the list of operators in {path}: {error.strerror}") from error
    content = _parse_toml(path, text) if path.suffix == ".toml" else _parse_yaml(path, text)
    if not isinstance(content, Mapping):
        raise ValueError(f"{path}: expected the keys 'only' and 'exclude', got {type(content).__name__}")
    unknown = sorted(str(key) for key in content if key not in ("only", "exclude"))
    if unknown:
        raise ValueError(f"{path}: unknown key {unknown[0]!r}; the keys are 'only' and 'exclude'")
    try:
        return {key: _as_list(content.get(key), key) for key in ("only", "exclude")}
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from error


def _parse_toml(path: Path, text: str) -> Any:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from error


def _parse_yaml(path: Path, text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not valid YAML: {error}") from error


def _is_file(value: Names) -> bool:
    return isinstance(value, os.PathLike) or (isinstance(value, str) and value.endswith(_FILE_ENDINGS))


def _as_list(value: Any, role: str) -> list[str] | None:
    if value is None or _is_file(value):
        return None
    if isinstance(value, str):
        return [value]
    if isinstance(value, Iterable):
        names = list(value)
        if all(isinstance(name, str) for name in names):
            return names
    raise TypeError(f"{role}: expected the name of an operator, a list of names, or a path, got {value!r}")


def _expand(names: list[str] | None, table: list[Operator], role: str) -> list[str] | None:
    if names is None:
        return None
    chosen: dict[str, None] = {}  # a set that keeps the order
    for name in names:
        found = _matches(name, table, role)
        leaves = [operator["overload"] for operator in found if not operator["via"]]
        parts = [part for operator in found for part in operator["via"]]
        if role == "exclude" and not leaves:
            raise ValueError(f"exclude: {name!r} is a composite that runs {', '.join(dict.fromkeys(parts))}; exclude those")
        chosen.update(dict.fromkeys(leaves if role == "exclude" else leaves + parts))
    # The library, too, takes a plain "gelu" for all overloads.
    return [name if "." in name else f"{name}.default" for name in chosen]


def _matches(name: str, table: list[Operator], role: str) -> list[Operator]:
    plain = name.strip().removeprefix("aten::").removeprefix("aten.")
    exact = plain.removesuffix(".default")
    if exact != plain or "." in plain:  # one overload; "gelu.default" is torch's way to say the overload without a name
        found = [operator for operator in table if operator["overload"] == exact]
    else:
        found = [operator for operator in table if operator["overload"].split(".")[0] == plain]
    if found:
        return found
    known = {operator["overload"] for operator in table} | {operator["overload"].split(".")[0] for operator in table}
    near = difflib.get_close_matches(plain, sorted(known), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(repr(one) for one in near)}?" if near else "corundum.ops() lists the names."
    raise ValueError(f"{role}: Corundum has no operator {name!r}; {hint}")
