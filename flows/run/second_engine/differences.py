"""Where the tables about to be published differ from the second engine, cell by cell.

Names, birth months and employers stand in the public list only: a difference in one of them is
reported without its value.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import duckdb

from flows.common.points import in_text
from flows.run.second_engine.engine import sql
from schemas.results import INDICATORS

WHOLE_APPLICATION = "application"  # the column of an application that one side does not have
PUBLIC_LIST = "public_list"
LINE = "line"  # the "application" of a difference in the line or the segments
PLACE = "place "
POINTS = {*INDICATORS, "total", "ranked_total", "cutoff"}
OF_A_PERSON = {"name", "birth_month", "employer"}  # of the public list; a condition has one's name
# tables with one row for each application
OF_APPLICATIONS = (
    "published.scores",
    "published.eligibility",
    "published.ranking",
    "results.scorecard",
)

Row = dict[str, Any]


class Difference(NamedTuple):
    """What the two engines disagree on; points in centipoints, null where one side has nothing."""

    application_no: str
    column: str
    ours: int | bool | str | None
    theirs: int | bool | str | None

    def __str__(self) -> str:
        """One line for people, points as points."""
        of_points = self.column.split(".")[-1] in POINTS or self.column.startswith(PLACE)
        ours, theirs = (
            in_text(value) if isinstance(value, int) and of_points else f"{value}"
            for value in (self.ours, self.theirs)
        )
        return f"{self.application_no}: {self.column}: recomputed {ours}, scored {theirs}"


def differences(
    connection: duckdb.DuckDBPyConnection, line: Row, parts: int
) -> Iterator[Difference]:
    """Everything that differs, by application number; nothing where all is equal.

    Applications are compared in so many parts: all columns of both sides are in memory at once.
    """
    differing = []
    for part in range(parts):
        show_part(connection, part, parts)
        differing += pairs(connection, "differing_applications")
    for application in in_order(differing):
        yield from of_row(WHOLE_APPLICATION, *application)
    for listed in in_order(pairs(connection, "differing_public_list")):
        yield from of_row(PUBLIC_LIST, *listed)
    for number, table, lines in connection.execute(sql("repeated")).fetchall():
        yield Difference(number, table, "there once", f"there {lines} times")
    yield from of_line(connection, line)
    for place, ours, theirs in connection.execute(sql("differing_segments")).fetchall():
        yield Difference(LINE, f"{PLACE}{place}", ours, theirs)


def show_part(connection: duckdb.DuckDBPyConnection, part: int, parts: int) -> None:
    """Show the rows of a part of all applications, the same on both sides: whose number comes to it."""
    for table in OF_APPLICATIONS:
        connection.execute(
            f"CREATE OR REPLACE VIEW part.{table.partition('.')[2]} AS FROM {table}"
            f" WHERE hash(application_no) % {parts} = {part}"
        )


def pairs(connection: duckdb.DuckDBPyConnection, file: str) -> list[tuple[Row, Row]]:
    """Both sides of every row that differs, in no order; a side may know nothing of it."""
    return [
        (ours or {"application_no": None}, theirs or {"application_no": None})
        for ours, theirs in connection.execute(sql(file)).fetchall()
    ]


def in_order(differing: list[tuple[Row, Row]]) -> list[tuple[Row, Row]]:
    """Rows that differ by application number."""
    return sorted(differing, key=lambda pair: number_of(*pair))


def number_of(ours: Row, theirs: Row) -> str:
    """The number of an application that at least one side has."""
    return str(ours["application_no"] or theirs["application_no"])


def of_row(table: str, ours: Row, theirs: Row) -> Iterator[Difference]:
    """Column by column what differs, personal values of the public list not shown."""
    number = number_of(ours, theirs)
    if there := only_one_side(ours, theirs):
        yield Difference(number, table, *there)
        return
    listed = table == PUBLIC_LIST
    for column, value in ours.items():
        if value != theirs[column]:
            personal = listed and column in OF_A_PERSON
            values = ("as filed", "another") if personal else (value, theirs[column])
            yield Difference(number, f"{table}.{column}" if listed else column, *values)


def only_one_side(ours: Row, theirs: Row) -> tuple[str | None, str | None] | None:
    """Which side has the application, where the other one does not."""
    if ours["application_no"] == theirs["application_no"]:
        return None
    return ("there", None) if ours["application_no"] else (None, "there")


def of_line(connection: duckdb.DuckDBPyConnection, theirs: Row) -> Iterator[Difference]:
    """What differs in the line and the counts around it."""
    result = connection.execute(sql("line"))
    names = [column[0] for column in result.description or []]
    (row,) = result.fetchall()
    for name, value in zip(names, row, strict=True):
        if value != theirs[name]:
            yield Difference(LINE, name, value, theirs[name])
