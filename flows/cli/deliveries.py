"""`luohu note`, `luohu deliver` and `luohu carry`: what departments bring, and how it is taken in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import one_message, shown
from flows.cli.process_arguments import Given, Year, in_phase, operation
from flows.cli.streams import print_message, show, work_is_done
from flows.common.settings import DATA, MAX_REJECTS, WAREHOUSE
from flows.ledger.operations import DELIVER

if TYPE_CHECKING:
    from flows.process.deliveries.deliver import Delivered

Feed = Annotated[str, typer.Argument(metavar="FEED", help="One of the seventeen feeds.")]
Paths = Annotated[
    list[Path] | None, typer.Argument(metavar="PATH...", help="Its files, or folders of them.")
]
Withdrawn = Annotated[
    Path | None,
    typer.Option(
        "--withdrawn", metavar="FILE.csv", help="Subjects left with no row: one column `subject`."
    ),
]
Department = Annotated[str, typer.Option("--department", help="Who delivers.")]
DeliveredAt = Annotated[
    str, typer.Option("--delivered-at", metavar="T", help="When: a date or time by ISO 8601.")
]


def note(
    year: Year,
    feed: Feed,
    department: Department,
    delivered_at: DeliveredAt,
    scope: Annotated[
        str, typer.Option(help="all: replaces all of it; part: adds; people: a correction.")
    ],
    out: Annotated[Path, typer.Option(help="The note to write, in TOML.")],
    paths: Paths = None,
    withdrawn: Withdrawn = None,
    text: Annotated[str | None, typer.Option(help="A remark, without names.")] = None,
) -> None:
    """Write the note of a delivery: its files, rows and sums, counted and not screened.

    [bold]Examples[/]

      luohu note 2021 housing homes.csv --scope all --department 住建 --delivered-at 2021-05-20
        --out note.toml
      luohu note 2021 housing fixed.csv --scope people --withdrawn gone.csv --department 住建
        --delivered-at 2021-06-02T09:30 --out note.toml
    """
    from flows.common.moments import moment
    from flows.process.deliveries.write_note import noted, write_note

    with one_message():
        found = noted(
            *(year, feed, paths or []),
            scope=scope,
            department=department,
            delivered_at=moment(delivered_at, "--delivered-at"),
            withdrawn=withdrawn,
            text=text,
            out=out,
        )
        write_note(found, out)
        work_is_done()
        sums = [f"sum of {name}: {value:,}" for name, value in found.sums.items()]
        show([f"note {out}", f"rows: {found.rows:,}", *sums])


@operation(in_phase)
def deliver(
    year: Year,
    feed: Feed,
    note: Annotated[Path, typer.Option(help="The delivery's note, in TOML.")],
    paths: Paths = None,
    withdrawn: Withdrawn = None,
    max_rejects: Annotated[
        str, typer.Option(help="A delivery with a larger share of bad rows is refused.")
    ] = MAX_REJECTS,
    *,
    given: Given,
) -> None:
    """Take a delivery in: held against its note, screened at once, kept as it came, recorded.

    The same delivery again is recognised and not recorded twice.  Exit status: 0 done; 2 refused,
    with the figure that differs, and nothing recorded.

    [bold]Examples[/]

      luohu deliver 2021 housing homes.csv --note note.toml --by 李明
      luohu deliver 2021 housing fixed.csv --note note.toml --withdrawn gone.csv --by 李明
    """
    from flows.process.deliveries.deliver import deliver as take_in
    from flows.process.deliveries.deliver import share

    with one_message():
        asked = given.asked(DELIVER, year)
        with shown():
            done = take_in(
                *(asked, feed, paths or [], note),
                withdrawn=withdrawn,
                max_rejects=share(max_rejects),
            )
        show_delivered(done, given)


def carry(
    year: Year,
    feed: Feed,
    department: Department,
    delivered_at: DeliveredAt,
    out: Annotated[Path, typer.Option(help="New folder for the draft and its note.")],
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
) -> None:
    """Draft a correction from last round: verified facts of those who apply again (housing, education).

    It follows the feed's first delivery of this round, and leaves out everybody who is in it already.

    [bold]Examples[/]

      luohu carry 2021 education --department 教育 --delivered-at 2021-06-01 --out draft
      luohu deliver 2021 education draft/education-2020.csv --note draft/note.toml --by 李明
    """
    from flows.common.moments import moment
    from flows.process.deliveries.carry import carry as draft
    from flows.process.read import looked_at

    with one_message():
        state = looked_at(warehouse, data, say=print_message)
        done = draft(
            *(state, warehouse, year, feed, out),
            department=department,
            delivered_at=moment(delivered_at, "--delivered-at"),
        )
        work_is_done()
        show(
            [
                f"carried from round {done.round}: {done.note.rows:,} rows of {done.people:,} people",
                *(str(out / name) for name in (*done.note.files, "note.toml")),
            ]
        )


def show_delivered(done: "Delivered", given: Given) -> None:
    """What a delivery came to: its id first."""
    body = done.entry.body
    rejects = done.found.by_check() if done.found else []
    lines = [
        f"delivery {body['id']}",
        f"rows accepted: {body['accepted']:,}",
        f"rows quarantined: {body['quarantined']:,}",
        *(f"rejects: {column} {check} {rows:,}" for column, check, rows in rejects),
    ]
    if done.found is None:
        lines.append(f"the same files and note were recorded as entry {done.entry.seq} already")
    elif body["scope"] == "people":
        lines.insert(3, f"subjects withdrawn: {body['withdrawn']:,}")
    names = ("feed", "scope", "department", "delivered_at", "rows", "accepted", "quarantined")
    content = {
        "delivery": body["id"],
        **{name: body[name] for name in (*names, "withdrawn")},
        "rejects": [
            {"column_name": column, "check_name": check, "rows": rows}
            for column, check, rows in rejects
        ],
        "recognised": done.found is None,
    }
    given.show(done, lines, content)
