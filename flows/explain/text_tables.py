"""Tables of one fixed width, whose cells break as Chinese does; where that is too narrow, lists."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from rich import box
from rich.console import JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from flows.explain.words import Words
from flows.explain.wrap import wrapped

DIM, STRONG = "dim", "bold"
REST = 0  # a column as wide as the others leave
FEW = 4  # columns that need no heading to be understood
NARROW, NARROW_TEXT = 18, 36  # cells that have to be left for it: for a few words, for sentences


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
) -> RenderableType:
    """A table so many cells wide; `ruled` has a line below each row, and sentences in its last column."""
    left = rest(width, *(column.width for column in columns))
    if left < (NARROW_TEXT if ruled else NARROW):
        names = [column.heading for column in columns] if len(columns) > FEW else []
        return Text("\n").join(listed(labelled(row, names), width, ruled=ruled) for row in rows)
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


def labelled(row: Sequence[Cell], names: Sequence[str]) -> Sequence[Cell]:
    """The cells of a row, each behind the heading of its column where there are headings."""
    return [f"{name}: {cell}" for name, cell in zip(names, row, strict=True)] if names else row


def listed(row: Sequence[Cell], width: int, *, ruled: bool) -> Text:
    """A row without columns: its short cells in one line, the last one below."""
    *short, long = row
    texts = (
        cell if isinstance(cell, str) else " ".join(part.text for part in cell) for cell in short
    )
    head = text([Line("  ".join(filter(None, texts)), STRONG if ruled else "")], width)
    indent = width - width % 2 - 2
    below = text(long, indent)
    return (
        Text("\n").join([head, *(Text("  ") + each for each in below.split("\n"))])
        if below
        else head
    )


def rest(width: int, *columns: int) -> int:
    """The cells that columns, the box and the padding leave of a table's width."""
    return width - sum(columns) - (3 * len(columns) - 1)


def strong(line: str, width: int) -> Text:
    """A line that stands out."""
    return text([Line(line, STRONG)], width)


def text(cell: Cell, width: int) -> Text:
    """A cell with its lines broken."""
    lines = [Line(cell)] if isinstance(cell, str) else cell
    return Text("\n").join(Text(wrapped(line.text, width), line.style) for line in lines)
