"""Generates ``emoji.tsv``, the short Chinese names of emoji, from Unicode's CLDR.

Run ``python -m filters.tables.generate_emoji FOLDER`` and commit the result. FOLDER is the unpacked npm package
``cldr-annotations-full`` (48.2.0 was used). No Python package with CLDR's Chinese keywords was found, and the names
alone give 84 of the 690 emoji: hence the text file between, from which ``generate_views`` goes on without npm.
"""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any


def extract(cldr: Path) -> dict[str, tuple[str, ...]]:
    """Of the names and keywords that CLDR has for an emoji, those of one character."""
    content = json.loads((cldr / "annotations" / "zh" / "annotations.json").read_text(encoding="utf-8"))
    entries: dict[str, Any] = content["annotations"]["annotations"]
    table = {}
    for char, entry in entries.items():
        names = (*entry.get("tts", ()), *entry.get("default", ()))
        short = [name for name in names if len(name) == 1 and "\u4e00" <= name <= "\u9fff"]
        if len(char) == 1 and char > "\u2100" and short:
            table[char] = tuple(dict.fromkeys(short))
    return table


def read() -> dict[str, tuple[str, ...]]:
    """What ``extract`` found: emoji -> its names of one character."""
    rows = map(str.split, _file().read_text(encoding="utf-8").splitlines())
    return {char: tuple(names) for char, names in rows}


def _file() -> Path:
    return Path(str(resources.files("filters.tables") / "emoji.tsv"))


if __name__ == "__main__":
    lines = [f"{char}\t{''.join(names)}\n" for char, names in extract(Path(sys.argv[1])).items()]
    _file().write_text("".join(lines), encoding="utf-8")
