"""Tests of the torch room on the real library: built in build/, or installed."""

import pytest

import corundum


@pytest.fixture(scope="session")
def _enabled():
    corundum.enable()
    yield
    corundum.disable()


@pytest.fixture
def on(_enabled):
    """Corundum serves what it can; ATen's own results come from within `aten()`."""
    corundum.enable()  # again: a test may have switched it off
