"""What is read of a run that may come from elsewhere, in a capsule or a directory: checked beforehand.

Of every table: rows and size as its footer gives them, kinds of columns as a run writes them, dates of
four-digit years and numbers of at most sixteen digits: rules turn a home into the months it was held.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from flows.common.by_name import scan_table, schema_of
from flows.common.failures import TooLarge
from flows.common.limits import parquet_problem

MOST_NUMBER = 10**15  # whole fen, as in a delivery
MOST_HOME_MONTHS = 500_000_000
PLAIN = (
    *(pl.Boolean, pl.String, pl.Enum, pl.Categorical, pl.Decimal, pl.Null),
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    *(pl.Date, pl.Datetime),
)
DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
HOUSING = "accepted/housing.parquet"
UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


def require_bounded(directory: Path, manifest: dict[str, Any]) -> None:
    """Raise TooLarge where a table of a run is more than is read; its files need not be believed."""
    for name in manifest["outputs"]:
        path = directory / name
        if not path.is_file():
            continue  # reported where files are held against the manifest
        if problem := parquet_problem(path):
            raise TooLarge(f"{path}: {problem}: not read")
        for problem in odd_columns(path):
            raise TooLarge(f"{path}: {problem}: not read")
    years = [int(name[: -len(".toml")]) for name in manifest["round"] if name[:-5].isdigit()]
    for year in years[:1]:
        require_home_months(directory / HOUSING, min(year, date.max.year))


def odd_columns(path: Path) -> Iterator[str]:
    """Columns of a kind, or with a value, that no run writes; one row group at a time is read."""
    try:
        schema = schema_of(path)
        for name, kind in schema.items():
            if not isinstance(kind, PLAIN):
                yield f"column {name[:40]!r}: expected plain values, found {str(kind)[:40]}"
                return
        ranges = {name: limits(kind) for name, kind in schema.items() if limits(kind)}
        physical = [pl.col(name).to_physical() for name in ranges]
        found = (
            scan_table(path)
            .select(
                *(each.min().alias(f"least {place}") for place, each in enumerate(physical)),
                *(each.max().alias(f"most {place}") for place, each in enumerate(physical)),
            )
            .collect(engine="streaming")
        )
    except UNREADABLE:
        return  # reported where it is read
    for place, (name, (least, most)) in enumerate(ranges.items()):
        low, high = found[f"least {place}"].item(), found[f"most {place}"].item()
        if low is not None and (low < least or high > most):
            kind = schema[name]
            wanted = "years 1 to 9999" if kind.is_temporal() else f"numbers to {MOST_NUMBER:,}"
            yield f"column {name[:40]!r}: expected {wanted}, found others"


def limits(kind: pl.DataType) -> tuple[int, int]:
    """The least and the most a column of a kind may hold, as whole numbers; nothing without limits."""
    epoch = date(1970, 1, 1)
    days = (date.min - epoch).days, (date.max - epoch).days
    if kind == pl.Date:
        return days
    if isinstance(kind, pl.Datetime):
        unit = DAY[kind.time_unit]
        return days[0] * unit, (days[1] + 1) * unit
    return (-MOST_NUMBER, MOST_NUMBER) if kind.is_integer() else ()  # type: ignore[return-value]


def require_home_months(path: Path, year: int) -> None:
    """Raise TooLarge where homes were held for more months than a round can have."""
    first, last = date(1900, 1, 1), date(max(year, 1901) - 1, 12, 31)
    start = pl.col("start_date").clip(first, last)
    end = pl.col("end_date").fill_null(last).clip(first, last)
    months = (end.dt.year() - start.dt.year()).cast(pl.Int64) * 12 + 12
    try:
        rows = scan_table(path)
        found = rows.select(months.clip(0).sum()).collect(engine="streaming").item()
    except (*UNREADABLE, OSError):
        return  # without these columns no home is looked at
    if found > MOST_HOME_MONTHS:
        raise TooLarge(
            f"{path}: expected homes of at most {MOST_HOME_MONTHS:,} months, found {found:,}:"
            " not read"
        )
