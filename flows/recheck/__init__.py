"""The second engine: all conditions, indicators, totals and ranks once more, in plain DuckDB SQL.

It is written from the data contract and shares no code with `transforms/`.  A rule is one SQL file
that gives every applicant a line: person and holds below `conditions/`, person and centipoints below
`indicators/`; what several rules ask for stands below `facts/`.  A `$name` in a file is a value of the
rule's policy file, or of the round.  Publication waits for both engines to agree on everything.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from flows.failures import CheckFailed, StageFailed
from flows.publish import OFFLINE, quoted
from flows.recheck.values import Book, Values, open_book
from flows.settings import Order
from schemas.feeds import FEEDS
from schemas.results import CONDITIONS, INDICATORS

HERE = Path(__file__).parent
TOLD = 10  # a refusal names so many differing rows
WHOLE_APPLICATION = "application"  # the column of an application that one side does not have
LINE = "line"  # the "application" of a difference in the line
POINTS = {*INDICATORS, "total", "ranked_total", "cutoff"}
CHECKED = ("scores", "eligibility", "ranking")
REPEATED = """
    SELECT application_no, count(*) FROM results.published GROUP BY ALL HAVING count(*) > 1
"""

# rule name in data/policy/editions.toml -> the SQL file that works it out
CONDITION_RULES = {
    "residence_permit": "residence_permit",
    "retirement_age": "retirement_age",
    "social_insurance": "social_insurance",
    "criminal_record": "criminal_record",
    "employer": "employer",
    "not_barred": "not_barred",
}
INDICATOR_RULES = {
    "employment": "employment",
    "residence": "residence",
    "residence_unregistered": "residence_unregistered",
    "education": "education",
    "education_from_enrolment": "education",
    "education_deduction": "education_deduction",
    "education_deduction_limited": "education_deduction_limited",
    "job_housing": "job_housing",
    "job_housing_moved_out": "job_housing_moved_out",
    "innovation": "innovation",
    "innovation_award_or_position": "innovation_award_or_position",
    "tax": "tax",
    "tax_three_year_total": "tax_three_year_total",
    "age": "age",
    "honour": "honour",
    "law": "law",
    "law_since_commencement": "law_since_commencement",
}


class Difference(NamedTuple):
    """What the two engines disagree on; points in centipoints, null where one side has nothing."""

    application_no: str
    column: str
    ours: int | bool | str | None
    theirs: int | bool | str | None

    def __str__(self) -> str:
        """One line for people, points as points."""
        ours, theirs = (
            f"{'-' * (value < 0)}{abs(value) // 100}.{abs(value) % 100:02}"
            if isinstance(value, int) and self.column in POINTS
            else f"{value}"
            for value in (self.ours, self.theirs)
        )
        return f"{self.application_no}: {self.column}: recomputed {ours}, scored {theirs}"


def check(order: Order, work: Path) -> None:
    """Raise CheckFailed, naming the first differing rows, unless both engines agree on everything."""
    found = recheck(order, work)
    if found:
        applications = len({each.application_no for each in found if each.application_no != LINE})
        told = "\n".join(f"  {each}" for each in found[:TOLD])
        raise CheckFailed(
            f"the second engine disagrees: {len(found):,} differences on {applications:,}"
            f" applications; nothing was published. The first:\n{told}"
        )


def recheck(order: Order, work: Path) -> list[Difference]:
    """Recompute a scored and ranked work folder; every difference, empty when both engines agree."""
    book = open_book(order.data, order.year)
    spill = work / "recheck.spill"
    config = {**OFFLINE, "temp_directory": str(spill), "preserve_insertion_order": "false"}
    try:
        with duckdb.connect(config=config) as connection:
            prepare(connection, work)
            recompute(connection, book)
            return [
                *differences_of_applications(connection),
                *differences_of_line(connection, json.loads((work / "line.json").read_text())),
            ]
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def prepare(connection: duckdb.DuckDBPyConnection, work: Path) -> None:
    """Show the accepted feeds and the tables to check as views, each kind in a schema of its own."""
    for schema in ("feeds", "facts", "conditions", "indicators", "results", "published"):
        connection.execute(f"CREATE SCHEMA {schema}")
    views = {f"feeds.{feed}": work / "accepted" / f"{feed}.parquet" for feed in FEEDS}
    views |= {f"published.{table}": work / f"{table}.parquet" for table in CHECKED}
    for view, path in views.items():
        connection.execute(f"CREATE VIEW {view} AS FROM read_parquet('{quoted(path)}')")


def recompute(connection: duckdb.DuckDBPyConnection, book: Book) -> None:
    """Every rule of the edition in turn, then totals and ranking."""
    engine = Engine(connection, book)
    engine.run("facts/arithmetic")
    engine.variables("reference_date", "first_month", rule=book.counted_months)
    for fact in ("insurance", "months", "counted_months"):
        engine.run(f"facts/{fact}", book.counted_months)
    engine.run("facts/spells")
    engine.run("facts/credentials", book.indicators["education"])
    for name in CONDITIONS:
        rule = book.conditions.get(name)
        file = file_of(rule, CONDITION_RULES) if rule else "absent"
        engine.table(f"conditions.{name}", "holds", f"conditions/{file}", rule)
    for name in INDICATORS:
        rule = book.indicators[name]
        file = file_of(rule, INDICATOR_RULES)
        engine.table(f"indicators.{name}", "centipoints", f"indicators/{file}", rule)
    engine.run("scorecard")
    engine.run("ranking")
    engine.run("comparison")
    engine.nothing_unread()


def file_of(rule: str, files: dict[str, str]) -> str:
    """The SQL file of a rule."""
    if rule not in files:
        raise StageFailed(f"recheck: rule {rule} has no SQL file; there are {', '.join(files)}")
    return files[rule]


class Engine:
    """Runs SQL files, each with the values of its rule, and keeps count of the values read."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, book: Book) -> None:
        self.connection = connection
        self.book = book
        self.read: dict[str, set[str]] = defaultdict(set)

    def run(self, file: str, rule: str | None = None) -> None:
        """Run the statements of a file."""
        self.execute(sql(file), rule)

    def table(self, name: str, result: str, file: str, rule: str | None) -> None:
        """Make a table of one rule: a line an applicant."""
        kind = {"holds": "BOOLEAN", "centipoints": "BIGINT"}[result]
        query = sql(file).rstrip().removesuffix(";")
        self.execute(
            f"CREATE TABLE {name} AS SELECT person, CAST({result} AS {kind}) AS {result}"
            f" FROM ({query})",
            rule,
        )

    def execute(self, statements: str, rule: str | None) -> None:
        """Execute statements with exactly the values they name."""
        for statement in self.connection.extract_statements(statements):
            wanted = set(statement.named_parameters)
            self.connection.execute(statement, self.values(wanted, rule))

    def values(self, names: set[str], rule: str | None) -> Values:
        """Values by name, from the rule's policy file or else from the round."""
        own = self.book.values(rule) if rule else {}
        if rule:
            self.read[rule] |= names & set(own)
        both = {**self.book.round, **own}
        if missing := sorted(names - set(both)):
            raise StageFailed(f"recheck: {rule}.toml lacks {', '.join(missing)}")
        return {name: both[name] for name in names}

    def variables(self, *names: str, rule: str) -> None:
        """Set values as session variables, for views, which take no parameters."""
        for name, value in self.values(set(names), rule).items():
            self.connection.execute(f"SET VARIABLE {name} = $value", {"value": value})

    def nothing_unread(self) -> None:
        """Raise StageFailed when a policy file holds a value that no SQL file asks for."""
        for rule in {
            self.book.counted_months,
            *self.book.conditions.values(),
            *self.book.indicators.values(),
        }:
            if unread := sorted(set(self.book.values(rule)) - self.read[rule]):
                raise StageFailed(f"recheck: no SQL file reads {', '.join(unread)} of {rule}.toml")


def sql(file: str) -> str:
    """The text of a SQL file of this folder."""
    return (HERE / f"{file}.sql").read_text(encoding="utf-8")


def differences_of_applications(connection: duckdb.DuckDBPyConnection) -> Iterator[Difference]:
    """Column by column what differs, by application number; nothing where all is equal."""
    ours = only_in(connection, "recomputed", "published")
    theirs = only_in(connection, "published", "recomputed")
    for number in sorted({*ours, *theirs}):
        one, other = ours.get(number), theirs.get(number)
        if one is None or other is None:
            there, absent = ("there", None), (None, "there")
            yield Difference(number, WHOLE_APPLICATION, *(there if one else absent))
            continue
        for column, value in one.items():
            if value != other[column]:
                yield Difference(number, column, value, other[column])
    for number, lines in connection.execute(REPEATED).fetchall():
        yield Difference(number, WHOLE_APPLICATION, "there once", f"there {lines} times")


def only_in(
    connection: duckdb.DuckDBPyConnection, side: str, other: str
) -> dict[str, dict[str, Any]]:
    """The lines one side has and the other has not, by application number."""
    result = connection.execute(f"FROM results.{side} EXCEPT FROM results.{other}")
    names = [column[0] for column in result.description or []]
    rows = (dict(zip(names, row, strict=True)) for row in result.fetchall())
    return {row["application_no"]: row for row in rows}


def differences_of_line(
    connection: duckdb.DuckDBPyConnection, theirs: dict[str, Any]
) -> Iterator[Difference]:
    """What differs in the line and the counts around it."""
    result = connection.execute(sql("line"))
    names = [column[0] for column in result.description or []]
    (row,) = result.fetchall()
    for name, value in zip(names, row, strict=True):
        if value != theirs[name]:
            yield Difference(LINE, name, value, theirs[name])
