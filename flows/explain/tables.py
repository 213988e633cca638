"""Tables of one fixed width, whose cells break as Chinese does."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from rich import box
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from flows.explain.words import Words
from flows.explain.wrap import wrapped

DIM, STRONG = "dim", "bold"
REST = 0  # a column as wide as the others leave


class Column(NamedTuple):
    """A heading and how many cells the column has."""

    heading: str
    width: int = REST
    justify: JustifyMethod = "left"


class Line(NamedTuple):
    """A line of a cell with its style."""

    text: str
    style: str = ""


Cell: TypeAlias = str | Sequence[Line]


def table(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell]], width: int, *, ruled: bool = False
) -> Table:
    """A table so many cells wide; `ruled` has a line below each row."""
    left = rest(width, *(column.width for column in columns))
    widths = [column.width or left for column in columns]
    made = Table(box=box.HORIZONTALS, show_lines=ruled, pad_edge=False, width=width)
    for column, cells in zip(columns, widths, strict=True):
        made.add_column(column.heading, width=cells, justify=column.justify, overflow="fold")
    for row in rows:
        made.add_row(*(text(cell, cells) for cell, cells in zip(row, widths, strict=True)))
    return made


def columns(words: Words, right: str = "", **widths: int) -> list[Column]:
    """Columns by the name of their heading on the page, with their cells; one of numbers is to the right."""
    return [
        Column(words.say("page", name), width, "right" if name == right else "left")
        for name, width in widths.items()
    ]


def rest(width: int, *columns: int) -> int:
    """The cells that columns, the box and the padding leave of a table's width."""
    return width - sum(columns) - (3 * len(columns) - 1)


def text(cell: Cell, width: int) -> Text:
    """A cell with its lines broken."""
    lines = [Line(cell)] if isinstance(cell, str) else cell
    return Text("\n").join(Text(wrapped(line.text, width), line.style) for line in lines)
