"""The `corundum` command, also `python -m corundum`."""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one subcommand. Returns the exit status: 0, 1 for an error (a sentence on stderr), 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        status = int(options.run(options))
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `corundum ops | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, TypeError, RuntimeError) as error:
        if options.json:
            print(json.dumps({"error": str(error)}))
        print(f"corundum: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    json_option = argparse.ArgumentParser(add_help=False)
    json_option.add_argument("--json", action="store_true", help="print JSON")
    parser = argparse.ArgumentParser(prog="corundum", description="Portable operators for PyTorch.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    info = commands.add_parser("info", parents=[json_option], help="versions, devices, compilers, packs, cache, configuration")
    info.set_defaults(run=_info)

    ops = commands.add_parser("ops", parents=[json_option], help="the ATen overloads that Corundum covers")
    ops.set_defaults(run=_ops)

    cache = commands.add_parser("cache", help="the kernels on disk")
    actions = cache.add_subparsers(required=True, metavar="ACTION")
    for name, text in (
        ("stats", "how many kernels there are, and how large"),
        ("verify", "read every entry and remove the faulty ones"),
        ("prune", "remove the entries used longest ago"),
        ("path", "print the directory"),
    ):
        action = actions.add_parser(name, parents=[json_option], help=text)
        action.set_defaults(run=_cache, action=name)
        if name == "prune":
            keep = action.add_mutually_exclusive_group(required=True)
            keep.add_argument("--max-bytes", type=_size, metavar="SIZE", help="how much may remain: a number, or 500M, 2G")
            keep.add_argument("--all", action="store_const", const=0, dest="max_bytes", help="remove everything")

    pack = commands.add_parser("pack", parents=[json_option], help="compile the kernels of a list of cases for another machine")
    pack.add_argument("--target", required=True, help="instruction set: sm_90, avx2, avx512, ...")
    pack.add_argument("--cases", required=True, metavar="FILE", help="the calls, one JSON object a line (docs/packs.md)")
    pack.add_argument("-o", "--output", required=True, metavar="OUT", help="the pack to write")
    pack.add_argument("--threads", type=_count, help="compile on this many threads (default: one per processor)")
    pack.set_defaults(run=_pack)

    check = commands.add_parser("check", parents=[json_option], help="hold every overload against ATen")
    check.add_argument("--only", nargs="+", metavar="NAME", help="ATen names: add.Tensor, or add for all its overloads")
    check.add_argument("--family", nargs="+", metavar="NAME", help="families: see `corundum ops`")
    check.add_argument("--backend", choices=["cpu", "cuda"], default="cpu", help="where the tensors are (default: %(default)s)")
    check.add_argument("--dtype", nargs="+", metavar="NAME", help="dtypes: float32 bfloat16 ...")
    check.add_argument(
        "--mode", nargs="+", metavar="NAME", help="how calls are made: plain, backward, compile, ... (docs/check.md)"
    )
    check.add_argument("--sample", type=_count, default=12, metavar="N", help="calls an overload and dtype (default: %(default)s)")
    check.add_argument("--one-dtype", action="store_true", help="of each overload one dtype, another with each seed")
    breadth = check.add_mutually_exclusive_group()
    breadth.add_argument("--full", action="store_true", help="every size, layout, argument value and mode")
    breadth.add_argument("--product", action="store_true", help="every size with every layout and argument value: hours")
    check.add_argument("--huge", action="store_true", help="tensors of more than 2^31 elements, too, where the memory allows")
    check.add_argument("--no-op-db", action="store_true", help="without the samples of torch's op_db")
    check.add_argument("--seed", type=int, default=0, help="of the sample and of all numbers (default: %(default)s)")
    check.add_argument("-o", "--output", metavar="OUT", help="write a JSON line for each overload and dtype")
    check.add_argument("--resume", action="store_true", help="go on where OUT ends")
    check.add_argument("--summary", metavar="OUT", help="write a JSON line for each operator and dtype, to be committed")
    check.add_argument("--jobs", type=_count, default=1, metavar="N", help="processes (default: %(default)s)")
    check.add_argument("--minutes", type=float, metavar="N", help="begin nothing after so many minutes: --resume goes on")
    check.add_argument("--sanitize", action="store_true", help="under NVIDIA's compute-sanitizer (CUDA)")
    check.add_argument("--coverage", metavar="FILE", help="docs/coverage.md: falling back for another reason is a failure")
    check.set_defaults(run=_check)

    explain = commands.add_parser("explain", parents=[json_option], help="run a program and say who served each aten call, and why")
    explain.add_argument("-c", dest="code", metavar="CODE", help="Python text instead of a script")
    explain.add_argument("script", nargs="?", help="a Python script")
    explain.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    explain.set_defaults(run=_explain)

    _add_bench(commands.add_parser("bench", parents=[json_option], help="time our kernels beside ATen's (docs/bench.md)"))
    return parser


def _add_bench(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("--cases", nargs="+", default=["house"], metavar="NAME", help="case files, by name or path (default: house)")
    bench.add_argument("--device", choices=["cpu", "cuda"], help="default: cuda where there is one")
    bench.add_argument(
        "--threads", type=_count, nargs="+", default=[1, 2], metavar="N", help="CPU: numbers of threads to time with"
    )
    bench.add_argument("--filter", default="", metavar="TEXT", help="only groups or cases that contain this")
    bench.add_argument("--measure", nargs="+", choices=["device", "host", "memory", "first"], help="instead of what the files say")
    bench.add_argument("--pairs", type=_count, default=15, metavar="N", help="samples of each side at least (default: %(default)s)")
    bench.add_argument("--seconds", type=float, default=0.3, help="patience with a case that is noisy (default: %(default)s)")
    kind = bench.add_mutually_exclusive_group()
    kind.add_argument("--own", action="store_true", help="only what our own kernels serve counts (default)")
    kind.add_argument("--shipped", action="store_true", help="what users get, whoever serves it")
    bench.add_argument("-o", "--output", metavar="OUT", help="write a JSON line for each case")
    bench.add_argument("--resume", action="store_true", help="go on where OUT ends")
    bench.add_argument("--compare", nargs=2, metavar=("BEFORE", "AFTER"), help="say what got slower between two files of results")
    bench.add_argument("--list-cases", action="store_true", help="print the cases as a case file of `corundum pack`")
    bench.set_defaults(run=_bench)


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d+)([KMG]?)i?B?", text, re.IGNORECASE)
    if not found:
        raise argparse.ArgumentTypeError(f"expected a size such as 1000000, 500M or 2G, got {text!r}")
    return int(found[1]) * _UNITS[found[2].upper()]


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more, got {text!r}")
    return int(text)


def _info(options: argparse.Namespace) -> int:
    from corundum import info

    facts = info()
    print(json.dumps(facts, indent=2) if options.json else _outline(facts))
    return 0


def _ops(options: argparse.Namespace) -> int:
    from corundum import ops
    from corundum._record import table

    rows = ops()
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    lines = [("operator", "family", "backends", "dtypes", "via")]
    lines += [
        (row["overload"], row["family"], " ".join(row["backends"]), " ".join(row["dtypes"]), " ".join(row["via"])) for row in rows
    ]
    print(table(lines))
    print(f"{len(rows)} overloads")
    return 0


def _cache(options: argparse.Namespace) -> int:
    from corundum import cache

    if options.action == "path":
        print(json.dumps({"path": cache.path()}) if options.json else cache.path())
        return 0
    result = cache.prune(options.max_bytes) if options.action == "prune" else getattr(cache, options.action)()
    print(json.dumps(result, indent=2) if options.json else _outline(result))
    return 0


def _pack(options: argparse.Namespace) -> int:
    from corundum import plan

    with _bar("planning", "case") as planned:
        kernels = plan(options.target, options.cases, planned)
    with _bar("compiling", "kernel") as compiled:
        result = kernels.write(options.output, options.threads, compiled)
    if options.json:
        print(json.dumps(asdict(result), indent=2))
    else:
        print(f"{result.path}: {result.kernels} kernels for {result.target}, {result.bytes:,} bytes")
    for line in result.errors:
        print(f"corundum: {line}", file=sys.stderr)
    return 1 if result.failed else 0


def _check(options: argparse.Namespace) -> int:
    from corundum.check import Files, Wish, check
    from corundum.check.sanitize import sanitized

    if options.resume and not options.output:
        raise ValueError("--resume goes on with a file: name it with --output")
    if options.sanitize:
        return sanitized(options.backend)
    wish = Wish(
        names=options.only and tuple(options.only),
        families=options.family and tuple(options.family),
        dtypes=options.dtype and tuple(options.dtype),
        modes=options.mode and tuple(options.mode),
        device=options.backend,
        breadth="full" if options.full else "product" if options.product else "sample",
        sample=options.sample,
        one_dtype=options.one_dtype,
        seed=options.seed,
        op_db=not options.no_op_db,
        huge=options.huge,
        coverage=Path(options.coverage) if options.coverage else None,
    )
    files = Files(
        Path(options.output) if options.output else None, options.resume, Path(options.summary) if options.summary else None
    )
    with _bar("checking", "unit") as advance:
        good = check(wish, files, advance, options.json, options.jobs, options.minutes)
    return 0 if good else 1


def _explain(options: argparse.Namespace) -> int:
    from corundum._explain import explain_program

    if (options.code is None) == (options.script is None):
        raise ValueError("explain: name a script, or give Python text with -c")
    with redirect_stdout(sys.stderr) if options.json else nullcontext():  # the program's own output
        found, error = explain_program(options.code, options.script, options.arguments)
    print(found.to_json() if options.json else found)
    if error:
        print(f"corundum: the program ended with {error}", file=sys.stderr)
    return 1 if error else 0


def _bench(options: argparse.Namespace) -> int:
    from pathlib import Path

    import torch

    from corundum import bench
    from corundum.bench.timing import Patience

    if options.compare:
        found = bench.compare(*map(Path, options.compare))
        print(json.dumps(vars(found), indent=2) if options.json else found)
        return 0 if found.good else 1
    if options.resume and not options.output:
        raise ValueError("--resume goes on with a file: name it with --output")
    wish = bench.Wish(
        files=options.cases,
        device=options.device or ("cuda" if torch.cuda.is_available() else "cpu"),
        threads=options.threads,
        filter=options.filter,
        measures=options.measure,
        shipped=options.shipped,
        patience=Patience(pairs=options.pairs, seconds=options.seconds),
    )
    if options.list_cases:
        print("\n".join(bench.list_cases(wish)))
        return 0
    out = Path(options.output) if options.output else None
    with _bar("timing", "case") as advance:
        good = bench.bench(wish, out, options.resume, advance, options.json)
    return 0 if good else 1


@contextmanager
def _bar(title: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, when that is a terminal."""
    from tqdm import tqdm

    with tqdm(desc=title, unit=unit, disable=None, file=sys.stderr) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield advance


def _outline(value: Any, indent: str = "") -> str:
    """JSON data as indented lines, for people."""
    if not isinstance(value, dict):
        return f"{indent}{value}"
    lines = []
    for key, one in value.items():
        if isinstance(one, dict) and one:
            lines += [f"{indent}{key}:", _outline(one, indent + "  ")]
        elif isinstance(one, list) and one:
            lines.append(f"{indent}{key}:")
            for element in one:
                text = _outline(element, indent + "    ")
                lines.append(f"{indent}  - {text.lstrip()}")
        else:
            text = {True: "yes", False: "no", None: "-"}.get(one, one) if isinstance(one, (bool, type(None))) else one
            lines.append(f"{indent}{key}: {'-' if text in ('', [], {}) else text}")
    return "\n".join(lines)
