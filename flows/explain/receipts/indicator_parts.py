"""What parts each indicator has, by the name an edition lists its rule under (contract 4 and 5).

Worked out from the evidence the run recorded and the policy values it pinned.  A gate that keeps
months or years from counting is shown beside what it lets through.
"""

from collections.abc import Callable

import polars as pl

from flows.explain.receipts.encode import plain, quoted
from flows.explain.receipts.parts import Part, Parts
from transforms.indicators import INDICATORS
from transforms.indicators.innovation import award_centipoints
from transforms.indicators.innovation_award_or_position import position_centipoints
from transforms.policy import Rule, params
from transforms.rounds import Round

MONTHS_A_YEAR = 12


def count(name: str) -> pl.Expr:
    """A count of the evidence; nothing on record is 0."""
    return pl.col(name).fill_null(0)


def yes(name: str) -> pl.Expr:
    """A truth value of the evidence; nothing on record is false."""
    return pl.col(name).fill_null(value=False)


def whole(rule: Rule) -> pl.Expr:
    """An indicator that is one part: its own expression."""
    module = INDICATORS[rule.name]
    points: pl.Expr = module.centipoints(params(module.Params, rule))
    return points.fill_null(0).cast(pl.Int64)


def shown(*names: str) -> dict[str, pl.Expr]:
    """Counts shown under their names in the evidence."""
    return {name: plain(count(name)) for name in names}


def employment(rule: Rule, made: Round) -> Parts:
    """Counted months at the monthly rate."""
    return Parts([Part("counted_months", shown("months_counted"), whole(rule))])


def residence(rule: Rule, made: Round) -> Parts:
    """Months under the cap, by kind and period."""
    own, other = (rule.values[f"centipoints_per_year_{kind}"] for kind in ("own", "other"))
    rates = {
        "own_early": own,
        "own_late": own,
        "default_early": other,
        "dormitory_late": other,
        "rented_late": other,
    }
    return Parts(
        [
            Part(
                name,
                {"months": plain(count(f"counted_{name}"))},
                count(f"counted_{name}") * rate,
                MONTHS_A_YEAR,
            )
            for name, rate in rates.items()
        ]
    )


def education(rule: Rule, made: Round) -> Parts:
    """The best credential."""
    fields = {"level": quoted("level"), "graduated_on": quoted("graduated_on")}
    return Parts([Part("credential", fields, whole(rule))])


def study(rule: Rule) -> Part:
    """What counted months of study cost."""
    months = count("months_studied")
    cost = -months * rule.values["centipoints_per_year"]
    return Part("study", {"months": plain(months)}, cost, MONTHS_A_YEAR)


def education_deduction(rule: Rule, made: Round) -> Parts:
    """Counted months of study."""
    return Parts([study(rule)])


def education_deduction_limited(rule: Rule, made: Round) -> Parts:
    """Counted months of study, at most what the level adds."""
    most = rule.values["centipoints_at_most"]
    limit = pl.col("level").replace_strict(most, default=0, return_dtype=pl.Int64)
    return Parts([study(rule)], at_least=-limit)


def years_of(
    name: str, months: pl.Expr, rate: int, at_most: int | None = None, **gates: pl.Expr
) -> Part:
    """Full years at the yearly rate; the months left over earn nothing."""
    years = months // MONTHS_A_YEAR
    fields = {"months": plain(months), "full_years": plain(years)}
    return Part(
        name,
        {**{gate: plain(holds) for gate, holds in gates.items()}, **fields},
        years * rate,
        at_most=at_most,
    )


def job_housing(rule: Rule, made: Round) -> Parts:
    """Full years of home, and of job beside it, if December has the home."""
    values, gate = rule.values, yes("home_outside_in_december")
    parts = [
        years_of(
            name,
            pl.when(gate).then(count(f"months_{name}_outside")).otherwise(0),
            values[f"centipoints_per_year_{name}"],
            home_outside_in_december=gate,
        )
        for name in ("home", "job")
    ]
    return Parts(parts, at_most=values["centipoints_at_most"])


def job_housing_moved_out(rule: Rule, made: Round) -> Parts:
    """Full years of home and job moved out, and of the other months of the home."""
    values, home_moved, job_moved = rule.values, yes("home_before_inside"), yes("job_before_inside")
    home = pl.when(home_moved).then(count("months_home_outside")).otherwise(0)
    both = pl.when(home_moved, job_moved).then(count("months_job_outside")).otherwise(0)
    return Parts(
        [
            years_of(
                "home_and_job",
                both,
                values["centipoints_per_year_home_and_job"],
                home_before_inside=home_moved,
                job_before_inside=job_moved,
            ),
            years_of(
                "home_alone",
                home - both,
                values["centipoints_per_year_home"],
                values["centipoints_at_most_home"],
                home_before_inside=home_moved,
            ),
        ],
        at_most=values["centipoints_at_most"],
    )


def award(rule: Rule) -> Part:
    """The best award."""
    fields = {"award_points": plain("award_points"), "award_scope": quoted("award_scope")}
    points = award_centipoints(rule.values["municipal_centipoints_at_most"])
    return Part("award", fields, points.fill_null(0).cast(pl.Int64))


def innovation(rule: Rule, made: Round) -> Parts:
    """The best award, or the largest financing."""
    cash = pl.col("financing_fen")
    tier = pl.max_horizontal(
        pl.when(cash >= each["fen_at_least"]).then(each["centipoints"]).otherwise(0)
        for each in rule.values["financing_tiers"]
    )
    financing = Part("financing", {"financing_fen": plain(cash)}, tier.cast(pl.Int64))
    return Parts([award(rule), financing], largest=True, at_most=rule.values["centipoints_at_most"])


def innovation_award_or_position(rule: Rule, made: Round) -> Parts:
    """The best award, or the best position."""
    fields = {"position_kind": quoted("position_kind"), "full_years": plain("position_years")}
    points = position_centipoints(params(INDICATORS[rule.name].Params, rule))
    position = Part("position", fields, points.fill_null(0).cast(pl.Int64))
    return Parts([award(rule), position], largest=True, at_most=rule.values["centipoints_at_most"])


def violations(rule: Rule) -> Part:
    """What tax violations cost."""
    cost = count("violations") * rule.values["centipoints_per_violation"]
    return Part("violations", shown("violations"), cost)


def tax(rule: Rule, made: Round) -> Parts:
    """Each year of high tax if all are above zero, and violations."""
    values = rule.values
    fen = [f"fen_{back}" for back in range(1, values["years"] + 1)]
    all_positive = pl.all_horizontal(count(name) > 0 for name in fen)
    years = [
        Part(
            f"year_{made.year - back}",
            {"fen": plain(count(name)), "all_years_above_zero": plain(all_positive)},
            pl.when(all_positive, count(name) >= values["fen_at_least"])
            .then(values["centipoints_per_year"])
            .otherwise(0),
        )
        for back, name in enumerate(fen, start=1)
    ]
    return Parts([*years, violations(rule)])


def tax_three_year_total(rule: Rule, made: Round) -> Parts:
    """The points once if either tax is high enough over three years, and violations."""
    values, reached = rule.values, []
    fields: dict[str, pl.Expr] = {}
    for name in ("fen", "company_fen"):
        years = [count(f"{name}_{back}") for back in range(1, values["years"] + 1)]
        total = pl.sum_horizontal(years, ignore_nulls=False)
        positive = pl.all_horizontal(each > 0 for each in years)
        fields |= {name: plain(total), f"{name}_above_zero_each_year": plain(positive)}
        reached.append(positive & (total >= values[f"{name}_at_least"]))
    earned = pl.when(pl.any_horizontal(reached)).then(values["centipoints"]).otherwise(0)
    return Parts([Part("three_years", fields, earned), violations(rule)])


def age(rule: Rule, made: Round) -> Parts:
    """Full points less the years above the full age, never below zero."""
    values = rule.values
    above = pl.max_horizontal(count("age") - values["full_until_age"], 0)
    return Parts(
        [
            Part("full", {}, pl.lit(values["centipoints_full"], pl.Int64)),
            Part(
                "years_above",
                {"age": plain("age"), "years": plain(above)},
                -above * values["centipoints_less_per_year"],
            ),
        ],
        at_least=pl.lit(0, pl.Int64),
    )


def honour(rule: Rule, made: Round) -> Parts:
    """The points once."""
    return Parts([Part("titles", shown("titles"), whole(rule))])


def law(rule: Rule, made: Round) -> Parts:
    """Each detention."""
    return Parts([Part("detentions", shown("detentions"), whole(rule))])


PARTS: dict[str, Callable[[Rule, Round], Parts]] = {
    "employment": employment,
    "residence": residence,
    "residence_unregistered": residence,
    "education": education,
    "education_from_enrolment": education,
    "education_deduction": education_deduction,
    "education_deduction_limited": education_deduction_limited,
    "job_housing": job_housing,
    "job_housing_moved_out": job_housing_moved_out,
    "innovation": innovation,
    "innovation_award_or_position": innovation_award_or_position,
    "tax": tax,
    "tax_three_year_total": tax_three_year_total,
    "age": age,
    "honour": honour,
    "law": law,
    "law_since_commencement": law,
}
