"""Runs the SQL files of the second engine, each with the values of its rule.

A rule is the file of its name, below `conditions/` or `indicators/`, that gives every applicant a
line; what several rules ask for stands below `facts/`.  Files that do not build on each other run
side by side, and a policy value that no file reads stops the run.
"""

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import duckdb

from flows.common.failures import StageFailed
from flows.run.second_engine.values import Book, Values
from schemas.results import CONDITIONS, INDICATORS

HERE = Path(__file__).parent
SIDE_BY_SIDE = 2  # statements at a time; each also uses every core where its data is large
SESSION = {"reference_date", "first_month"}  # for views, which take no values: session variables

EACH = {"@indicator": INDICATORS, "@condition": CONDITIONS}
# rules that differ in values or facts only have one file; every other rule has the file of its name
SHARED = {"education_from_enrolment": "education", "residence_unregistered": "residence"}


class Task(NamedTuple):
    """A SQL file to run with the values of a rule; into a table of its result, if it is given one."""

    file: str
    rule: str | None = None
    table: str = ""


def recompute(connection: duckdb.DuckDBPyConnection, book: Book) -> None:
    """Every rule of the edition, then totals and ranking."""
    score(connection, book)
    rank(connection, book)


def rank(connection: duckdb.DuckDBPyConnection, book: Book) -> None:
    """Everybody's place by what the scorecard says."""
    Engine(connection, book).run(Task("ranking"))


def score(connection: duckdb.DuckDBPyConnection, book: Book) -> None:
    """Every rule of the edition, then totals; what does not build on each other together."""
    counted, indicators = book.counted_months, book.indicators
    engine = Engine(connection, book)
    engine.run(Task("facts/arithmetic"))
    engine.run(Task("facts/insurance"))
    engine.together(
        [
            Task("facts/regular", counted),
            Task("facts/irregular", counted),
            Task("facts/spells"),
            Task("facts/awards", indicators["innovation"]),
            Task("facts/credentials", indicators["education"]),
        ]
    )
    engine.run(Task("facts/counted_months", counted))
    engine.together([*rules(book)])
    engine.run(Task("scorecard"))
    engine.nothing_unread()


def rules(book: Book) -> Iterator[Task]:
    """The conditions and indicators of the edition, each into a table named for its column."""
    for kind, names, listed, result in (
        ("conditions", CONDITIONS, book.conditions, "holds"),
        ("indicators", INDICATORS, book.indicators, "centipoints"),
    ):
        for name in names:
            rule = listed.get(name)
            file = file_of(kind, rule) if rule else f"{kind}/absent"
            yield Task(file, rule, f"{kind}.{name} (person, {result})")


def file_of(kind: str, rule: str) -> str:
    """The SQL file of a rule."""
    file = f"{kind}/{SHARED.get(rule, rule)}"
    if not path_of(file).is_file():
        there = ", ".join(sorted(path.stem for path in HERE.glob(f"{kind}/*.sql")))
        raise StageFailed(f"recheck: rule {rule} has no SQL file; there are {there}")
    return file


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
    """The text of a SQL file of this folder, a line about each indicator or condition for every one."""

    def lines(line: str) -> list[str]:
        found = [[line.replace(mark, each) for each in EACH[mark]] for mark in EACH if mark in line]
        return found[0] if found else [line]

    written = path_of(file).read_text(encoding="utf-8").splitlines()
    return "\n".join(each for line in written for each in lines(line))


def path_of(file: str) -> Path:
    """Where a SQL file lies."""
    return HERE / f"{file}.sql"
