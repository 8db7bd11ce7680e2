"""Targets with lanes have the same primitives: whoever adds one to target_cuda.h adds it to the others."""

import re

import pytest
from tree import ROOT

LANG = ROOT / "src" / "lang"
# `COR_FN int name(` and its like, and what the emulator's macros declare: COR_ATOMIC(name, type, ...) and so on.
DECLARED = re.compile(r"^(?:\[\[noreturn\]\] )?COR_(?:FN|PRIMITIVE)\b[^;={(]*?(\w+)\(", re.MULTILINE)
ATOMIC = re.compile(r"^COR_ATOMIC\((\w+),", re.MULTILINE)
INDENTED = re.compile(r"^  COR_PRIMITIVE [\w ]+?(\w+)\(", re.MULTILINE)
# Asked for by a flag of Target, or given to every other target by lang/maths.h.
OPTIONAL = {"atomic_add_f16", "atomic_add_bf16", "exp2_fast", "maximum", "minimum", "larger"}
TEXTS = {
    "cuda": ["target_cuda.h"],
    "emulator": ["target_emulator.h", "target_host.h", "bits.h"],
    "hip": ["target_hip.h", "bits.h"],
}


def primitives(target):
    found = set()
    for name in TEXTS[target]:
        text = (LANG / name).read_text().split("namespace native")[0].replace("__attribute__((const)) ", "")
        for pattern in (DECLARED, ATOMIC, INDENTED):
            found |= set(pattern.findall(text))
    return found


def test_the_reading_itself():
    names = primitives("cuda")
    assert {"barrier", "shuffle_xor_word", "ballot", "atomic_add", "load_acquire", "async_wait", "in_block"} <= names
    assert len(names) > 40
    assert {"compare_and_swap", "store_release", "atomic_add", "half_to_float"} <= primitives("emulator")


@pytest.mark.parametrize("target", ["emulator", "hip"])
def test_targets_have_the_same_primitives(target):
    assert primitives("cuda") - OPTIONAL - primitives(target) == set()
