"""Names of operators: what a user may write, and what the library gets."""

import pytest

import corundum


def asked(library):
    """What the latest enable() wanted, but for the program's name."""
    arguments = library.last("enable")
    return {role: arguments[role] for role in ("only", "exclude")}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("add.Tensor", ["add.Tensor"]),
        ("add", ["add.Tensor", "add.out"]),
        ("aten::add.out", ["add.out"]),
        ("aten.add.out", ["add.out"]),
        ("gelu", ["gelu.default", "gelu.out"]),
        ("gelu.default", ["gelu.default"]),
        (["gelu", "add.out"], ["gelu.default", "gelu.out", "add.out"]),
        (("add.out", "add"), ["add.out", "add.Tensor"]),
        ("divide", ["mul.Tensor"]),
        ([], []),
        (None, None),
    ],
)
def test_only(library, written, meant):
    corundum.enable(only=written)
    assert asked(library) == {"only": meant, "exclude": None}


def test_both(library):
    corundum.enable(only="add", exclude="add.out")
    assert asked(library) == {"only": ["add.Tensor", "add.out"], "exclude": ["add.out"]}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("ad.Tensor", "only: Corundum has no operator 'ad.Tensor'; did you mean 'add.Tensor'"),
        ("softmax", "did you mean '_softmax'?"),
        ("add.Scalar", "'add.Scalar'; did you mean 'add"),
        ("zzzzzzzz", r"corundum.ops\(\) lists the names"),
        (["add", "gelo"], "no operator 'gelo'; did you mean 'gelu'"),
    ],
)
def test_unknown_name(library, written, message):
    with pytest.raises(ValueError, match=message):
        corundum.enable(only=written)
    assert "enable" not in library.commands()


@pytest.mark.parametrize("written", [3, [1], [None], {"add": 1}.values()])
def test_not_a_name(library, written):
    with pytest.raises(TypeError, match="exclude: expected the name of an operator"):
        corundum.enable(exclude=written)


def test_excluding_all_overloads_ignores_the_composites_among_them(library):
    library.answers["ops"]["ops"] = [
        *library.answers["ops"]["ops"],
        {**library.answers["ops"]["ops"][-1], "overload": "add.Scalar", "via": ["add.Tensor"]},
    ]
    corundum.enable(exclude="add")
    assert library.last("enable")["exclude"] == ["add.Tensor", "add.out"]


def test_excluding_a_composite_names_its_parts(library):
    with pytest.raises(ValueError, match=r"'divide' is a composite that runs mul.Tensor; exclude those"):
        corundum.enable(exclude="divide")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("wish.toml", 'only = ["add", "gelu.out"]\nexclude = "add.out"\n'),
        ("wish.yaml", "only: [add, gelu.out]\nexclude: add.out\n"),
        ("wish.yml", "only:\n  - add\n  - gelu.out\nexclude:\n  - add.out\n"),
    ],
)
def test_file(library, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    for given in (path, str(path)):
        corundum.enable(only=given)
        assert asked(library) == {"only": ["add.Tensor", "add.out", "gelu.out"], "exclude": ["add.out"]}


def test_file_with_exclude_alone(library, tmp_path):
    path = tmp_path / "wish.toml"
    path.write_text('exclude = ["gelu"]')
    for wish in ({"only": path}, {"exclude": path}):
        corundum.enable(**wish)
        assert asked(library) == {"only": None, "exclude": ["gelu.default", "gelu.out"]}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("wish.toml", "only = [", "not valid TOML"),
        ("wish.yaml", "only: [", "not valid YAML"),
        ("wish.yaml", "- add\n", "expected the keys 'only' and 'exclude', got list"),
        ("wish.toml", 'onyl = ["add"]', "unknown key 'onyl'"),
        ("wish.toml", "only = 3", "wish.toml: only: expected the name"),
    ],
)
def test_bad_file(library, tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        corundum.enable(only=path)


def test_missing_file(library, tmp_path):
    with pytest.raises(ValueError, match=r"cannot read the list of operators in .*none.toml: No such file"):
        corundum.enable(only=tmp_path / "none.toml")
    with pytest.raises(ValueError, match="expected a file that ends in .toml, .yaml, .yml"):
        corundum.enable(only=tmp_path / "none.ini")
