import pytest
from stand_in import StandIn


@pytest.fixture
def library(monkeypatch):
    """The stand-in, in the place of libcorundum.so."""
    from corundum import _front, _library

    stand_in = StandIn()
    monkeypatch.setattr(_library, "_raw_call", lambda: stand_in)
    monkeypatch.setattr(_front, "_enabled", False)  # and puts back what it was
    return stand_in
