"""The tables on which the views stand: that they are what their sources give, and that they say what is usual."""

from __future__ import annotations

import json
import unicodedata
import zlib
from importlib import resources
from pathlib import Path

import pytest

from filters.folding import Folding
from filters.tables import generate_emoji, generate_views, packed
from filters.views.components import Components
from filters.views.sounds import Sounds

same_unicode = pytest.mark.skipif(
    unicodedata.unidata_version != Folding.shipped().unicode_version,
    reason="this Python's Unicode data is of another version than the table's",
)


@pytest.mark.parametrize("name", ["sounds", "components", "words", pytest.param("leet", marks=same_unicode)])
def test_shipped_tables_are_what_the_script_generates(name: str) -> None:
    shipped = (resources.files("filters.tables") / f"{name}.bin").read_bytes()
    assert contents(packed.pack(name, generate_views.TABLES[name]())) == contents(shipped)


def contents(file: bytes) -> tuple[bytes, bytes]:
    """What is in a table's file, byte for byte; how zlib packs it is another matter with every build of zlib."""
    header, _, body = file.partition(b"\n")
    return header, zlib.decompress(body)


def test_every_generated_table_is_tested_here() -> None:
    assert set(generate_views.TABLES) == {"sounds", "components", "words", "leet"}


READINGS = {
    "大": ("da",),
    "能": ("neng",),
    "不": ("bu",),
    "都": ("dou", "du"),
    "的": ("de", "di"),
    "行": ("xing", "hang"),
    "女": ("nv",),
    "佛": ("fo", "fu"),
    "嗨": ("hai", "hei"),
    "洒": ("sa", "xi"),
    "帧": ("zhen", "zheng"),
    "地": ("di", "de"),
    "嗯": ("n", "ng", "en"),
    "4": ("si",),
    "1": ("yi", "yao"),
}


@pytest.mark.parametrize("char", READINGS)
def test_readings_are_those_in_use_the_most_usual_first(char: str) -> None:
    assert Sounds.shipped().readings[char] == READINGS[char]


def test_few_letters_of_running_text_have_several_readings() -> None:
    several = {char for char, readings in Sounds.shipped().readings.items() if len(readings) > 1}
    assert share_of_running_text(several) < 0.07


def test_few_letters_of_running_text_have_lookalikes() -> None:
    assert share_of_running_text(set(Components.shipped().lookalikes)) < 0.02


def test_a_character_looks_like_few_others() -> None:
    alike = Components.shipped().lookalikes.values()
    assert max(map(len, alike)) <= generate_views.MOST_ALIKE
    assert sum(map(len, alike)) < 2 * len(alike)


def test_what_sounds_alike_is_no_lookalike_besides() -> None:
    alike = Components.shipped().lookalikes
    assert "路" in alike["珞"]
    assert "洋" not in alike.get("佯", "")


def share_of_running_text(chars: set[str]) -> float:
    counts = generate_views.characters()
    return sum(counts[char] for char in chars) / counts.total()


def test_names_of_emoji_of_one_character_are_extracted(tmp_path: Path) -> None:
    entries = {
        "🐴": {"default": ["马", "马头", "动物"], "tts": ["马头"]},
        "🐶": {"default": ["狗", "脸"], "tts": ["狗"]},
        "👨‍🚒": {"default": ["火"], "tts": ["火"]},  # several code points
        "=": {"default": ["等"], "tts": ["等"]},  # no emoji
        "🦄": {"tts": ["独角兽"]},
    }
    folder = tmp_path / "annotations" / "zh"
    folder.mkdir(parents=True)
    file = json.dumps({"annotations": {"annotations": entries}})
    (folder / "annotations.json").write_text(file, encoding="utf-8")
    assert generate_emoji.extract(tmp_path) == {"🐴": ("马",), "🐶": ("狗", "脸")}


def test_emoji_have_their_names_in_the_shipped_table() -> None:
    assert Sounds.shipped().emoji["🐴"] == ("马",)
    assert generate_emoji.read() == Sounds.shipped().emoji


LEET = packed.shipped("leet", dict[str, str])


@pytest.mark.parametrize(
    ("char", "letters"),
    {"0": "o", "1": "il", "@": "a", "＠": "a", "$": "s", "|": "il", "∪": "u", "🅰": "a", "🇫": "f", "❶": "il"}.items(),
)
def test_symbols_stand_for_letters(char: str, letters: str) -> None:
    assert LEET[char] == letters


def test_leet_is_of_symbols_for_small_latin_letters() -> None:
    for char, letters in LEET.items():
        assert len(char) == 1
        assert not char.isascii() or not char.isalpha()
        assert letters == "".join(sorted(set(letters))) != ""
        assert letters.isascii()
        assert letters.islower()
        assert letters.isalpha()


@pytest.mark.parametrize(
    "source",
    ["CLDR", "confusables", "chaizi", "jieba", "OpenCC", "pypinyin", "pinyin-data", "pyspellchecker", "Unihan"],
)
def test_the_sources_of_the_tables_are_credited(source: str) -> None:
    notice = Path(__file__).parents[3] / "NOTICE"
    assert source in notice.read_text(encoding="utf-8")
