"""The second engine: it agrees on hostile deliveries, and one altered rule or value closes the gate."""

import ast
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from reference import hostile
from reference.scorer import RoundSpec
from typer.testing import CliRunner

import flows.run.second_engine as second
from flows.cli import app
from flows.common.failures import CheckFailed, StageFailed
from flows.common.files import write_json
from flows.common.settings import DATA, Order
from flows.run.ingest import ingest
from flows.run.score import rank, score
from flows.run.second_engine import Difference, check, engine, recheck
from flows.run.second_engine.values import Book, open_book
from flows.run.stages import Outcome, run
from flows.simulate import simulate
from schemas.results import CONDITIONS, INDICATORS
from transforms.checks import Check, all_hold
from transforms.conditions import CONDITIONS as CONDITION_RULES
from transforms.indicators import INDICATORS as INDICATOR_RULES
from transforms.parts import Part, Parts

QUOTA = 20
PEOPLE = 250
ROUNDS = {"2020": (2020, 2023, 2026), "trial": (2018, 2019)}
FOLDER = Path(second.__file__).parent


@dataclass(frozen=True)
class Scored:
    """A hostile delivery that was ingested, scored and ranked once."""

    order: Order
    work: Path


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Scored]:
    """The hostile delivery of a year; not to be changed."""
    made: dict[int, Scored] = {}

    def of(year: int) -> Scored:
        if year not in made:
            made[year] = hostile_delivery(
                year, seed=year, folder=tmp_path_factory.mktemp("hostile")
            )
        return made[year]

    return of


def hostile_delivery(year: int, seed: int, folder: Path) -> Scored:
    data = Path(shutil.copytree(DATA, folder / "data"))
    path = data / "rounds" / f"{year}.toml"
    path.write_text(re.sub(r"(?m)^quota = \d+$", f"quota = {QUOTA}", path.read_text()))
    order = Order(year, folder / "feeds", folder / "warehouse", data)
    this_round = order.round()
    assert this_round.quota == QUOTA
    spec = RoundSpec(
        year,
        order.edition().name,
        QUOTA,
        permit_date=this_round.permit_date,
        insured_in=this_round.insured_in,
        received_on=this_round.received_on,
    )
    hostile.write_feeds(order.feeds, spec, seed, PEOPLE)
    work = folder / "work"
    work.mkdir()
    ingest(order.feeds, this_round, work, max_rejects=order.share())
    score_and_rank(order, work)
    return Scored(order, work)


def score_and_rank(order: Order, work: Path) -> None:
    score(order, work)
    write_json(asdict(rank(order, work)), work / "line.json")


def copy_of(work: Path, folder: Path) -> Path:
    """A work folder to spoil: its tables copied, what ingest made linked."""
    out = folder / "work"
    out.mkdir()
    for each in work.iterdir():
        if each.is_dir():
            (out / each.name).symlink_to(each)
        else:
            shutil.copy(each, out)
    return out


# --- The engines agree -------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2018, 2020, 2023])
def test_engines_agree_on_a_hostile_delivery(year: int, scored: Callable[[int], Scored]) -> None:
    each = scored(year)
    assert recheck(each.order, each.work) == []
    assert not (each.work / "recheck.spill").exists()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(60))
def test_engines_agree_on_many_hostile_deliveries(seed: int, tmp_path: Path) -> None:
    each = hostile_delivery(2018 + seed % 9, seed, tmp_path)
    assert recheck(each.order, each.work) == []


def test_every_rule_has_a_file_and_every_file_a_rule() -> None:
    named = set()
    for year in (2018, 2020):
        book = open_book(DATA, year)
        named |= {task.file for task in engine.rules(book)}
    found = {
        path.relative_to(FOLDER).with_suffix("").as_posix()
        for kind in ("conditions", "indicators")
        for path in FOLDER.glob(f"{kind}/*.sql")
    }
    assert found == named | {"indicators/absent"}


# --- The engines share nothing -----------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_it_imports_nothing_of_the_first_engine(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert not imported & {"transforms", "polars"}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.sql")), ids=lambda path: path.stem)
def test_sql_says_its_clause_and_counts_in_whole_numbers(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("-- ")
    bare = re.sub(r"--.*", "", text)
    bare = re.sub(r"'[^']*'", "''", bare)
    assert not re.search(r"(?<!/)/(?!/)", bare)
    assert not re.search(r"(?i)\b(double|float|real|avg|mean|round|random|now|today)\b", bare)
    assert not re.search(r"\b\d+\.\d", bare)
    assert not re.search(r"\b(19|20)\d\d\b", bare), "a year is policy, and policy is data"


# --- One difference closes the gate --------------------------------------------------------------


def tables_changed(work: Path, name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    path = work / f"{name}.parquet"
    change(pl.read_parquet(path)).write_parquet(path)


def at_row(row: int, column: str, value: pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    there = pl.int_range(pl.len()) == row
    return lambda rows: rows.with_columns(
        pl.when(there).then(value).otherwise(column).alias(column)
    )


CENT = pl.lit("0.01").cast(pl.Decimal(9, 2))
CELLS = [
    *(("scores", name, (pl.col(name) + CENT).cast(pl.Decimal(9, 2))) for name in INDICATORS),
    ("scores", "total", (pl.col("total") + CENT).cast(pl.Decimal(9, 2))),
    *(("eligibility", name, ~pl.col(name)) for name in (*CONDITIONS, "eligible")),
    ("ranking", "total", (pl.col("total") - CENT).cast(pl.Decimal(9, 2))),
    ("ranking", "rank", pl.col("rank") + 1),
    ("ranking", "settled", ~pl.col("settled")),
    ("ranking", "serial", pl.col("serial") + 1),
    ("scores", "needs_review", ~pl.col("needs_review")),
    *(("public_list", name, (pl.col(name) - CENT).cast(pl.Decimal(9, 2))) for name in INDICATORS),
    ("public_list", "total", (pl.col("total") - CENT).cast(pl.Decimal(9, 2))),
    ("public_list", "birth_month", pl.lit("1969-07")),
    ("public_list", "employer", pl.lit("Another employer")),
    ("public_list", "name", pl.lit("Somebody else")),
]


@pytest.mark.parametrize("table", ["scores", "eligibility", "ranking", "public_list"])
@pytest.mark.parametrize("parts", [1, 5])
def test_each_cell_altered_is_named(
    parts: int,
    table: str,
    scored: Callable[[int], Scored],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each in a row of its own, so that one recheck must find exactly these, in as many parts as there are."""
    compare = second.differences
    monkeypatch.setattr(second, "differences", lambda *of: compare(*of[:2], parts))
    work = copy_of(scored(2020).work, tmp_path)
    cells = [(column, value) for each, column, value in CELLS if each == table]
    expected = set()
    for row, (column, value) in enumerate(cells):
        expected.add((number_of(work, table, row), SHOWN.get((table, column), column)))
        tables_changed(work, table, at_row(row, column, value))
    found = recheck(scored(2020).order, work)
    assert {(each.application_no, each.column) for each in found} == expected
    assert len(found) == len(expected) == len(cells)
    numbers = [each.application_no for each in found]
    assert table == "public_list" or numbers == sorted(numbers)
    assert all(each.ours != each.theirs for each in found)


def test_one_cell_closes_the_gate(scored: Callable[[int], Scored], tmp_path: Path) -> None:
    work = copy_of(scored(2020).work, tmp_path)
    tables_changed(work, "scores", at_row(0, "age", (pl.col("age") + CENT).cast(pl.Decimal(9, 2))))
    with pytest.raises(CheckFailed, match="1 differences on 1 applications; nothing was published"):
        check(scored(2020).order, work)


SHOWN = {("ranking", "total"): "ranked_total"} | {
    ("public_list", column): f"public_list.{column}"
    for table, column, _ in CELLS
    if table == "public_list"
}


def number_of(work: Path, table: str, row: int) -> str:
    """The application of a row of a table; the public list is in the order of serials."""
    if table != "public_list":
        return pl.read_parquet(work / f"{table}.parquet")["application_no"][row]
    ranked = pl.read_parquet(work / "ranking.parquet")
    return ranked.filter("settled").sort("serial")["application_no"][row]


@pytest.mark.parametrize("table", ["scores", "eligibility", "ranking", "public_list"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rows: rows[1:], id="missing"),
        pytest.param(lambda rows: pl.concat([rows, rows[:1]]), id="repeated"),
        pytest.param(
            lambda rows: pl.concat([rows, rows[:1].with_columns(unknown(rows))]), id="unknown"
        ),
    ],
)
@pytest.mark.parametrize("parts", [1, 5])
def test_the_same_applications_or_the_gate_closes(
    parts: int,
    table: str,
    change: Callable[[pl.DataFrame], pl.DataFrame],
    scored: Callable[[int], Scored],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compare = second.differences
    monkeypatch.setattr(second, "differences", lambda *of: compare(*of[:2], parts))
    work = copy_of(scored(2020).work, tmp_path)
    tables_changed(work, table, change)
    found = recheck(scored(2020).order, work)
    assert found
    if table == "public_list":
        assert {each.column for each in found} == {table}


def unknown(rows: pl.DataFrame) -> pl.Expr:
    """What makes a row one of nobody's."""
    if "application_no" in rows.columns:
        return pl.lit("new").alias("application_no")
    return pl.lit(9, pl.Int64).alias("serial")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """A delivery with more than a thousand in the ranking; not to be changed."""
    folder = tmp_path_factory.mktemp("large")
    order = Order(2020, folder / "feeds", folder / "warehouse")
    simulate(2020, order.feeds, applicants=2_500, seed=5, data=DATA)
    work = folder / "work"
    work.mkdir()
    ingest(order.feeds, order.round(), work, max_rejects=order.share())
    score_and_rank(order, work)
    assert recheck(order, work) == []
    assert pl.read_parquet(work / "segments.parquet").height == 1
    return Scored(order, work)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.with_columns((pl.col("total") + CENT).cast(pl.Decimal(9, 2))), None),
        (lambda rows: rows.with_columns(place=pl.lit(2000, pl.Int64)), "None, scored"),
        (lambda rows: rows[:0], "scored None"),
        (lambda rows: pl.concat([rows, rows]), "scored there 2 times"),
    ],
)
def test_another_segment_closes_the_gate(
    change: Callable[[pl.DataFrame], pl.DataFrame], told: str | None, large: Scored, tmp_path: Path
) -> None:
    work = copy_of(large.work, tmp_path)
    ((_, _, total),) = pl.read_parquet(work / "segments.parquet").rows()
    told = told or f"line: place 1000: recomputed {total}, scored {total + Decimal('0.01')}"
    tables_changed(work, "segments", change)
    found = recheck(large.order, work)
    assert {each.application_no for each in found} == {"line"}
    assert any(told in str(each) for each in found)


def test_a_persons_name_birth_and_employer_are_not_told(large: Scored, tmp_path: Path) -> None:
    work = copy_of(large.work, tmp_path)
    personal = ["name", "birth_month", "employer"]
    one, another = pl.read_parquet(work / "public_list.parquet").select(personal).rows()[:2]
    assert all(a != b for a, b in zip(one, another, strict=True))
    for name, value in zip(personal, another, strict=True):
        tables_changed(work, "public_list", at_row(0, name, pl.lit(value)))
    with pytest.raises(CheckFailed) as refusal:
        check(large.order, work)
    told = str(refusal.value)
    number = number_of(work, "public_list", 0)
    for name in personal:
        assert f"{number}: public_list.{name}: recomputed as filed, scored another" in told
    for value in (*one, *another):
        assert value not in told


def test_whom_a_reject_names_is_reviewed_whatever_ingest_says(
    scored: Callable[[int], Scored], tmp_path: Path
) -> None:
    """The list that ingest makes is held against the published rejects."""
    each = scored(2020)
    work = copy_of(each.work, tmp_path)
    (work / "accepted").unlink()
    shutil.copytree(each.work / "accepted", work / "accepted")
    applications = pl.read_parquet(work / "accepted" / "applications.parquet")
    rejects = pl.read_parquet(work / "rejects.parquet").filter(pl.col("feed") == "housing")
    named = applications.join(rejects, on="application_no", how="semi").sort("application_no")[0]
    tables_changed(
        work, "accepted/needs_review", lambda rows: rows.join(named, on="person", how="anti")
    )
    score_and_rank(each.order, work)
    assert recheck(each.order, work) == [
        Difference(named["application_no"].item(), "needs_review", ours=True, theirs=False)
    ]


@pytest.mark.parametrize("name", ["eligible", "settled", "cutoff", "tied_at_cutoff"])
def test_another_line_closes_the_gate(
    name: str, scored: Callable[[int], Scored], tmp_path: Path
) -> None:
    work = copy_of(scored(2020).work, tmp_path)
    line = json.loads((work / "line.json").read_text())
    write_json(line | {name: line[name] + 1}, work / "line.json")
    assert recheck(scored(2020).order, work) == [
        Difference("line", name, line[name], line[name] + 1)
    ]


def test_the_message_counts_and_names_the_first_ten(
    scored: Callable[[int], Scored], tmp_path: Path
) -> None:
    work = copy_of(scored(2020).work, tmp_path)
    cent_more = (pl.col("law") + CENT).cast(pl.Decimal(9, 2))
    tables_changed(work, "scores", lambda rows: rows.with_columns(law=cent_more))
    numbers = pl.read_parquet(work / "scores.parquet")["application_no"].sort()
    with pytest.raises(CheckFailed) as refusal:
        check(scored(2020).order, work)
    told, *lines = str(refusal.value).splitlines()
    assert f"{len(numbers)} differences on {len(numbers)} applications" in told
    assert "nothing was published" in told
    assert len(lines) == 10
    assert lines[0].strip().startswith(f"{numbers[0]}: law: recomputed ")


def test_points_are_told_as_points() -> None:
    assert str(Difference("7", "law", -3000, -1)) == "7: law: recomputed -30.00, scored -0.01"
    assert str(Difference("7", "rank", 12, None)) == "7: rank: recomputed 12, scored None"


# --- Mutation: any rule or value altered in one engine ---------------------------------------------


def rules_of(edition: str) -> list[tuple[str, str]]:
    book = open_book(DATA, ROUNDS[edition][0])
    return [
        *(("conditions", rule) for rule in book.conditions.values()),
        *(("indicators", rule) for rule in book.indicators.values()),
    ]


def values_of(edition: str) -> list[tuple[str, str]]:
    book = open_book(DATA, ROUNDS[edition][0])
    rules = [book.counted_months, *(rule for _, rule in rules_of(edition))]
    return [(rule, name) for rule in rules for name in book.values(rule)]


# a value that both editions have is altered once, in the later one
LATER = values_of("2020")
VALUES = [("2020", *each) for each in LATER] + [
    ("trial", *each) for each in values_of("trial") if each not in LATER
]


@pytest.mark.parametrize("edition", ROUNDS)
def test_every_rule_altered_in_the_first_engine_is_named(
    edition: str,
    scored: Callable[[int], Scored],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    each = scored(ROUNDS[edition][0])
    for kind, rule in rules_of(edition):
        module = {"conditions": CONDITION_RULES, "indicators": INDICATOR_RULES}[kind][rule]
        declared, altered = ALTERED[kind]
        monkeypatch.setattr(module, declared, altered(getattr(module, declared)))
    work = copy_of(each.work, tmp_path)
    score_and_rank(each.order, work)
    assert named_by(each, work) >= columns_of_rules(edition)


def other_checks(real: Callable[..., list[Check]]) -> Callable[..., list[Check]]:
    """A condition that holds for whom it does not."""
    return lambda *given: [Check("other", pl.lit(0), {}, ~all_hold(real(*given)))]


def other_parts(real: Callable[..., Parts]) -> Callable[..., Parts]:
    """An indicator of a centipoint more."""
    return lambda *given: Parts([Part("other", real(*given).centipoints + 1)])


ALTERED = {"conditions": ("checks", other_checks), "indicators": ("parts", other_parts)}


def named_by(each: Scored, work: Path) -> set[str]:
    """The columns that the gate closes on."""
    return {found.column for found in recheck(each.order, work)}


def columns_of_rules(edition: str) -> set[str]:
    """The columns that the rules of an edition fill."""
    book = open_book(DATA, ROUNDS[edition][0])
    return {*book.conditions, *book.indicators}


@pytest.mark.parametrize("edition", ROUNDS)
def test_every_rule_altered_in_the_second_engine_is_named(
    edition: str, scored: Callable[[int], Scored], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For one applicant, by one centipoint."""
    each = scored(ROUNDS[edition][0])
    altered = {
        "conditions": "person, holds <> (person = 3) AS holds",
        "indicators": "person, centipoints + CAST(person = 3 AS INTEGER) AS centipoints",
    }
    for kind, rule in rules_of(edition):
        monkeypatch.setattr(
            engine,
            "sql",
            altered_sql(
                engine.file_of(kind, rule),
                lambda text, to=altered[kind]: (
                    f"SELECT {to} FROM ({text.rstrip().removesuffix(';')})"
                ),
            ),
        )
    assert named_by(each, each.work) >= columns_of_rules(edition)


@pytest.mark.parametrize(
    ("year", "file", "was", "becomes"),
    [
        (2023, "indicators/residence", "OR registered_on <=", "OR registered_on <>"),
        (
            2018,
            "indicators/residence",
            "JOIN facts.spells ON",
            "JOIN facts.spells ON spells.kind <> 'rent' AND",
        ),
        (2020, "facts/awards", "ELSE 100 * points", "ELSE 100 * points + 1"),
        (2018, "facts/awards", "ELSE 100 * points", "ELSE 100 * points + 1"),
    ],
)
def test_what_rules_share_altered_closes_the_gate(
    year: int,
    file: str,
    was: str,
    becomes: str,
    scored: Callable[[int], Scored],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert was in engine.sql(file)
    monkeypatch.setattr(engine, "sql", altered_sql(file, lambda text: text.replace(was, becomes)))
    with pytest.raises(CheckFailed):
        check(scored(year).order, scored(year).work)


def altered_sql(file: str, alter: Callable[[str], str]) -> Callable[[str], str]:
    real = engine.sql
    return lambda asked: alter(real(asked)) if asked == file else real(asked)


@pytest.mark.soak  # every rule is altered in every test run; its single values take minutes more
@pytest.mark.parametrize(("edition", "rule", "name"), VALUES)
def test_a_value_altered_in_the_second_engine_closes_the_gate(
    edition: str,
    rule: str,
    name: str,
    scored: Callable[[int], Scored],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every entry of a value in turn; each must matter to somebody of some delivery."""
    real = Book.values
    value = real(open_book(DATA, max(ROUNDS[edition])), rule)[name]
    unnoticed = []
    for what, ways in alterations(rule, name, value):
        noticed = False
        for year, altered in product(reversed(ROUNDS[edition]), ways):  # most matters in the last
            monkeypatch.setattr(
                Book,
                "values",
                lambda book, asked, new=altered: {
                    **real(book, asked),
                    **({name: new} if asked == rule else {}),
                },
            )
            noticed = bool(recheck(scored(year).order, scored(year).work))
            if noticed:
                break
        if not noticed:
            unnoticed.append(what)
    assert unnoticed == []


FAR = 222  # months: the earliest month of all is seen only from close to the policy's first one
ANOTHER = {"paid": "back_paid", "back_paid": "agency_back_paid"}
# no district lies nearer to the first and last code of Beijing
FARTHER = {"first": 110110, "last": 110110}


def alterations(rule: str, name: str, value: Any) -> Iterator[tuple[str, list[Any]]]:
    """Every entry of a value with the ways to alter it; one way that is noticed is enough."""
    if isinstance(value, dict):
        for key, entry in value.items():
            for what, ways in alterations(rule, key, entry):
                yield f"{key} {what}".strip(), [value | {key: way} for way in ways]
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield f"{entry} dropped", [value[:place] + value[place + 1 :]]
    elif isinstance(value, date):
        yield "", [later(value, months) for months in (1, -1, FAR)]
    elif isinstance(value, str):
        yield "", [ANOTHER[value]]
    elif name in FARTHER:
        yield "", [FARTHER[name]]
    else:
        yield "", [value + 1, value - 1, value // 4]  # a most may lie far above what is reached


def later(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return day.replace(year=number // 12, month=number % 12 + 1)


@pytest.mark.parametrize(
    ("name", "altered"),
    [
        ("year", 2021),
        ("reference_date", date(2019, 11, 30)),
        ("permit_date", date(2018, 12, 31)),
        ("insured_in", date(2020, 5, 1)),
        ("quota", QUOTA - 1),
    ],
)
def test_a_round_altered_in_the_second_engine_closes_the_gate(
    name: str, altered: Any, scored: Callable[[int], Scored], monkeypatch: pytest.MonkeyPatch
) -> None:
    each = scored(2020)
    real = open_book(each.order.data, 2020)
    assert real.round[name] != altered
    monkeypatch.setattr(
        second, "open_book", lambda *_: replace(real, round={**real.round, name: altered})
    )
    assert recheck(each.order, each.work)


def test_a_value_of_the_first_engine_that_differs_closes_the_gate(
    scored: Callable[[int], Scored], tmp_path: Path
) -> None:
    """The second engine reads the values of the order's own folder."""
    each = scored(2020)
    data = Path(shutil.copytree(each.order.data, tmp_path / "data"))
    path = data / "policy" / "age.toml"
    path.write_text(path.read_text().replace("value = 400", "value = 399"))
    work = copy_of(each.work, tmp_path)
    score_and_rank(replace(each.order, data=data), work)
    assert recheck(replace(each.order, data=data), work) == []
    assert {found.column for found in recheck(each.order, work)} >= {"age", "total"}


def test_a_value_nobody_reads_stops_the_run(
    scored: Callable[[int], Scored], tmp_path: Path
) -> None:
    each = scored(2020)
    data = Path(shutil.copytree(each.order.data, tmp_path / "data"))
    with (data / "policy" / "age.toml").open("a") as file:
        file.write('[bonus]\n[[bonus.from]]\ndate = 2017-01-01\ncite = "-"\nvalue = 1\n')
    with pytest.raises(StageFailed, match=r"no SQL file reads bonus of age\.toml"):
        recheck(replace(each.order, data=data), each.work)


def test_a_rule_without_a_file_stops_the_run(
    scored: Callable[[int], Scored], tmp_path: Path
) -> None:
    each = scored(2020)
    data = Path(shutil.copytree(each.order.data, tmp_path / "data"))
    path = data / "policy" / "editions.toml"
    path.write_text(path.read_text().replace('age = "age"', 'age = "age_of_wisdom"'))
    with pytest.raises(StageFailed, match="age_of_wisdom has no SQL file"):
        recheck(replace(each.order, data=data), each.work)


# --- The command -----------------------------------------------------------------------------------


def test_a_difference_leaves_with_status_1_and_publishes_nothing(
    delivery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        engine,
        "sql",
        altered_sql("indicators/age", lambda text: text.replace("- 2 -", "+ 30 -")),
    )
    command = ["run", "2020", "--feeds", str(delivery), "--warehouse", str(tmp_path), "--direct"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 1
    assert "the second engine disagrees" in refused.stderr
    assert ": age: recomputed " in refused.stderr
    assert not (tmp_path / "luohu.duckdb").exists()
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())

    unchecked = CliRunner().invoke(app, [*command, "--no-recheck"])
    assert unchecked.exit_code == 0
    assert recorded(tmp_path) == (False, False)


def test_a_checked_run_says_so(published: tuple[Path, Outcome]) -> None:
    assert recorded(published[0]) == (True, True)


def test_whether_it_was_checked_names_the_run(
    delivery: Path, published: tuple[Path, Outcome], tmp_path: Path
) -> None:
    other = run(Order(2020, delivery, tmp_path, recheck=False))
    assert other.run_id != published[1].run_id
    assert other.line == published[1].line


def recorded(warehouse: Path) -> tuple[bool, bool]:
    """Whether the run was checked, as the manifest and as the `rounds` table say."""
    (path,) = (warehouse / "runs" / "2020").glob("*/manifest.json")
    with duckdb.connect(str(warehouse / "luohu.duckdb"), read_only=True) as database:
        ((rechecked,),) = database.execute("SELECT rechecked FROM rounds").fetchall()
    return json.loads(path.read_text())["options"]["recheck"], rechecked
