"""The ledger of a round: every applicant's conditions and indicators, each with its evidence.

A rule is two functions: `evidence` turns facts into counted facts, one row an applicant, and `parts`
(or `checks`) are expressions over those columns only, from which points follow.  So points cannot
depend on what the evidence does not show.  An applicant about whom a rule finds
nothing gets a visible 0, or fails.
"""

from dataclasses import dataclass, replace

import polars as pl

from transforms.checks import all_hold
from transforms.conditions import CONDITIONS
from transforms.counted_months import Params as CountedMonths
from transforms.counted_months import careers, counted_months
from transforms.facts import Engine, Facts, Feeds, existing
from transforms.indicators import INDICATORS
from transforms.policy import Edition, Rule, params
from transforms.rounds import Round


@dataclass(frozen=True)
class Ledger:
    """One frame a rule, every applicant once, ascending by person.

    conditions: person, holds (bool), evidence (JSON text).
    indicators: person, centipoints (int), evidence (JSON text).
    """

    conditions: dict[str, pl.DataFrame]
    indicators: dict[str, pl.DataFrame]


def ledger(
    feeds: Feeds,
    edition: Edition,
    this_round: Round,
    *,
    with_evidence: bool = True,
    engine: Engine = "streaming",
) -> Ledger:
    """Score every accepted application under an edition; the evidence column costs extra.

    A few people are scored in half the time by the engine "in-memory", a whole round by "streaming".
    """
    facts = prepared(feeds, edition, this_round, engine)
    known = {"education": facts.credential}
    conditions = [
        condition(facts, rule, this_round, with_evidence=with_evidence)
        for rule in edition.conditions.values()
    ]
    indicators = [
        indicator(facts, rule, this_round, found=known.get(name), with_evidence=with_evidence)
        for name, rule in edition.indicators.items()
    ]
    frames = iter(pl.collect_all(conditions + indicators, engine=engine))
    return Ledger(
        conditions=dict(zip(edition.conditions, frames, strict=False)),
        indicators=dict(zip(edition.indicators, frames, strict=True)),
    )


def prepared(
    feeds: Feeds, edition: Edition, this_round: Round, engine: Engine = "streaming"
) -> Facts:
    """Facts with the views that rules share worked out once."""
    # several rules read these rows: decoding them once costs less than once a rule
    insurance = (
        existing(feeds["social_insurance"], edition, this_round).collect(engine=engine).lazy()
    )
    p = params(CountedMonths, edition.counted_months)
    counted = counted_months(insurance, feeds["applications"], p, engine).collect(engine=engine)
    career = careers(counted.lazy()).collect(engine=engine)
    facts = Facts(feeds, insurance, counted.lazy(), career.lazy())
    education = edition.indicators["education"]
    module = INDICATORS[education.name]
    credential = module.evidence(facts, params(module.Params, education), this_round)
    return replace(facts, credential=credential.collect(engine=engine).lazy())


def condition(
    facts: Facts, rule: Rule, this_round: Round, *, with_evidence: bool = True
) -> pl.LazyFrame:
    """One condition of every applicant; nothing on record is judged by the same expression."""
    module = CONDITIONS[rule.name]
    p = params(module.Params, rule)
    holds = all_hold(module.checks(p, this_round))
    evidence = module.evidence(facts, p, this_round)
    return entries(facts, evidence, "holds", holds, holds, with_evidence=with_evidence)


def indicator(
    facts: Facts,
    rule: Rule,
    this_round: Round,
    *,
    found: pl.LazyFrame | None = None,
    with_evidence: bool = True,
) -> pl.LazyFrame:
    """One indicator of every applicant; nothing on record earns a visible 0.

    `found` is the rule's evidence where it is known already.
    """
    module = INDICATORS[rule.name]
    p = params(module.Params, rule)
    points = module.parts(p, this_round).centipoints
    evidence = module.evidence(facts, p, this_round) if found is None else found
    absent = pl.lit(0, pl.Int64)
    return entries(facts, evidence, "centipoints", points, absent, with_evidence=with_evidence)


def entries(
    facts: Facts,
    evidence: pl.LazyFrame,
    name: str,
    result: pl.Expr,
    absent: pl.Expr,
    *,
    with_evidence: bool,
) -> pl.LazyFrame:
    """person, the result under its name, and the evidence as JSON ({} when there is none)."""
    found = pl.col("found").is_not_null()
    shown = {name: pl.when(found).then(result).otherwise(absent)}
    if with_evidence:
        columns = [each for each in evidence.collect_schema() if each != "person"]
        as_json = pl.struct(columns).struct.json_encode()
        shown["evidence"] = pl.when(found).then(as_json).otherwise(pl.lit("{}"))
    return (
        facts.applicants.select("person")
        .join(
            evidence.with_columns(found=pl.lit(value=True)),
            on="person",
            how="left",
            maintain_order="left",
            validate="1:1",
        )
        .select("person", **shown)
    )
