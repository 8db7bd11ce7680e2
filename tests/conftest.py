import pytest


def pytest_collection_modifyitems(items):
    """Tests marked `cuda` say so where there is no GPU; tools/gpu_check.py counts a skipped one as failed."""
    marked = [item for item in items if item.get_closest_marker("cuda")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU"))
