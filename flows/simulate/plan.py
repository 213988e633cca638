"""The plan of a person: the counts their records are built from, and the points that follow.

One builder turns plans into departmental records, whether a plan was drawn from the model or
solved from published points, so both kinds of people look alike.  `points_of` says what a scorer
must find, by the formulas of the data contract, section 4.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from flows.simulate.arrays import Bools, Ints
from flows.simulate.setting import Setting, half_up
from schemas.results import CONDITIONS, INDICATORS

# Ways to fail a condition, one bit each, in the order of the contract.
FAILS = {name: 1 << place for place, name in enumerate(CONDITIONS)}


@dataclass(frozen=True)
class Plan:
    """One array a count, one entry a person."""

    counted: Ints  # insurance months that count
    uncounted_1: Ints  # months of the seven years not counted, before the border
    uncounted_2: Ints  # and from the border on
    own_1: Ints  # months with an own home, before the border
    own_2: Ints  # and from the border on
    dormitory_2: Ints  # months from the border on in a filed dormitory,
    rent_2: Ints  # in a filed rented home
    away: Ints  # job_housing months with an own home outside the six districts
    away_job: Ints  # those also worked outside
    sold: Bools  # the own home is given up before the last December
    credential: Ints  # position among the policy's credentials, -1 none
    study: Ints  # counted months of the study period
    innovation: Ints  # centipoints,
    by_financing: Bools  # by a shareholding, else by an award
    tax_years: Ints  # years with the tax that earns points
    violations: Ints
    birth_year: Ints
    honour: Bools
    detentions: Ints
    fails: Ints  # bits of FAILS
    row: Ints  # of the published list the plan was solved from, 0 none

    def __len__(self) -> int:
        """The number of people."""
        return len(self.counted)

    def arrays(self) -> Iterator[tuple[str, Ints]]:
        """Name and array of every count."""
        return ((f.name, getattr(self, f.name)) for f in fields(self))

    def take(self, rows: Ints | slice) -> "Plan":
        """The plans at the given positions."""
        return Plan(**{name: array[rows] for name, array in self.arrays()})

    def failing(self, condition: str) -> Bools:
        """Who is to fail a condition."""
        return np.asarray((self.fails & FAILS[condition]) > 0)


def joined(*plans: Plan) -> Plan:
    """The plans of several groups, one after the other."""
    return Plan(
        **{f.name: np.concatenate([getattr(p, f.name) for p in plans]) for f in fields(Plan)}
    )


def points_of(plan: Plan, s: Setting) -> dict[str, Ints]:
    """Centipoints by indicator, and their `total`."""
    v = s.values
    found = {
        "employment": v["employment"]["centipoints_per_month"] * plan.counted,
        "residence": residence(plan, s),
        "education": by_credential("centipoints", plan.credential, s),
        "education_deduction": study_deduction(plan, s),
        "job_housing": job_housing(plan.away, plan.away_job, s) * ~plan.sold,
        "innovation": plan.innovation,
        "tax": v["tax"]["centipoints_per_year"] * plan.tax_years
        + v["tax"]["centipoints_per_violation"] * plan.violations,
        "age": age(plan.birth_year, s),
        "honour": v["honour"]["centipoints"] * plan.honour,
        "law": v["law"]["centipoints_per_detention"] * plan.detentions,
    }
    return {**found, "total": np.sum([found[name] for name in INDICATORS], axis=0)}


def counted_2(plan: Plan, s: Setting) -> Ints:
    """Counted months from the border on."""
    return np.asarray(np.minimum(plan.counted, s.months_2 - plan.uncounted_2))


def residence(plan: Plan, s: Setting) -> Ints:
    """Own home first, employment the cap, each part rounded on its own."""
    rates = {k["kind"]: k["centipoints_per_year"] for k in s.values["residence"]["kinds"]}
    counted_1 = plan.counted - counted_2(plan, s)
    own_1 = plan.own_1 - np.minimum(
        plan.own_1, np.maximum(0, plan.own_1 + plan.own_2 - plan.counted)
    )
    own_2 = np.minimum(plan.own_2, plan.counted - own_1)
    left = plan.counted - own_1 - own_2
    free_1 = np.minimum(counted_1 - np.minimum(own_1, counted_1), left)
    dormitory_2 = np.minimum(plan.dormitory_2, left - free_1)
    rent_2 = np.minimum(plan.rent_2, left - free_1 - dormitory_2)
    own = [half_up(rates["own"] * m, 12) for m in (own_1, own_2)]
    other = [half_up(rates["rent"] * m, 12) for m in (free_1, dormitory_2, rent_2)]
    return np.asarray(sum([*own, *other]))


def by_credential(value: str, credential: Ints, s: Setting) -> Ints:
    """A value of each person's credential; 0 for none."""
    table = [row[value] for row in s.values["education"]["credentials"]]
    return np.array([*table, 0])[credential]


def study_deduction(plan: Plan, s: Setting) -> Ints:
    """What is taken back for the counted months of the study period."""
    yearly = s.values["education_deduction"]["centipoints_per_year"]
    return -half_up(yearly * plan.study, 12) * (plan.credential >= 0)


def job_housing(away: Ints, away_job: Ints, s: Setting) -> Ints:
    """Full years away, by home and by job."""
    rule = s.values["job_housing"]
    years = rule["centipoints_per_year_home"] * (away // 12)
    years = years + rule["centipoints_per_year_job"] * (away_job // 12)
    return np.asarray(np.minimum(rule["centipoints_at_most"], years))


def age(birth_year: Ints, s: Setting) -> Ints:
    """By the year of birth only; never below zero."""
    rule = s.values["age"]
    above = np.maximum(0, s.year - 2 - birth_year - rule["full_until_age"])
    less = rule["centipoints_less_per_year"] * above
    return np.asarray(np.maximum(0, rule["centipoints_full"] - less))
