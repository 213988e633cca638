"""What a comparison of two runs comes to: who moved, counted, by cause, for machines and as a file."""

from pathlib import Path
from typing import Any

import polars as pl

from flows.audit.diff import NUMBER, STANDING, Diff, Side
from flows.audit.diff.attribution import FLAGS, POINTS
from flows.audit.diff.causes import CAUSES
from flows.common.failures import BadUsage
from flows.common.files import may_become, written_aside
from flows.common.points import in_points, in_text

FIRST = 20  # so many applications are listed unless all are asked for
SUFFIXES = (".parquet", ".csv")
PLACE = "application"  # a row of the applications; shares name it
MEASURES = (*POINTS, *FLAGS)

THERE_THEN, THERE_NOW = pl.col("total_then").is_not_null(), pl.col("total_now").is_not_null()
IN_BOTH = THERE_THEN & THERE_NOW
SETTLED_THEN, SETTLED_NOW = (
    pl.col(name).fill_null(value=False) for name in ("settled_then", "settled_now")
)
BY = pl.col("total_now").fill_null(0) - pl.col("total_then").fill_null(0)
OTHER_STANDING = {
    name: pl.col(f"{name}_then").ne_missing(pl.col(f"{name}_now")) for name in STANDING
}
# those whose standing differs: moved, came in or dropped out
OTHERWISE = pl.any_horizontal(each for name, each in OTHER_STANDING.items() if name != "rank")
COUNTED = {
    "moved": IN_BOTH & OTHERWISE,
    "more_points": IN_BOTH & (BY > 0),
    "fewer_points": IN_BOTH & (BY < 0),
    "became_eligible": IN_BOTH & ~pl.col("eligible_then") & pl.col("eligible_now"),
    "no_longer_eligible": IN_BOTH & pl.col("eligible_then") & ~pl.col("eligible_now"),
    "crossed_upward": IN_BOTH & ~SETTLED_THEN & SETTLED_NOW,
    "crossed_downward": IN_BOTH & SETTLED_THEN & ~SETTLED_NOW,
    "came_in": ~THERE_THEN,
    "came_in_settled": ~THERE_THEN & SETTLED_NOW,
    "dropped_out": ~THERE_NOW,
    "dropped_out_settled": ~THERE_NOW & SETTLED_THEN,
    "other_rank_only": ~OTHERWISE & OTHER_STANDING["rank"],
}


def counts(found: Diff) -> dict[str, int]:
    """How many applications moved, and how, came in or dropped out; the names are those of `COUNTED`."""
    counted = found.applications.select(each.sum().alias(name) for name, each in COUNTED.items())
    return dict(counted.row(0, named=True))


def moved(found: Diff, first: int | None) -> pl.DataFrame:
    """Who moved, came in or dropped out: first those across the line, then by points, then by number."""
    return (
        found.applications.with_row_index(PLACE)
        .filter(OTHERWISE)
        .sort(SETTLED_THEN == SETTLED_NOW, -BY.abs(), NUMBER, PLACE)
        .slice(0, first)
    )


def by_cause(found: Diff) -> pl.DataFrame:
    """Cause and measure: how many applications, what they gained, what they lost."""
    amount = pl.col("amount")
    return ordered(
        found.shares.group_by("cause", "measure").agg(
            applications=pl.len(),
            gained=amount.filter(amount > 0).sum(),
            lost=amount.filter(amount < 0).sum(),
        )
    )


def affected(found: Diff) -> dict[str, int]:
    """How many applications a cause has any effect on, also where another makes up for it."""
    return dict(found.shares.group_by("cause").agg(pl.col(PLACE).n_unique()).iter_rows())


def ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by cause, the four first, and measure, in the order of the published tables."""
    causes = [*CAUSES, *sorted(set(rows["cause"]) - set(CAUSES))]
    return rows.sort(
        *([PLACE] if PLACE in rows.columns else []),
        pl.col("cause").cast(pl.Enum(causes)),
        pl.col("measure").cast(pl.Enum(MEASURES)),
    )


def amount_of(measure: str, amount: int) -> str | int:
    """A share for people and machines: points as text, exactly, and 1 or -1 for the rest."""
    return amount if measure in FLAGS else points(amount)


def points(centipoints: int) -> str:
    """Centipoints as points with their sign, exactly."""
    return f"{'+' * (centipoints >= 0)}{in_text(centipoints)}"


def why(found: Diff, movers: pl.DataFrame) -> dict[int, list[dict[str, Any]]]:
    """The shares of some applications by their place."""
    of = found.shares.filter(pl.col(PLACE).is_in(movers[PLACE].implode()))
    reasons: dict[int, list[dict[str, Any]]] = {place: [] for place in movers[PLACE]}
    for row in ordered(of).iter_rows(named=True):
        reasons[row[PLACE]].append(
            {
                "cause": row["cause"],
                "measure": row["measure"],
                "amount": amount_of(row["measure"], row["amount"]),
            }
        )
    return reasons


def as_json(found: Diff, first: int | None) -> dict[str, Any]:
    """The comparison for machines, with so many of those who moved, or all of them."""
    movers = moved(found, first)
    reasons = why(found, movers)
    reach = affected(found)
    table = by_cause(found).rows(named=True)
    return {
        "a": side(found.a),
        "b": side(found.b),
        "differing": found.causes.differing,
        "changes": [each._asdict() for each in found.causes.changes],
        "notes": found.notes,
        "counts": counts(found),
        "causes": [
            {
                "cause": cause,
                "applications": reach[cause],
                "measures": {
                    row["measure"]: {
                        "applications": row["applications"],
                        "gained": amount_of(row["measure"], row["gained"]),
                        "lost": amount_of(row["measure"], row["lost"]),
                    }
                    for row in table
                    if row["cause"] == cause
                },
            }
            for cause in dict.fromkeys(row["cause"] for row in table)
        ],
        "applications": [
            {
                NUMBER: row[NUMBER],
                **{
                    name: [plain(row[f"{name}_then"]), plain(row[f"{name}_now"])]
                    for name in STANDING
                },
                "why": reasons[row[PLACE]],
            }
            for row in movers.iter_rows(named=True)
        ],
    }


def side(of: Side) -> dict[str, Any]:
    """A run and its line."""
    return {
        "run_id": of.run.run_id,
        "round": of.run.year,
        "directory": str(of.run.directory),
        **{name: plain(value) for name, value in of.line.items()},
    }


def plain(value: Any) -> Any:
    """A value as JSON has it; points as text, exactly."""
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def write(found: Diff, path: Path) -> None:
    """Every share beside the standing of its application, as Parquet or CSV; complete or absent."""
    of_people = pl.col("measure").is_in(FLAGS)
    rows = (
        ordered(found.shares)
        .join(
            found.applications.with_row_index(PLACE),
            on=PLACE,
            how="left",
            maintain_order="left",
            validate="m:1",
        )
        .select(
            NUMBER,
            "measure",
            "cause",
            pl.when(of_people)
            .then(pl.col("amount").cast(pl.Decimal(9, 2)))
            .otherwise(in_points(pl.col("amount")))
            .alias("amount"),
            # 1.00 is a point of a measure in points, and a person of the others
            pl.when(of_people).then(pl.lit("people")).otherwise(pl.lit("points")).alias("unit"),
            *(name for name in found.applications.columns if name != NUMBER),
        )
    )
    try:
        with written_aside(path, private=True) as file:
            (rows.write_csv if path.suffix == ".csv" else rows.write_parquet)(file)
    except OSError as error:
        raise BadUsage(f"--out {path}: cannot be written: {error.strerror}") from None


def require_writable(path: Path) -> None:
    """Raise BadUsage for a file that could not be written in the end."""
    if path.suffix not in SUFFIXES:
        raise BadUsage(f"--out {path}: expected a name ending in {' or '.join(SUFFIXES)}")
    if not may_become(path):
        raise BadUsage(f"--out {path}: expected a new file or a plain one, found something else")
    if not path.absolute().parent.is_dir():
        raise BadUsage(f"--out {path}: expected the folder {path.absolute().parent}, found none")
