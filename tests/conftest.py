import zlib

import pytest


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="whole products of dtypes and layouts, and tests marked slow")


def sampled(items):
    """Of each test marked `product` so many cases that every operator meets every dtype, and every other value every dtype.

    Which ones is fixed by the names of the cases, so that it is the same on every machine and a new case moves no old one.
    """
    seen, kept = set(), set()
    for item in sorted(items, key=lambda item: zlib.crc32(item.nodeid.encode())):
        parameters = item.callspec.params
        dtype = str(parameters.get("dtype", parameters.get("dtypes")))
        new = {(item.function, parameters["device"], key, str(value), dtype) for key, value in parameters.items()} - seen
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

    devices = torch.cuda.device_count()
    for item in marked:
        if devices == 0:
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU"))
        elif devices == 1 and item.get_closest_marker("two_gpus"):
            item.add_marker(pytest.mark.skip(reason="needs a second GPU"))
