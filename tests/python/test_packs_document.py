"""The cases that docs/packs.md shows can be read and run."""

import re
from pathlib import Path

from corundum._cases import read_cases

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "packs.md"


def test_the_cases_in_the_document(tmp_path):
    (block,) = re.findall(r"^```json\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    path = tmp_path / "cases.jsonl"
    path.write_text(block)
    cases = list(read_cases(path))
    assert len(cases) == 5
    assert all(case.run().device.type == "meta" for case in cases)
