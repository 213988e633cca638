"""Every source that data and cases cite is in `data/sources.toml`, and none is there unused."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cases import FOLDER, ROOT

DATA = ROOT / "data"
LISTED = tomllib.loads((DATA / "sources.toml").read_text("utf-8"))
BASIS = LISTED.pop("basis")
NEVER = 0
CITING = {"cite", "source"}
# what is a source whatever the words around it: a repository, an address, a document, a kind of text
NAMES = re.compile(
    r"[a-z][\w-]+/(?=[\w-]*[a-z]{3})[\w.-]+|https?://\S+|\w*〔\d{4}〕\d+号|《[^》]+》"
    r"|\b(?:blog|manual|measures|news|newspaper|regulation|release|report)s?\b"
    r"|\b(?:act|law|list|notice|rule)s? (?:of|from) \d{4}|\b\d{4} (?:act|law|list|notice|rule)s?\b"
)
LETTERS = re.compile(r"\[([A-Z]+)\]")


class Citation(NamedTuple):
    """A citation, and the file it stands in."""

    file: str
    text: str


class Sources:
    """The list of sources, asked which of them a text names."""

    def __init__(self, listed: dict[str, Any]) -> None:
        self.listed = listed
        self.tags: dict[str, set[str]] = {}
        for tag, source in listed.items():
            for words in source["cited_as"]:
                self.tags.setdefault(words.casefold(), set()).add(tag)
        longest_first = sorted(self.tags, key=len, reverse=True)
        self.words = re.compile("|".join(map(re.escape, longest_first)))

    def named(self, text: str) -> set[str]:
        """The words of a text by which it names sources that are listed."""
        return set(self.words.findall(text.casefold()))

    def unknown(self, text: str) -> list[str]:
        """What a citation names that is not listed; the whole of it where it names no source at all."""
        left = self.words.sub(" ", text.casefold())
        letters = LETTERS.findall(text)
        found = [*NAMES.findall(left), *(each for each in letters if each not in BASIS)]
        return found if found or letters or self.named(text) else [text]


def citations(*folders: Path) -> Iterator[Citation]:
    """Every `cite` and `source` of the TOML files below some folders."""
    for path in sorted(path for folder in folders for path in folder.rglob("*.toml")):
        if path.name != "sources.toml":
            for text in cited(tomllib.loads(path.read_text("utf-8"))):
                yield Citation(path.relative_to(ROOT).as_posix(), text)


def cited(node: Any) -> Iterator[str]:
    """The citations below a node of a TOML file."""
    if isinstance(node, list):
        for each in node:
            yield from cited(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in CITING:
                yield value
            else:
                yield from cited(value)


SOURCES = Sources(LISTED)
ALL = list(citations(DATA, FOLDER))


def test_every_source_cited_is_listed() -> None:
    """Each part of each citation names a source, and no name in it is unknown."""
    assert len(ALL) > 400
    lacks = {f"{each.file}: {lack}" for each in ALL for lack in SOURCES.unknown(each.text)}
    assert sorted(lacks) == []


def test_every_source_listed_is_cited() -> None:
    """No source, and no way of citing one, that nothing uses."""
    used = {words for each in ALL for words in SOURCES.named(each.text)}
    assert sorted(SOURCES.tags.keys() - used) == []
    assert {tag for words in used for tag in SOURCES.tags[words]} == LISTED.keys()
    assert {each for cite in ALL for each in LETTERS.findall(cite.text)} == BASIS.keys()


@pytest.mark.parametrize("tag", LISTED)
def test_a_source_says_what_it_is(tag: str) -> None:
    """Title, publisher, date, where, when last looked at; of what nobody saw, how it is known."""
    source = LISTED[tag]
    wanted = {"title", "publisher", "date", "where", "looked_at", "cited_as"}
    assert wanted <= source.keys() <= wanted | {"note"}
    assert all(source[name].strip() for name in wanted - {"looked_at", "cited_as"})
    assert re.match(r"(19|20)\d\d(-\d\d(-\d\d)?)?\b", source["date"])
    looked_at = source["looked_at"]
    assert looked_at == NEVER or type(looked_at) is date
    assert looked_at != NEVER or source["note"]


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("Measures art. 5(7)", []),
        ("Measures art. 5(7): the tax law of 2031", ["law of 2031"]),
        ("Measures 2031, art. 5(7)", ["measures"]),
        ("Trial measures art. 5(1); a blog", ["blog"]),
        ("Data contract 4; github somebody/points", ["somebody/points"]),
        ("Release of 2020-07-16, Q&A 3, and 京政发〔2031〕1号", ["京政发〔2031〕1号"]),
        (
            "《北京市积分落户管理办法》京政办发〔2031〕9号",
            ["《北京市积分落户管理办法》", "京政办发〔2031〕9号"],
        ),
        ("2020 list, as https://example.org/list keeps it", ["https://example.org/list"]),
        ("DRC release 2020-07-16 Q3/Q9; [GOV]+[OLD]", ["OLD"]),
        ("somebody said so", ["somebody said so"]),
        ("", [""]),
        ("by the calendar; [INF]", []),
    ],
)
def test_a_source_that_is_not_listed_is_named(text: str, unknown: list[str]) -> None:
    assert SOURCES.unknown(text) == unknown


def test_the_contract_has_the_sections_that_are_cited() -> None:
    """Whoever cites "data contract 4" finds a section 4 there."""
    text = (DATA / "CONTRACT.md").read_text("utf-8")
    there = set(re.findall(r"^## (\d+)\. ", text, re.MULTILINE))
    files = [*ROOT.glob("data/**/*.*"), *FOLDER.rglob("*.toml")]
    files += [
        each for name in ("flows", "schemas", "transforms") for each in ROOT.glob(f"{name}/**/*.*")
    ]
    named = re.compile(r"data contract[,]? (?:section )?(\d+)(?: and (\d+))?", re.IGNORECASE)
    wanted = {
        number
        for path in files
        if path.suffix in {".py", ".sql", ".toml", ".md"}
        for found in named.findall(path.read_text("utf-8"))
        for number in found
        if number
    }
    assert len(wanted) > 5
    assert wanted <= there
