"""`luohu simulate`: a delivery of invented people."""

from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from flows.cli.arguments import Data
from flows.cli.messages import one_message, shown
from flows.cli.streams import work_is_done
from flows.common.failures import BadUsage
from flows.common.settings import DATA

MOST = 99_999_999  # as many as application numbers have room for


class Format(StrEnum):
    """How simulated feeds are written."""

    parquet = "parquet"
    csv = "csv"


def simulate(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    out: Annotated[Path, typer.Option(help="New folder for the delivery.")],
    applicants: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST, help="How many apply; default: as many as really did that year."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    points: Annotated[
        Path | None,
        typer.Option(help="CSV of published points: make records from which exactly these follow."),
    ] = None,
    fmt: Annotated[Format, typer.Option("--format", help="File format.")] = Format.parquet,
    dirty: Annotated[
        float,
        typer.Option(min=0.0, help="Share of bad rows of every kind, of duplicates and strangers."),
    ] = 0.001,
    deliveries: Annotated[
        bool,
        typer.Option(
            "--deliveries",
            help="In pieces with their notes, as departments bring and correct them.",
        ),
    ] = False,
    data: Data = DATA,
) -> None:
    """Make a delivery of invented people.

    [bold]Examples[/]

      luohu simulate 2020 --out feeds                      the real number of applicants
      luohu simulate 2020 --out small --applicants 1000    a small one
      luohu simulate 2020 --out csv --applicants 1000 --format csv --dirty 0
      luohu simulate 2020 --out real --points points-2020.csv
      luohu simulate 2021 --out pieces --applicants 1000 --deliveries
    """
    from flows.common.progress import report
    from flows.simulate import simulate as make
    from flows.simulate.pieces import simulate_pieces

    with one_message(), shown():
        try:
            (simulate_pieces if deliveries else make)(
                year,
                out,
                applicants=applicants,
                seed=seed,
                points=points,
                fmt=fmt.value,
                dirty=dirty,
                data=data,
                progress=report,
            )
        except ValueError as error:
            raise BadUsage(str(error)) from None
    work_is_done()
    if deliveries:
        print(f"deliveries written to {out}, in the order of {out}/deliveries.csv")
        return
    print(f"delivery written to {out}\ntry: luohu run {year} --feeds {quote(str(out))}")
