"""Rejects (隔离记录): what failed, where, in the shape of its value, and whom it is about.

They are found by position in the feed, named by file and row in it, and published without identities.
"""

from fractions import Fraction

import polars as pl

from flows.common.shapes import mask
from flows.run.file_columns import describe, types_of
from flows.run.refusal import refusal
from schemas.feeds import FEEDS
from schemas.words import of_check
from transforms.rounds import Round

# whom a quarantined row is about: kept beside a reject until it is resolved, never written
IDENTITIES = ("person_id", "employer_id", "subject_id", "application_no")
SHOWN_CHECKS = 3


def described(rows: pl.DataFrame, bad: pl.DataFrame, start: int) -> pl.DataFrame:
    """Failed checks with their position in the feed, a masked value, and whom the row is about."""
    about = rows[bad["index"]]
    return bad.select(
        position=pl.col("index") + start,
        column_name="column_name",
        check_name="check_name",
        masked_value=mask(pl.col("value")),
    ).with_columns(identity(about, name) for name in IDENTITIES)


def identity(rows: pl.DataFrame, name: str) -> pl.Series:
    """An identity column as text; nulls where the feed has no such column."""
    if name in rows.columns:
        return rows[name].cast(pl.String)
    return pl.Series(name, [None] * rows.height, dtype=pl.String)


def contradictions(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that share a key and differ, as failed checks."""
    key = ", ".join(dict.fromkeys(name for each in FEEDS[feed].keys for name in each))
    return rows.select(
        position=pl.col("row").cast(pl.Int64),
        column_name=pl.lit(key),
        check_name=pl.lit("conflicting_duplicate"),
        masked_value=pl.lit(None, pl.String),  # no single value is wrong
    ).with_columns(identity(rows, name) for name in IDENTITIES)


def located(feed: str, rejects: pl.DataFrame, file_rows: dict[str, int]) -> pl.DataFrame:
    """Rejects by file and by row in it, instead of by position in the feed."""
    files = pl.DataFrame(
        {"file": list(file_rows), "rows": list(file_rows.values())},
        schema={"file": pl.String, "rows": pl.Int64},
    )
    starts = files.with_columns(start=pl.col("rows").cum_sum() - pl.col("rows")).filter(
        pl.col("rows") > 0
    )
    return (
        rejects.sort("position", maintain_order=True)
        .join_asof(starts, left_on="position", right_on="start", strategy="backward")
        .select(
            feed=pl.lit(feed),
            file="file",
            row_number=pl.col("position") - pl.col("start") + 1,
            column_name="column_name",
            check_name="check_name",
            masked_value="masked_value",
            **{name: name for name in IDENTITIES},
        )
    )


def published_rejects(
    rejects: pl.DataFrame, applications: pl.DataFrame, this_round: Round
) -> pl.DataFrame:
    """Rejects as published: no identity but the application they belong to.

    The number of a rejected application is shown only where it passed its own check.
    """
    known = applications.select(
        pl.col("person_id").cast(pl.String), accepted_no=pl.col("application_no")
    )
    bad_number = (pl.col("column_name") == "application_no").any().over("file", "row_number")
    own = pl.when(~bad_number).then("application_no")
    return (
        rejects.with_row_index("order")
        .with_columns(person_id=pl.coalesce("person_id", "subject_id"), own_no=own)
        .join(known, on="person_id", how="left", validate="m:1")
        .sort("order", "row_number", "column_name", "check_name")
        .select(
            round=pl.lit(this_round.year, pl.Int32),
            feed="feed",
            file="file",
            row_number="row_number",
            column_name="column_name",
            check_name="check_name",
            masked_value="masked_value",
            application_no=pl.when(pl.col("feed") == "applications")
            .then("own_no")
            .otherwise("accepted_no"),
        )
    )


def too_many(
    feed: str, rejects: pl.DataFrame, quarantined: int, rows: int, max_rejects: Fraction
) -> str:
    """Why a feed with too many bad rows is refused, with the commonest failed checks."""
    found = f"{quarantined:,} of {rows:,} ({hundredths(quarantined, rows)} %)"
    common = (
        rejects.group_by("column_name", "check_name")
        .agg(
            pl.len().alias("rows"),
            pl.col("file").first(),
            pl.col("row_number").first(),
            pl.col("masked_value").first().alias("like"),
        )
        .sort("rows", "column_name", "check_name", descending=[True, False, False])
        .head(SHOWN_CHECKS)
    )
    message = "; ".join(
        f"column {each['column_name']}: expected {expected(feed, **each)}{came(**each)}"
        f" (first of {each['rows']:,}: {each['file']} row {each['row_number']:,})"
        for each in common.iter_rows(named=True)
    )
    at_most = f"at most {hundredths(max_rejects.numerator, max_rejects.denominator)} % bad rows"
    return f"{refusal(feed, at_most, found)}: {message}"


def expected(feed: str, column_name: str, check_name: str, **_others: object) -> str:
    """What a failed check wanted: the type where a cell did not parse."""
    if check_name == "parse":
        return describe(types_of(FEEDS[feed].schema())[column_name])
    return of_check(check_name)


def came(check_name: str, like: str | None, **_others: object) -> str:
    """What came in the first of the rows, by its shape; no single value contradicts another."""
    if check_name == "conflicting_duplicate":
        return ""
    shown = f"text like {like!r}" if like else "nothing" if like is None else "empty text"
    return f", came {shown}"


def hundredths(part: int, whole: int) -> str:
    """A share in per cent with two places, rounded down."""
    return f"{part * 100 // whole}.{part * 10_000 // whole % 100:02}"
