"""Conditions and indicators in a receipt: law, values in force, evidence, and what they come down to."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from flows.common.failures import CheckFailed
from flows.explain.receipts.checks import CHECKS
from flows.explain.receipts.encode import Pieces, an_array, an_object, plain, quoted, text
from flows.explain.receipts.indicator_parts import PARTS
from transforms.policy import Rule
from transforms.rounds import Round

# the fields of an evidence that are no counts
CODES = ("level", "graduated_on", "award_scope", "position_kind", "reached_on")
FLAGS = (
    "home_outside_in_december",
    "home_before_inside",
    "job_before_inside",
    "insured_in_month",
    "registered_in_beijing",
    "tax_registered",
    "tax_paying",
)
TYPES: dict[str, pl.DataType] = {
    **dict.fromkeys(CODES, pl.String()),
    **dict.fromkeys(FLAGS, pl.Boolean()),
}


def law(rule: Rule) -> dict[str, Any]:
    """What a rule rests on: the same for everybody."""
    return {
        "rule": rule.name,
        "title": rule.title,
        "title_zh": rule.title_zh,
        "clause": rule.clause,
        "values": {
            name: {"value": each.value, "from": each.date, "cite": each.cite}
            for name, each in rule.dated.items()
        },
    }


def conditions(rows: pl.DataFrame, rule: Rule, made: Round) -> pl.Series:
    """One condition as JSON; `rows` has holds and evidence."""
    checks = CHECKS[rule.name](rule, made)
    found = unpacked(rows, [each.holds for each in checks] + [each.found for each in checks])
    holds = pl.all_horizontal(each.holds for each in checks)
    require_same(rule, found.select(holds != pl.col("holds")).to_series())
    return found.select(
        text(
            an_object(
                {
                    "holds": plain("holds"),
                    **law(rule),
                    "evidence": pl.col("evidence"),
                    "checks": an_array(each.json() for each in checks),
                }
            )
        )
    ).to_series()


def indicators(rows: pl.DataFrame, rule: Rule, made: Round, months: pl.Series | None) -> pl.Series:
    """One indicator as JSON; `rows` has points and evidence, `months` the spans it looks at."""
    parts = PARTS[rule.name](rule, made)
    described = parts.json()
    found = unpacked(rows, [parts.centipoints(), *(expressions(described.values()))])
    stored = (pl.col("points").cast(pl.Decimal(18, 2)) * 100).cast(pl.Int64)
    require_same(rule, found.select(stored != parts.centipoints()).to_series())
    spans = {} if months is None else {"months": pl.col("months")}
    return (
        found.with_columns(*([] if months is None else [months.alias("months")]))
        .select(
            text(
                an_object(
                    {
                        "points": quoted("points"),
                        "centipoints": plain(stored),
                        **law(rule),
                        "evidence": pl.col("evidence"),
                        **described,
                        **spans,
                    }
                )
            )
        )
        .to_series()
    )


def expressions(values: Iterable[Any]) -> list[pl.Expr]:
    """The columns in JSON pieces."""
    found: list[pl.Expr] = []
    for value in values:
        if isinstance(value, pl.Expr):
            found.append(value)
        elif isinstance(value, Pieces):
            found += [piece for piece in value if isinstance(piece, pl.Expr)]
    return found


def unpacked(rows: pl.DataFrame, needed: Iterable[pl.Expr]) -> pl.DataFrame:
    """Rows with the fields of their evidence that some expressions need; null where it has none."""
    names = sorted({name for each in needed for name in each.meta.root_names()})
    dtype = pl.Struct({name: kind_of(name) for name in names})
    fields = rows["evidence"].str.json_decode(dtype).struct.unnest()
    return rows.hstack(fields)


def kind_of(field: str) -> pl.DataType:
    """The type of an evidence field: a count, unless it is a code, a flag or a sum of money."""
    money = pl.Int128() if "fen" in field.split("_") else pl.Int64()
    return TYPES.get(field, money)


def require_same(rule: Rule, differs: pl.Series) -> None:
    """Raise CheckFailed when parts do not come to what was published."""
    if (wrong := differs.sum()) or differs.null_count():
        raise CheckFailed(
            f"{rule.name}: expected parts that come to the published result,"
            f" found {wrong:,} of {differs.len():,} applications where they do not"
        )
