"""`luohu export`: a copy of the analysts' database that may be handed out."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.arguments import Warehouse
from flows.cli.messages import one_message, shown
from flows.cli.streams import show, work_is_done
from flows.common.failures import BadUsage
from flows.common.settings import WAREHOUSE

OUT = Path("luohu-without-names.duckdb")


def export(
    out: Annotated[Path, typer.Option(help="New file; one that is there is not replaced.")] = OUT,
    warehouse: Warehouse = WAREHOUSE,
    without_names: Annotated[
        bool,
        typer.Option(
            "--without-names",
            help="Leave out names, birth months, employers, public serials and reasons given."
            " Must be given: with names the database is that of the warehouse.",
        ),
    ] = False,
) -> None:
    """Write the analysts' database without names to a new DuckDB file.

    It is complete, with every round, table, view, comment and worked query; the columns that say who
    somebody is are empty: in public_list name, birth_month, employer and serial, in ranking serial,
    by which the published list leads to the evidence.  No name stands anywhere in the file.

    It is still about people, and not anonymous: birth dates stand in the evidence, and who knows
    somebody's published points finds the row that has them.  So it is for its owner only (0600) until
    you hand it out.  With names, the database is luohu.duckdb itself.

    Exit status: 0 written; 2 there is no database, or the file cannot be written.

    [bold]Examples[/]

      luohu export --without-names
      luohu export --without-names --out /srv/share/luohu-2020.duckdb --warehouse /srv/luohu
      ATTACH 'luohu-without-names.duckdb' AS l (READ_ONLY); FROM l.queries;      in any DuckDB
    """
    from flows.run.export import export_without_names

    with one_message():
        if not without_names:
            raise BadUsage(
                "expected --without-names: with names the database is luohu.duckdb in the warehouse"
            )
        with shown():
            done = export_without_names(warehouse, out)
        work_is_done()
        show(
            [
                str(done.out),
                f"rounds:     {', '.join(map(str, done.rounds)) or 'none'}",
                f"left empty: {', '.join(done.left_out)}",
            ]
        )
