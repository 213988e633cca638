"""Every rule an edition lists is there in all the places a rule has to be; what it lacks is named.

A rule says once what it counts and how that becomes points: `EVIDENCE`, and `parts` or `checks`.
Three places work it out again without asking it, and stay apart on purpose: the second engine, the
stand-alone verifier and the reference scorer.
"""

import shutil
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import cases
import polars as pl
import pytest
from reference import scorer

from flows.common.failures import StageFailed
from flows.common.languages import Language
from flows.common.settings import DATA, Order
from flows.explain.receipts.facts import DAYS, ROWS
from flows.explain.rules import kind_of as kind_of_check
from flows.explain.what_if.kinds import KINDS
from flows.explain.words import Words
from flows.explain.working import named
from flows.run.second_engine.engine import file_of
from flows.run.stages import ingest_stage, score_stage
from flows.simulate import feeds as simulated_feeds
from flows.simulate import simulate
from schemas.feeds import FEEDS
from schemas.words import of_key
from transforms.checks import all_hold
from transforms.conditions import CONDITIONS
from transforms.evidence import CODE, declared_as, kind_of
from transforms.indicators import INDICATORS
from transforms.parts import Part
from transforms.policy import Edition, PolicyError, params, read_toml, rule
from transforms.rounds import Round, load_round, rounds
from transforms.scorecard import prepared

REGISTERED = {"conditions": CONDITIONS, "indicators": INDICATORS}
DECLARED = {"conditions": "checks", "indicators": "parts"}
DERIVED = {"conditions": "holds", "indicators": "centipoints"}
WORDS = {language: Words(language).tree for language in Language}
KEY = {"person"}
# nothing that one applicant or one office does in time changes these
NOT_TO_BE_CHANGED = {"age", "retirement_age", "education_deduction", "education_deduction_limited"}
Simulated = dict[tuple[str, str], set[Any]]
APPLICANTS, SEED = 1000, 8  # there is somebody for every rule among them, also for the rare ones


@dataclass(frozen=True)
class Listed:
    """A rule as an edition lists it, with the last round under the edition."""

    data: Path
    edition: str
    kind: str
    column: str
    name: str
    this_round: Round

    def __str__(self) -> str:
        return f"{self.edition}: {self.kind}: {self.column} = {self.name}"

    @cached_property
    def module(self) -> ModuleType | None:
        return REGISTERED[self.kind].get(self.name)

    @cached_property
    def params(self) -> Any:
        wanted = self.module.Params
        return params(
            wanted, rule(wanted, self.data / "policy", self.name, self.this_round.policy_date)
        )

    @cached_property
    def evidence(self) -> dict[str, pl.DataType]:
        """The columns that the rule really gives, for nobody."""
        facts = prepared(cases.feeds([]), edition_of(self.edition), self.this_round)
        schema = self.module.evidence(facts, self.params, self.this_round).collect_schema()
        return {name: dtype for name, dtype in schema.items() if name not in KEY}

    @cached_property
    def declared(self) -> list[Any]:
        """The parts of an indicator, the checks of a condition."""
        found = getattr(self.module, DECLARED[self.kind])(self.params, self.this_round)
        return list(found.parts if self.kind == "indicators" else found)


def listed(data: Path) -> list[Listed]:
    """Every rule of every edition."""
    entries = tomllib.loads((data / "policy" / "editions.toml").read_text("utf-8"))["edition"]
    return [
        Listed(data, entry["name"], kind, column, name, rounds_of()[entry["name"]])
        for entry in entries
        for kind in REGISTERED
        for column, name in entry[kind].items()
    ]


@cache
def rounds_of() -> dict[str, Round]:
    """The last round of each edition."""
    folder = DATA / "rounds"
    return {Order(year, Path()).edition().name: load_round(folder, year) for year in rounds(folder)}


@cache
def edition_of(name: str) -> Edition:
    return Order(rounds_of()[name].year, Path()).edition()


Demand = Callable[[Listed], Iterator[str]]

# --- what a rule has to have ------------------------------------------------------------------


def policy(of: Listed) -> Iterator[str]:
    """Numbers of its own, which its `Params` take."""
    try:
        if of.module:
            assert of.params
        else:
            read_toml(of.data / "policy" / f"{of.name}.toml")
    except PolicyError as error:
        yield str(error)


def module(of: Listed) -> Iterator[str]:
    """A file that says everything once, and nothing twice."""
    if of.module is None:
        yield f"transforms/{of.kind}/{of.name}.py, listed in its __init__"
        return
    wanted = ("Params", "EVIDENCE", "evidence", DECLARED[of.kind])
    yield from (name for name in wanted if not hasattr(of.module, name))
    if hasattr(of.module, twice := DERIVED[of.kind]):
        yield f"one definition: {twice} beside {DECLARED[of.kind]}"


def evidence(of: Listed) -> Iterator[str]:
    """The columns it gives are those it declares, of the same type."""
    found, declared = of.evidence, of.module.EVIDENCE
    for name, dtype in found.items():
        try:
            said = kind_of(declared, name)
        except KeyError:
            yield f"EVIDENCE of {name}"
            continue
        if said.dtype != dtype and not (said == CODE and isinstance(dtype, pl.Enum)):
            yield f"EVIDENCE of {name} as {dtype}, not {said.dtype}"
    given = {declared_as(declared, name) for name in found}
    yield from (f"column {name} of its EVIDENCE" for name in declared if name not in given)


def declared(of: Listed) -> Iterator[str]:
    """Parts or checks that read the evidence and nothing else."""
    if not of.declared:
        yield DECLARED[of.kind]
    for each in of.declared:
        shown = each.shown.values() if isinstance(each, Part) else [each.found]
        result = each.centipoints if isinstance(each, Part) else all_hold([each])
        read = {name for expr in (result, *shown) for name in expr.meta.root_names()}
        yield from (
            f"evidence {name}, read by {each.name}" for name in sorted(read - set(of.evidence))
        )


def meanings(of: Listed) -> Iterator[str]:
    """What each key of its evidence means, for the dictionary."""
    for name in of.module.EVIDENCE:
        if not of_key(of.column, name, name):
            yield f"schemas/words.toml: key {name}"


def sql(of: Listed) -> Iterator[str]:
    """The file of the second engine."""
    try:
        file_of(of.kind, of.name)
    except StageFailed:
        yield f"flows/run/second_engine/{of.kind}/{of.name}.sql"


def words(of: Listed) -> Iterator[str]:
    """What it found, that it found nothing, each part and each check, in every language."""
    wanted = [("fact", of.name), ("none", of.name), ("edition", of.edition)]
    with suppress(AttributeError, PolicyError, TypeError):  # named above
        for each in of.declared:
            if isinstance(each, Part):
                name = named(each.name)[0]
                wanted.append(("part", name))
            else:
                wanted.append(("check", kind_of_check(each.name)[0]))
    for language, tree in WORDS.items():
        lacks = {f"{section}.{name}" for section, name in wanted if name not in tree[section]}
        yield from (f"words ({language}): {each}" for each in sorted(lacks))


def reference(of: Listed) -> Iterator[str]:
    """The reference scorer."""
    if scorer.EDITIONS.get(of.edition, {}).get(of.kind, {}).get(of.column) != of.name:
        yield "tests/reference/scorer.py"


def what_if(of: Listed) -> Iterator[str]:
    """A change that bears on it, unless there can be none."""
    bears_on = {name for kind in KINDS for name in kind.rules}
    if of.name not in bears_on | NOT_TO_BE_CHANGED:
        yield "flows/explain/what_if/kinds.py"


def worked(of: Listed) -> Iterator[str]:
    """A worked case under the edition."""
    if (of.edition, of.name) not in cases.worked():
        yield f"tests/cases/{of.name}"


OF_A_RULE: list[Demand] = [policy, module]
OF_ITS_WORKING: list[Demand] = [evidence, declared, meanings]  # once it has a file and values
OF_ALL_AROUND: list[Demand] = [sql, words, reference, what_if, worked]


def lacking(of: Listed, verifier: ModuleType, simulated: Simulated) -> list[str]:
    """All that a rule lacks, in words."""
    lacks = [each for demand in OF_A_RULE for each in demand(of)]
    if not lacks:
        lacks += [each for demand in OF_ITS_WORKING for each in demand(of)]
    lacks += [each for demand in OF_ALL_AROUND for each in demand(of)]
    by_kind = dict(zip(REGISTERED, verifier.EDITIONS.get(of.edition, ({}, {})), strict=True))
    known = getattr(verifier, of.kind.upper())
    if of.name not in known or by_kind[of.kind].get(of.column) != of.name:
        lacks.append("flows/explain/receipts/verify_receipt.py")
    if len(simulated.get((of.edition, of.name), ())) < 2:
        lacks.append("flows/simulate: people with and without it")
    return lacks


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """By edition and rule, what came of it for simulated people."""
    found = {}
    for name, this_round in rounds_of().items():
        folder = tmp_path_factory.mktemp(name)
        order = Order(this_round.year, folder / "feeds", folder, recheck=False)
        simulate(this_round.year, order.feeds, data=DATA, applicants=APPLICANTS, dirty=0, seed=SEED)
        for stage in (ingest_stage, score_stage):
            stage(order, folder)
        in_force = edition_of(name)
        for table, rules in (("eligibility", in_force.conditions), ("scores", in_force.indicators)):
            rows = pl.read_parquet(folder / f"{table}.parquet")
            found |= {(name, each.name): set(rows[column]) for column, each in rules.items()}
    return found


@pytest.mark.parametrize("of", listed(DATA), ids=str)
def test_a_rule_lacks_nothing(of: Listed, verifier: ModuleType, simulated: Simulated) -> None:
    lacks = lacking(of, verifier, simulated)
    assert not lacks, f"{of} lacks {'; '.join(lacks)}"


# --- a feed, too, is there in all the places a feed has to be ---------------------------------


# told in a way of their own on a receipt; the first three as the application, by month, beside the firm
UNLISTED = {"applications", "social_insurance", "financings"}
OTHERWISE = {*UNLISTED, "employers", "tax", "shareholdings", "honours"}


def lacking_of_a_feed(feed: str) -> list[str]:
    """All that a feed lacks, in words."""
    there = {
        "data/CONTRACT.md, section 1": f"| `{feed}` |" in (DATA / "CONTRACT.md").read_text("utf-8"),
        "data/canaries.toml": feed in tomllib.loads((DATA / "canaries.toml").read_text("utf-8")),
        "flows/explain/receipts/facts.py": feed in {*ROWS, *DAYS, *OTHERWISE},
        "flows/simulate": feed in simulated_feeds.FEEDS,
        "tests/cases.py": feed in cases.ACCEPTED,
        "tests/reference/scorer.py": feed in scorer.FEEDS,
    }
    for language, tree in WORDS.items():
        there[f"words ({language}): feed.{feed}"] = feed in tree["feed"]
        there[f"words ({language}): record.{feed}"] = feed in {*tree["record"], *UNLISTED}
    return [place for place, found in there.items() if not found]


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_lacks_nothing(feed: str) -> None:
    assert lacking_of_a_feed(feed) == []


def test_a_feed_that_is_nowhere_lacks_everything() -> None:
    assert len(lacking_of_a_feed("library_cards")) == 10


# --- a rule that lacks things is named with all of them ---------------------------------------


VOLUNTEERING = """
import polars as pl
from pydantic.dataclasses import dataclass
from transforms.evidence import COUNT
from transforms.parts import Part, Parts, count
from transforms.units import STRICT, Centipoints

EVIDENCE = {"begun": COUNT, "minutes": COUNT}

@dataclass(frozen=True, config=STRICT)
class Params:
    centipoints_per_hour: Centipoints

def evidence(facts, p, made):
    return facts.applicants.select("person", begun="birth_date", hours=pl.lit(1))

def parts(p, made):
    shown = {"weeks": count("weeks")}
    return Parts([Part("hours", count("hours"), p.centipoints_per_hour, shown=shown)])
"""
NUMBERS = """
title = "Volunteering"
title_zh = "志愿服务"
clause = "Measures art. 99"
clause_zh = "《办法》第九十九条"

[centipoints_per_hour]
meaning = "Points for an hour"
unit = "centipoints"
[[centipoints_per_hour.from]]
date = 2017-01-01
cite = "invented"
value = 10
"""
AROUND = [
    "flows/run/second_engine/{kind}/{name}.sql",
    "words (en): fact.{name}",
    "words (en): none.{name}",
    "words (zh): fact.{name}",
    "words (zh): none.{name}",
    "tests/reference/scorer.py",
    "flows/explain/what_if/kinds.py",
    "tests/cases/{name}",
    "flows/explain/receipts/verify_receipt.py",
    "flows/simulate: people with and without it",
]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A copy of the data whose last edition lists an indicator and a condition more."""
    data = Path(shutil.copytree(DATA, tmp_path / "data"))
    path = data / "policy" / "editions.toml"
    before, kinds = path.read_text("utf-8").rsplit("\nconditions = {", 1)
    kinds = kinds.replace("indicators = {", 'indicators = { volunteering = "volunteering",')
    path.write_text(f'{before}\nconditions = {{ vaccinated = "vaccinated",{kinds}', "utf-8")
    return data


def by_name(data: Path) -> dict[str, Listed]:
    return {of.name: of for of in listed(data)}


def around(of: Listed) -> list[str]:
    return [each.format(kind=of.kind, name=of.name) for each in AROUND]


@pytest.mark.parametrize("name", ["vaccinated", "volunteering"])
def test_a_rule_that_is_only_listed_lacks_everything(
    name: str, scratch: Path, verifier: ModuleType, simulated: Simulated
) -> None:
    of = by_name(scratch)[name]
    first, second, *rest = lacking(of, verifier, simulated)
    assert first.startswith(f"{name}.toml is not in ")
    assert second == f"transforms/{of.kind}/{name}.py, listed in its __init__"
    assert rest == around(of)


def test_a_rule_whose_declarations_are_wrong_is_named(
    scratch: Path, verifier: ModuleType, simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives a column it does not declare, one of another type, lacks one, and reads one more."""
    (scratch / "policy" / "volunteering.toml").write_text(NUMBERS, "utf-8")
    rule_file = ModuleType("volunteering")
    exec(VOLUNTEERING, rule_file.__dict__)
    monkeypatch.setitem(INDICATORS, "volunteering", rule_file)
    of = by_name(scratch)["volunteering"]
    lacks = lacking(of, verifier, simulated)
    assert lacks[:6] == [
        "EVIDENCE of begun as Date, not Int64",
        "EVIDENCE of hours",
        "column minutes of its EVIDENCE",
        "evidence weeks, read by hours",
        "schemas/words.toml: key begun",
        "schemas/words.toml: key minutes",
    ]
    parts = ["words (en): part.hours", "words (zh): part.hours"]
    assert sorted(lacks[6:]) == sorted([*around(of), *parts])


def test_points_defined_twice_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    of = by_name(DATA)["age"]
    monkeypatch.setattr(of.module, "centipoints", None, raising=False)
    assert list(module(of)) == ["one definition: centipoints beside parts"]
    monkeypatch.delattr(of.module, "EVIDENCE")
    assert "EVIDENCE" in list(module(of))
