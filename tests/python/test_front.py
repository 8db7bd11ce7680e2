"""The front door's own work, on the stand-in library."""

import pytest

import corundum


def test_enable_and_disable_say_how_many(library):
    assert corundum.enable() == 6
    assert library.last("enable").items() >= {"only": None, "exclude": None}.items()
    assert corundum.disable() == 6


def test_use_nests_and_gives_back_its_own_token(library):
    with corundum.use(only="gelu"):
        library.answers["use_push"] = {"ok": True, "token": 8}
        with corundum.use(exclude="add"):
            assert library.last("use_push") == {"only": None, "exclude": ["add.Tensor", "add.out"]}
        assert library.last("use_pop") == {"token": 8}
    assert library.last("use_pop") == {"token": 7}


def test_use_gives_back_after_an_error(library):
    with pytest.raises(KeyError), corundum.use():
        raise KeyError
    assert library.last("use_pop") == {"token": 7}


@pytest.mark.parametrize(("kind", "error"), [("value", ValueError), ("type", TypeError), ("runtime", RuntimeError)])
def test_errors_become_python_errors(library, kind, error):
    library.answers["disable"] = {"ok": False, "kind": kind, "error": "no such thing"}
    with pytest.raises(error, match="^no such thing$"):
        corundum.disable()


def test_ops_are_sorted(library):
    assert [row["overload"] for row in corundum.ops()] == sorted(row["overload"] for row in library.answers["ops"]["ops"])


def test_cache(library):
    assert corundum.cache.path() == "/somewhere/corundum"
    assert corundum.cache.stats()["entries"] == 3
    corundum.cache.verify()
    assert library.last("cache") == {"action": "verify"}
    corundum.cache.prune(1000)
    assert library.last("cache") == {"action": "prune", "max_bytes": 1000}
    with pytest.raises(ValueError, match="0 or more, got -1"):
        corundum.cache.prune(-1)
    with pytest.raises(TypeError, match="expected a number of bytes, got '1G'"):
        corundum.cache.prune("1G")
