"""What a newcomer reads: short, without a dead link, and its recipes work as printed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from cases import ROOT

from flows.cli import app

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("data/*.md")]
MOST_WORDS = 1500
IN_THE_ROOT = {"LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"}
COPIED = ["data", "flows", "schemas", "tests", "transforms", "pyproject.toml", *IN_THE_ROOT, "docs"]
RECIPE = re.compile(
    r"\*\*`(?P<path>[^`]+)`\*\*\n\n```\w+\n(?P<text>.*?)```|```diff\n(?P<diff>.*?)```", re.DOTALL
)
OF_THE_RECIPES = ["one_definition", "sources", "policy", "rounds", "cases", "canaries"]


def of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= MOST_WORDS


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_no_link_is_dead(page: Path) -> None:
    """Each relative link leads to a file, and to a heading of it where one is named."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        file, _, heading = link.partition("#")
        if "://" in link:
            continue
        there = (page.parent / file).resolve() if file else page
        headings = (
            re.findall(r"^#+ (.+)$", there.read_text("utf-8"), re.MULTILINE) if heading else []
        )
        slugs = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
        if not there.exists() or (heading and heading not in slugs):
            dead.append(link)
    assert dead == []


def test_every_page_of_docs_is_in_its_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    assert [page.name for page in ROOT.glob("docs/*.md") if f"({page.name})" not in index] == [
        "README.md"
    ]


def printed(page: Path) -> Iterator[str]:
    """The commands of ours in the console blocks of a page."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        yield from re.findall(r"^(?:\$ )?luohu (.+?)(?:\s+[#&|].*)?$", block, re.MULTILINE)


def test_the_process_contract_has_the_sections_that_are_cited() -> None:
    text = (ROOT / "docs" / "process.md").read_text("utf-8")
    there = set(re.findall(r"^## (\d+)\. ", text, re.MULTILINE))
    files = [path for name in ("flows", "schemas", "data") for path in ROOT.glob(f"{name}/**/*.*")]
    wanted = {
        number
        for path in files
        if path.suffix in {".py", ".toml", ".md"}
        for number in re.findall(r"docs/process\.md, (\d+)", path.read_text("utf-8"))
    }
    assert len(wanted) > 5
    assert wanted <= there


def options_of(words: list[str]) -> set[str]:
    """The options of the command that a line begins with; a group's are those of its command."""
    command = typer.main.get_command(app)
    for word in words:
        command = getattr(command, "commands", {}).get(word, command)
    return {each for param in command.params for each in (*param.opts, *param.secondary_opts)}


def test_commands_are_printed_as_they_are_called() -> None:
    """Each command and each option on a page is one there is."""
    found = [(of(page), line.split()) for page in PAGES for line in printed(page)]
    assert len(found) > 15
    assert [
        (page, words)
        for page, words in found
        for word in words
        if word.startswith("--") and word not in options_of(words)
    ] == []


def test_the_excerpt_of_the_story_is_in_it() -> None:
    """What README shows of a round is what its script does."""
    story = (ROOT / "docs" / "a-round.sh").read_text("utf-8")
    assert subprocess.run(["bash", "-n", "docs/a-round.sh"], cwd=ROOT, check=False).returncode == 0
    block = (ROOT / "README.md").read_text("utf-8").split("$ docs/a-round.sh\n")[1].split("```")[0]
    commands = re.findall(r"^\[\S+\] \$ (.+)$", block, re.MULTILINE)
    assert len(commands) > 1
    spoken = story.replace('"', "")
    assert [each for each in commands if each not in spoken] == []
    assert block.splitlines()[-1] in story


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository in which somebody followed every recipe to the letter."""
    if shutil.which("git") is None:
        pytest.skip("no git, with which the edits of a recipe are applied")
    copy = tmp_path_factory.mktemp("followed") / "luohu"
    copy.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in COPIED:
        path = ROOT / name
        (shutil.copytree if path.is_dir() else shutil.copy)(
            path, copy / name, **({"ignore": unwanted} if path.is_dir() else {})
        )
    for step in RECIPE.finditer((ROOT / "CONTRIBUTING.md").read_text("utf-8")):
        if step["diff"] is None:
            path = copy / step["path"]
            assert not path.exists(), f"{step['path']} is there already"
            path.parent.mkdir(exist_ok=True)
            path.write_text(step["text"], "utf-8")
            continue
        done = subprocess.run(
            ["git", "apply", "-"],
            cwd=copy,
            input=step["diff"],
            text=True,
            capture_output=True,
            check=False,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)},
        )
        assert done.returncode == 0, f"{done.stderr}\n{step['diff']}"
    return copy


def test_the_recipes_can_be_followed(followed: Path) -> None:
    """Every file is new, every edit fits."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    written = [step["path"] for step in RECIPE.finditer(text) if step["path"]]
    assert len(written) > 5
    assert [path for path in written if not (followed / path).is_file()] == []
    assert "blood_donations" in (followed / "schemas" / "feeds.py").read_text("utf-8")


@pytest.mark.soak
def test_what_the_recipes_make_lacks_nothing(followed: Path) -> None:
    """The tests that the recipes name pass in the copy, and a round of 2027 is published."""
    tests = [f"tests/test_{name}.py" for name in OF_THE_RECIPES]
    python = [sys.executable, "-m"]
    simulated = ["simulate", "2027", "--out", "feeds", "--applicants", "1500"]
    for command in (
        ["pytest", "-q", "-p", "no:cacheprovider", *tests],
        ["flows.cli", *simulated],
        ["flows.cli", "run", "2027", "--feeds", "feeds", "--direct"],
    ):
        done = subprocess.run(
            [*python, *command], cwd=followed, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
