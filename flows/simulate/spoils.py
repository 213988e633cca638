"""Ways to spoil a row, by feed: each breaks a check of the data contract.

A way is a set of columns and the expressions put in their place; in CSV also text that does not
parse as the column's type.
"""

from collections.abc import Mapping
from typing import TypeAlias

import polars as pl

from flows.simulate.arrays import Rng
from flows.simulate.feeds import FEEDS
from flows.simulate.setting import Setting
from flows.simulate.write import Format

Way: TypeAlias = Mapping[str, pl.Expr]

OPTIONAL = {
    *("valid_to", "pension", "medical", "unemployment", "injury", "maternity", "end_date"),
    *("registered_on", "enrolled_on", "held_to", "revoked_on"),
}
CODED = {
    *("sex", "retirement_class", "kind", "level", "income_kind", "scope", "pension", "maternity"),
}
IDS = {"person_id", "employer_id", "subject_id"}
DISTRICTS = {"district", "work_district"}
ENDS = {
    "valid_to": "valid_from",
    "end_date": "start_date",
    "held_to": "held_from",
    "revoked_on": "awarded_on",
}
JUNK = {
    pl.Date(): ["2019/12/01", "20191201", "2019-02-30", "去年"],
    pl.Datetime("us"): ["2020-07-20 25:00", "昨天"],
    pl.Boolean(): ["是", "True", "1"],
    pl.Int64(): ["12.5", "1,000", "abc"],
}


def wrong_check(column: str) -> pl.Expr:
    """The number with another last character."""
    last = pl.col(column).str.slice(17)
    return pl.col(column).str.slice(0, 17) + pl.when(last == "0").then(pl.lit("1")).otherwise(
        pl.lit("0")
    )


def ways(feed: str, s: Setting) -> list[Way]:
    """Every way to spoil a row of a feed that its types allow."""
    made: list[Way] = []
    for column, dtype in FEEDS[feed].items():
        if column not in OPTIONAL:
            made.append({column: pl.lit(None, dtype)})
        if dtype == pl.String() and column not in OPTIONAL:
            made.append({column: pl.lit("")})
        if column in CODED:
            made.append({column: pl.lit("unknown")})
        if column in IDS:
            made.append({column: wrong_check(column)})
        if column in DISTRICTS:
            made += [{column: pl.lit("1101")}, {column: pl.lit("海淀区")}]
        if column in ENDS:
            made.append({column: pl.col(ENDS[column]).dt.offset_by("-1d")})
        if dtype == pl.Date() and s.round.received_on and column not in ENDS:
            made += after_receipt(feed, column, s)
    return made + of_one_feed(s).get(feed, [])


def after_receipt(feed: str, column: str, s: Setting) -> list[Way]:
    """An event after the day the feeds were received."""
    if column in {"birth_date", "month"} or s.round.received_on is None:
        return []
    day = pl.lit(s.round.received_on).dt.offset_by("1d")
    later = {
        end: pl.lit(None, pl.Date())
        for end, start in ENDS.items()
        if start == column and end in FEEDS[feed]
    }
    return [{column: day, **later}]


def of_one_feed(s: Setting) -> Mapping[str, list[Way]]:
    """Ways that only one feed knows."""
    none = pl.lit(None, pl.String())
    return {
        "applications": [{"birth_date": pl.col("birth_date").dt.offset_by("1d")}],
        "social_insurance": [
            {
                "month": pl.col("month").dt.offset_by("14d"),
                "recorded_on": pl.col("recorded_on").dt.offset_by("1mo"),
            },
            dict.fromkeys(s.insurances, none),
            {"recorded_on": pl.col("month").dt.offset_by("-1d")},
        ],
        "education": [
            {"has_diploma": pl.lit(value=False), "has_degree": pl.lit(value=False)},
            {"enrolled_on": pl.col("graduated_on").dt.offset_by("1d")},
        ],
        "awards": [{"points": pl.lit(0)}, {"points": pl.lit(7)}, {"points": pl.lit(-2)}],
        "shareholdings": [{"share_bp": pl.lit(0)}, {"share_bp": pl.lit(10_001)}],
        "financings": [{"amount_fen": pl.lit(0)}, {"amount_fen": -pl.col("amount_fen")}],
    }


def broken(rng: Rng, feed: str, frame: pl.DataFrame, fmt: Format, s: Setting) -> pl.DataFrame:
    """Every row spoilt in one way, the ways taken in turn; as text where the feed is CSV."""
    known = ways(feed, s)
    junk = [
        {column: pl.lit(text)}
        for column, dtype in FEEDS[feed].items()
        for text in (JUNK.get(dtype, []) if fmt == "csv" else [])
    ]
    first = int(rng.integers(len(known) + len(junk)))
    numbered = frame.with_columns(turn=(pl.int_range(pl.len()) + first) % (len(known) + len(junk)))
    made = [frame.clear()] if fmt == "parquet" else [as_text(frame.clear())]
    for turn, way in enumerate([*known, *junk]):
        mine = numbered.filter(pl.col("turn") == turn).drop("turn")
        if turn < len(known):
            mine = mine.with_columns(**way).cast(dict(FEEDS[feed]))  # type: ignore[arg-type]
        made.append(
            (as_text(mine) if fmt == "csv" else mine).with_columns(
                **(way if turn >= len(known) else {})
            )
        )
    return pl.concat(made)


def conflicting(feed: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Copies that share a key with their row and differ in another column, all of it valid."""
    swap = (
        pl.when(pl.col("work_district") == "110101")
        .then(pl.lit("110105"))
        .otherwise(pl.lit("110101"))
    )
    other: Mapping[str, Way] = {
        "applications": {"name": pl.col("name") + "华"},
        "social_insurance": {"work_district": swap},
        "employers": {"tax_paying": ~pl.col("tax_paying")},
        "company_tax": {"attributed_fen": pl.col("attributed_fen") + 1},
    }
    return frame.with_columns(**other[feed]) if feed in other else frame.clear()


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Every cell as CSV writes it."""
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    return frame.with_columns(pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S") for name in times).cast(
        pl.String
    )
