"""Writes the files that a document's examples consist of: each block that begins with ```cpp title=PATH becomes PATH.

Usage: python tools/document_files.py DOCUMENT FOLDER. Prints the files' names; leaves files alone that are current.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^```\w+ title=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main() -> int:
    document, folder = Path(sys.argv[1]), Path(sys.argv[2])
    blocks = BLOCK.findall(document.read_text(encoding="utf-8"))
    if not blocks:
        print(f"{document}: no block has a title", file=sys.stderr)
        return 1
    for name, text in blocks:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
