"""Conditions and indicators in a receipt: law, values in force, evidence, and what they come down to.

Parts and checks are those the rule declares, worked out from the evidence the run recorded and the
policy values it pinned.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from flows.common.failures import CheckFailed
from flows.common.points import centipoints
from flows.explain.receipts.encode import Pieces, an_array, an_object, plain, quoted, text
from transforms.checks import Check, all_hold
from transforms.conditions import CONDITIONS
from transforms.evidence import Evidence, kind_of
from transforms.indicators import INDICATORS
from transforms.parts import Part, Parts
from transforms.policy import Rule, params
from transforms.rounds import Round


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


def conditions(rows: pl.DataFrame, rule: Rule, this_round: Round) -> pl.Series:
    """One condition as JSON; `rows` has holds and evidence."""
    module = CONDITIONS[rule.name]
    checks = module.checks(params(module.Params, rule), this_round)
    holds = all_hold(checks)
    found = unpacked(rows, module.EVIDENCE, expressions(checks))
    described = {
        "holds": plain("holds"),
        **law(rule),
        "evidence": pl.col("evidence"),
        "checks": an_array(check(each, found) for each in checks),
    }
    return as_text(rule, found, described, holds != pl.col("holds"))


def indicators(
    rows: pl.DataFrame, rule: Rule, this_round: Round, months: pl.Series | None
) -> pl.Series:
    """One indicator as JSON; `rows` has points and evidence, `months` the spans it looks at."""
    module = INDICATORS[rule.name]
    parts = module.parts(params(module.Params, rule), this_round)
    found = unpacked(rows, module.EVIDENCE, expressions(parts))
    stored = centipoints("points")
    described = {
        "points": quoted("points"),
        "centipoints": plain(stored),
        **law(rule),
        "evidence": pl.col("evidence"),
        **combined(parts, found),
        **({} if months is None else {"months": pl.col("months")}),
    }
    found = found if months is None else found.with_columns(months.alias("months"))
    return as_text(rule, found, described, stored != parts.centipoints.fill_null(0))


def as_text(
    rule: Rule, rows: pl.DataFrame, described: dict[str, Any], differs: pl.Expr
) -> pl.Series:
    """A rule of each applicant as JSON; raises CheckFailed where it differs from what was published."""
    found = rows.select(rule=text(an_object(described)), differs=differs)
    require_same(rule, found["differs"])
    return found["rule"]


def check(of: Check, rows: pl.DataFrame) -> Pieces:
    """A check in a receipt."""
    return an_object(
        {"check": of.name, **written({"found": of.found}, rows), **of.asked}
        | {"holds": plain(of.holds)}
    )


def part(of: Part, rows: pl.DataFrame) -> Pieces:
    """A part in a receipt, before and after rounding; of nothing on record a part of 0."""
    return an_object(
        {
            "part": of.name,
            **written(of.shown, rows),
            "numerator": plain(of.numerator.fill_null(0)),
            "denominator": of.divisor,
            **({} if of.at_most is None else {"at_most": limit(of.at_most)}),
            "centipoints": plain(of.centipoints.fill_null(0)),
        }
    )


def combined(of: Parts, rows: pl.DataFrame) -> dict[str, Any]:
    """The parts of an indicator in a receipt, and how they make it."""
    return {
        "parts": an_array(part(each, rows) for each in of.parts),
        "combined": of.combined,
        "at_most": limit(of.at_most),
        "at_least": limit(of.at_least),
    }


def limit(value: int | pl.Expr | None) -> int | pl.Expr | None:
    """A limit that is the same for all, or a column of them."""
    return plain(value) if isinstance(value, pl.Expr) else value


def written(values: Mapping[str, pl.Expr], rows: pl.DataFrame) -> dict[str, pl.Expr]:
    """What is shown of some rows as JSON: numbers and truth values as they are, the rest quoted."""
    kinds = rows.lazy().select(**values).collect_schema() if values else {}
    is_plain = {name: kind.is_numeric() or kind == pl.Boolean() for name, kind in kinds.items()}
    return {name: (plain if is_plain[name] else quoted)(each) for name, each in values.items()}


def expressions(of: Parts | list[Check]) -> Iterable[pl.Expr]:
    """Everything worked out from the evidence of a rule."""
    if isinstance(of, Parts):
        return of.expressions()
    return [all_hold(of), *(each.found for each in of)]


def read_by(rules: Mapping[str, Rule], this_round: Round) -> Iterator[tuple[str, set[str]]]:
    """Column by column of conditions or indicators: the columns of evidence that its rule reads."""
    for name, rule in rules.items():
        module = CONDITIONS.get(rule.name) or INDICATORS[rule.name]
        declared = module.checks if rule.name in CONDITIONS else module.parts
        yield name, names_in(expressions(declared(params(module.Params, rule), this_round)))


def names_in(needed: Iterable[pl.Expr]) -> set[str]:
    """The columns that expressions need."""
    return {name for each in needed for name in each.meta.root_names()}


def unpacked(rows: pl.DataFrame, evidence: Evidence, needed: Iterable[pl.Expr]) -> pl.DataFrame:
    """Rows with the columns of their evidence that some expressions need; null where it has none."""
    names = sorted(names_in(needed))
    types = {name: kind_of(evidence, name).dtype for name in names}
    days = [name for name, dtype in types.items() if dtype == pl.Date()]
    fields = rows["evidence"].str.json_decode(
        pl.Struct({**types, **dict.fromkeys(days, pl.String())})
    )
    unnested = fields.struct.unnest()
    return rows.hstack(unnested.with_columns(pl.col(days).str.to_date()) if days else unnested)


def require_same(rule: Rule, differs: pl.Series) -> None:
    """Raise CheckFailed when parts do not come to what was published."""
    if (wrong := differs.sum()) or differs.null_count():
        raise CheckFailed(
            f"{rule.name}: expected parts that come to the published result,"
            f" found {wrong:,} of {differs.len():,} applications where they do not"
        )
