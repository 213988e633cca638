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
from concurrent.futures import ThreadPoolExecutor
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
SIDE_BY_SIDE = 2  # statements at a time; each also uses every core where its data is large
SESSION = {"reference_date", "first_month"}  # for views, which take no values: session variables
TOLD = 10  # a refusal names so many differing rows
WHOLE_APPLICATION = "application"  # the column of an application that one side does not have
LINE = "line"  # the "application" of a difference in the line
POINTS = {*INDICATORS, "total", "ranked_total", "cutoff"}
CHECKED = ("scores", "eligibility", "ranking")

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
    """Every rule of the edition, then totals and ranking; what does not build on each other together."""
    counted, credentials = book.counted_months, book.indicators["education"]
    engine = Engine(connection, book)
    engine.run(Task("facts/arithmetic"))
    engine.run(Task("facts/insurance"))
    engine.together(
        [
            Task("facts/regular", counted),
            Task("facts/irregular", counted),
            Task("facts/spells"),
            Task("facts/credentials", credentials),
        ]
    )
    engine.run(Task("facts/counted_months", counted))
    engine.together([*rules(book)])
    engine.run(Task("scorecard"))
    engine.run(Task("ranking"))
    engine.nothing_unread()


class Task(NamedTuple):
    """A SQL file to run with the values of a rule; into a table of its result, if it is given one."""

    file: str
    rule: str | None = None
    table: str = ""


def rules(book: Book) -> Iterator[Task]:
    """The conditions and indicators of the edition, each into a table named for its column."""
    for name in CONDITIONS:
        rule = book.conditions.get(name)
        file = file_of(rule, CONDITION_RULES) if rule else "absent"
        yield Task(f"conditions/{file}", rule, f"conditions.{name} (person, holds)")
    for name in INDICATORS:
        rule = book.indicators[name]
        file = file_of(rule, INDICATOR_RULES)
        yield Task(f"indicators/{file}", rule, f"indicators.{name} (person, centipoints)")


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
        self.known: dict[str, Values] = {}
        self.read: dict[str, set[str]] = defaultdict(set)

    def together(self, tasks: list[Task]) -> None:
        """Run tasks side by side, so that small ones keep no core waiting."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            for done in [pool.submit(self.run, task) for task in tasks]:
                done.result()

    def run(self, task: Task) -> None:
        """Run a file's statements, each with exactly the values it names."""
        text = f"CREATE TABLE {task.table} AS\n" if task.table else ""
        with self.connection.cursor() as cursor:
            for name, value in self.values(SESSION, self.book.counted_months).items():
                cursor.execute(f"SET VARIABLE {name} = $value", {"value": value})
            for statement in cursor.extract_statements(text + sql(task.file)):
                cursor.execute(statement, self.values(set(statement.named_parameters), task.rule))

    def values(self, names: set[str], rule: str | None) -> Values:
        """Values by name, from the rule's policy file or else from the round."""
        if rule and rule not in self.known:
            self.known[rule] = self.book.values(rule)
        own = self.known[rule] if rule else {}
        if rule:
            self.read[rule] |= names & set(own)
        both = {**self.book.round, **own}
        if missing := sorted(names - set(both)):
            raise StageFailed(f"recheck: {rule}.toml lacks {', '.join(missing)}")
        return {name: both[name] for name in names}

    def nothing_unread(self) -> None:
        """Raise StageFailed when a policy file holds a value that no SQL file asks for."""
        for rule, values in self.known.items():
            if unread := sorted(set(values) - self.read[rule]):
                raise StageFailed(f"recheck: no SQL file reads {', '.join(unread)} of {rule}.toml")


def sql(file: str) -> str:
    """The text of a SQL file of this folder."""
    return (HERE / f"{file}.sql").read_text(encoding="utf-8")


def differences_of_applications(connection: duckdb.DuckDBPyConnection) -> Iterator[Difference]:
    """Column by column what differs, by application number; nothing where all is equal."""
    differing = connection.execute(sql("differing")).fetchall()
    for ours, theirs in sorted(differing, key=lambda pair: application_of(*pair)):
        number = application_of(ours, theirs)
        if not (known_to(ours) and known_to(theirs)):
            there = ("there" if known_to(side) else None for side in (ours, theirs))
            yield Difference(number, WHOLE_APPLICATION, *there)
            continue
        for column, value in ours.items():
            if value != theirs[column]:
                yield Difference(number, column, value, theirs[column])
    for number, lines in sorted(connection.execute(sql("repeated")).fetchall()):
        yield Difference(number, WHOLE_APPLICATION, "there once", f"there {lines} times")


def known_to(side: dict[str, Any] | None) -> bool:
    """Whether a side has the application at all."""
    return side is not None and side["application_no"] is not None


def application_of(ours: dict[str, Any] | None, theirs: dict[str, Any] | None) -> str:
    """The number of an application that at least one side has."""
    return next(str(side["application_no"]) for side in (ours, theirs) if side and known_to(side))


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
