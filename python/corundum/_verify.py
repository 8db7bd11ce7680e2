"""Watching a live model: every call against ATen, and which operator breaks it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from corundum._front import ops, use
from corundum._record import record


@dataclass(frozen=True)
class Difference:
    """A call whose result was not ATen's."""

    overload: str
    call: int
    """The how-manieth aten call within the block it was, from 1."""
    message: str
    script: Path
    """A program that shows it; its tensors lie beside it, in a file of the same name that ends in .pt."""


class DifferenceError(AssertionError):
    """Raised by `verify()`. `difference` says more."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(f"{difference.overload}, call {difference.call}: {difference.message}\nshown by {difference.script}")
        self.difference = difference


@dataclass
class Verification:
    """What `verify()` did. Filled while the block runs."""

    checked: int = 0
    """Calls that Corundum served and ATen computed too."""
    differences: list[Difference] = field(default_factory=list)


@contextmanager
def verify(stop: bool = True, directory: str | Path = ".") -> Iterator[Verification]:
    """Within the block, every call of an operator that Corundum covers is also computed by ATen, and compared.

    Works after `enable()`, for the thread that entered the block, backward passes included. Raises DifferenceError at the first
    difference; with `stop=False` it only notes them. A difference writes two files into `directory`, a script and its tensors.
    Random operators are not compared. Slow, and every argument is copied: it is for finding faults.
    """
    result = Verification()
    with _Verify(result, stop, Path(directory)):
        yield result


class _Verify(TorchDispatchMode):
    def __init__(self, result: Verification, stop: bool, directory: Path) -> None:
        super().__init__()
        self._result, self._stop, self._directory = result, stop, directory
        self._calls = 0
        self._covered = {row["overload"] for row in ops()}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from corundum.check.driver import aten
        from corundum.check.tensors import Guarded

        kwargs = kwargs or {}
        self._calls += 1
        overload = func._schema.name.removeprefix("aten::") + (
            f".{func._schema.overload_name}" if func._schema.overload_name else ""
        )
        if overload not in self._covered or torch.Tag.nondeterministic_seeded in func.tags:
            return func(*args, **kwargs)
        with aten():
            before = Guarded().copy((args, kwargs))
            other_args, other_kwargs = Guarded().copy((args, kwargs))
            theirs = func(*other_args, **other_kwargs)
        with record() as calls:
            ours = _run(func, args, kwargs)
        if not any(call.served for call in calls):
            return ours
        self._result.checked += 1
        message = _compare(func, before, (ours, args, kwargs), (theirs, other_args, other_kwargs), overload)
        if message:
            difference = Difference(overload, self._calls, message, self._write(overload, before))
            self._result.differences.append(difference)
            if self._stop:
                raise DifferenceError(difference)
        return ours

    def _write(self, overload: str, before: Any) -> Path:
        base, _, name = overload.partition(".")
        path = self._directory / f"difference-{len(self._result.differences) + 1}-{overload}.py"
        self._directory.mkdir(parents=True, exist_ok=True)
        torch.save(before, path.with_suffix(".pt"))
        path.write_text(_SCRIPT.format(overload=overload, base=base, name=name or "default"))
        return path


_SCRIPT = '''"""A call of {overload} whose result was not ATen's."""
from pathlib import Path
import torch
import corundum

def run():
    args, kwargs = torch.load(Path(__file__).with_suffix(".pt"), weights_only=False)
    return torch.ops.aten.{base}.{name}(*args, **kwargs), args

theirs = run()
corundum.enable()
ours = run()
torch.testing.assert_close(ours, theirs, equal_nan=True)
'''


def _run(func: Any, args: Any, kwargs: Any) -> Any:
    return func(*args, **kwargs)


def _compare(func: Any, before: Any, ours: Any, theirs: Any, overload: str) -> str | None:
    """The results and the arguments, which may have been written. Only when they differ, the result in double precision is made."""
    from corundum.check.compare import is_exact, unlike
    from corundum.check.driver import aten, in_double

    with aten():
        exact = is_exact(overload)
        # Below autograd: gradients are calls of their own.
        ours, theirs = pytree.tree_map(lambda t: t.detach() if isinstance(t, torch.Tensor) else t, (ours, theirs))
        message = unlike(ours, theirs, None, exact)
        if message is None or exact:
            return message
        args, kwargs = in_double(before)
        try:
            return unlike(ours, theirs, (func(*args, **kwargs), args, kwargs), exact)
        except RuntimeError:  # it has no form in double precision
            return message


def bisect(run: Callable[[], Any], good: Callable[[Any], bool] | None = None) -> list[str]:
    """Finds the operators that break a model: the fewest overloads that Corundum must serve for `run()` to go wrong.

    `run` is called many times and must start from the same state each time. `good` says whether its result is right; without it,
    the result must be close to the one that ATen gives (`torch.testing.assert_close`). Works after `enable()`. Returns ATen names,
    mostly one; an empty list when nothing is wrong. Raises ValueError when the result is wrong without Corundum, too.
    """
    with use(only=[]):
        reference = run()

    def wrong(names: list[str]) -> bool:
        with use(only=names):
            result = run()
        return not (good(result) if good is not None else _close(result, reference))

    if wrong([]):
        raise ValueError("the result is wrong without Corundum, too (or differs from run to run): there is no operator to find")
    with record() as calls:
        run()
    suspects = sorted(_name(call.overload) for call in calls if call.served)
    return _fewest(suspects, wrong) if wrong(suspects) else []


def _name(overload: str) -> str:
    return overload if "." in overload else f"{overload}.default"


def _close(result: Any, reference: Any) -> bool:
    try:
        torch.testing.assert_close(pytree.tree_leaves(result), pytree.tree_leaves(reference), equal_nan=True)
    except AssertionError:
        return False
    return True


def _fewest(suspects: list[str], wrong: Callable[[list[str]], bool]) -> list[str]:
    """Delta debugging (Zeller and Hildebrandt, 2002): a part from which nothing can be left out."""
    parts = 2
    while len(suspects) > 1:
        size = -(-len(suspects) // parts)
        chunks = [suspects[k : k + size] for k in range(0, len(suspects), size)]
        rests = [[name for name in suspects if name not in chunk] for chunk in chunks]
        found = next((chunk for chunk in chunks if wrong(chunk)), None)
        if found is not None:
            suspects, parts = found, 2
            continue
        left = next((rest for rest in rests if len(chunks) > 2 and wrong(rest)), None)
        if left is not None:
            suspects, parts = left, max(parts - 1, 2)
        elif parts >= len(suspects):
            break
        else:
            parts = min(2 * parts, len(suspects))
    return suspects
