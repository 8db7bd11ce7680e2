import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("stand_in", Path(__file__).with_name("stand_in.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)


@pytest.fixture
def library(monkeypatch):
    """The stand-in, in the place of libcorundum.so."""
    from corundum import _library

    stand_in = _module.StandIn()
    monkeypatch.setattr(_library, "_raw_call", lambda: stand_in)
    return stand_in
