import zlib

import pytest


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="whole products of dtypes and layouts, and tests marked slow")


def sampled(items):
    """Of each test marked `product`, and in it of each operator: so many cases that every value of every parameter is seen.

    Which ones is fixed by the names of the cases, so that it is the same on every machine and a new case moves no old one.
    """
    seen, kept = set(), set()
    for item in sorted(items, key=lambda item: zlib.crc32(item.nodeid.encode())):
        parameters = item.callspec.params
        group = (item.function, parameters.get("name"), parameters.get("device"))
        new = {(group, key, str(value)) for key, value in parameters.items()} - seen
        if new:
            seen |= new
            kept.add(item)
    return kept


def pytest_collection_modifyitems(config, items):
    """Tests marked `cuda` say so where there is no GPU; tools/gpu_check.py counts a skipped one as failed."""
    if not config.getoption("--full"):
        kept = sampled([item for item in items if item.get_closest_marker("product")])
        left_out = [
            item for item in items if item.get_closest_marker("slow") or (item.get_closest_marker("product") and item not in kept)
        ]
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=left_out)
    marked = [item for item in items if item.get_closest_marker("cuda")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU"))
