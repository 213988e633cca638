"""Ways to spoil a row, by feed: each breaks a check of the feed's model.

A way is a set of columns and the expressions put in their place; in CSV also text that does not
parse as the column's type.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np
import polars as pl

from flows.simulate.arrays import Rng
from flows.simulate.feeds import FEEDS, SCHEMAS
from flows.simulate.setting import Setting
from flows.simulate.write import Format

Way: TypeAlias = Mapping[str, pl.Expr]

# checks of numbers with a check character
NUMBERS = {"id_number", "credit_code", "person_or_employer"}
BOUNDED = {"isin", "in_range", "greater_than"}
STARTS = {
    "valid_to": "valid_from",
    "end_date": "start_date",
    "held_to": "held_from",
    "revoked_on": "awarded_on",
    "recorded_on": "month",
}
NO_EVENTS = {*STARTS, "birth_date", "month"} - {"recorded_on"}
JUNK = {
    pl.Date(): ["2019/12/01", "20191201", "2019-02-30", "去年"],
    pl.Datetime("us"): ["2020-07-20 25:00", "昨天"],
    pl.Boolean(): ["是", "True", "1"],
    pl.Int64(): ["12.5", "1,000", "abc"],
}


def wrong_check(column: str) -> pl.Expr:
    """The number with another last character."""
    other = pl.when(pl.col(column).str.ends_with("0")).then(pl.lit("1")).otherwise(pl.lit("0"))
    return pl.col(column).str.head(17) + other


def ways(feed: str, s: Setting) -> Iterator[Way]:
    """Every way to spoil a row of a feed that its types allow."""
    for name, column in SCHEMAS[feed].items():
        dtype, checks = FEEDS[feed][name], {check.name for check in column.checks}
        is_text = dtype == pl.String()
        values: list[pl.Expr] = []
        if not column.nullable:
            values += [pl.lit(None, dtype), *([pl.lit("")] if is_text else [])]
        if checks & BOUNDED:
            values += [pl.lit("unknown")] if is_text else [pl.lit(0), pl.lit(-2)]
        if checks & NUMBERS:
            values.append(wrong_check(name))
        if "six_digits" in checks:
            values += [pl.lit("1101"), pl.lit("海淀区")]
        if name in STARTS:
            values.append(pl.col(STARTS[name]).dt.offset_by("-1d"))
        yield from ({name: value} for value in values)
        if dtype == pl.Date() and s.round.received_on and name not in NO_EVENTS:
            ends = [end for end, start in STARTS.items() if start == name and end in FEEDS[feed]]
            late = pl.lit(s.round.received_on).dt.offset_by("1d")
            yield {name: late, **dict.fromkeys(ends, pl.lit(None, pl.Date()))}
    yield from of_one_feed(s).get(feed, [])


def of_one_feed(s: Setting) -> Mapping[str, list[Way]]:
    """Ways that only one feed knows."""
    day, no = pl.col("month").dt, pl.lit(value=False)
    late = pl.col("recorded_on").dt.offset_by("1mo")
    return {
        "applications": [{"birth_date": pl.col("birth_date").dt.offset_by("1d")}],
        "social_insurance": [
            {"month": day.offset_by("14d"), "recorded_on": late},
            dict.fromkeys(s.insurances, pl.lit(None, pl.String())),
        ],
        "education": [
            {"has_diploma": no, "has_degree": no},
            {"enrolled_on": pl.col("graduated_on").dt.offset_by("1d")},
        ],
    }


def broken(rng: Rng, feed: str, frame: pl.DataFrame, fmt: Format, s: Setting) -> pl.DataFrame:
    """Every row spoilt in one way, the ways taken in turn; as text where the feed is CSV."""
    types, in_text = FEEDS[feed], as_text if fmt == "csv" else pl.DataFrame
    known = [*ways(feed, s)]
    junk = [(name, text) for name, dtype in types.items() for text in JUNK.get(dtype, [])]
    junk = junk if fmt == "csv" else []
    count = len(known) + len(junk)
    turn = (np.arange(frame.height) + rng.integers(count)) % count
    rows = [frame.filter(pl.Series(turn == place)) for place in range(count)]
    made = [
        in_text(mine.with_columns(**way).cast(dict(types)))  # type: ignore[arg-type]
        for mine, way in zip(rows, known, strict=False)
    ]
    made += [
        as_text(mine).with_columns(pl.lit(text).alias(name))
        for mine, (name, text) in zip(rows[len(known) :], junk, strict=True)
    ]
    return pl.concat([in_text(frame.clear()), *made])


def conflicting(feed: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Copies that share a key with their row and differ in another column, all of it valid."""
    district = pl.col("work_district")
    other: Mapping[str, Way] = {
        "applications": {"name": pl.col("name") + "华"},
        "social_insurance": {
            "work_district": pl.when(district == "110101")
            .then(pl.lit("110105"))
            .otherwise(pl.lit("110101"))
        },
        "employers": {"tax_paying": ~pl.col("tax_paying")},
        "company_tax": {"attributed_fen": pl.col("attributed_fen") + 1},
    }
    return frame.with_columns(**other[feed]) if feed in other else frame.clear()


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Every cell as CSV writes it."""
    times = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S")
    return frame.with_columns(times).cast(pl.String)
