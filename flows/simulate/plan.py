"""The plan of a person: the counts their records are built from, and what the rules say they earn.

One builder turns plans into departmental records, whether a plan was drawn from the model or
solved from published points, so both kinds of people look alike.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from flows.simulate.arrays import Bools, Ints, among, days_of, first_days
from flows.simulate.setting import MODULES, Setting
from schemas.results import CONDITIONS, INDICATORS
from transforms.evidence import kind_of
from transforms.indicators.residence import counted, part_of

# Ways to fail a condition, one bit each, in the order of the contract.
FAILS = {name: 1 << place for place, name in enumerate(CONDITIONS)}
NONE = -1  # no credential, no tier
YEAR = 12  # months


@dataclass(frozen=True)
class Plan:
    """One array a count, one entry a person."""

    counted: Ints  # insurance months that count
    uncounted_1: Ints  # months of the seven years not counted, before the border
    uncounted_2: Ints  # and from the border on
    own_1: Ints  # months with an own home, before the border
    own_2: Ints  # and from the border on
    filed: Ints  # months from the border on in a home of each other kind, a column a kind
    away: Ints  # job_housing months with an own home outside the six districts
    away_job: Ints  # those also worked outside
    sold: Bools  # the own home is given up before the last December
    credential: Ints  # position among the policy's credentials
    study: Ints  # counted months of the study period
    award: Ints  # points of the best award, 0 none
    tier: Ints  # position among the tiers of financing
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

    def take(self, rows: Ints | slice) -> "Plan":
        """The plans at the given positions."""
        return Plan(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def failing(self, condition: str) -> Bools:
        """Who is to fail a condition."""
        return np.asarray((self.fails & FAILS[condition]) > 0)


def people(size: int, s: Setting, **counts: Ints) -> Plan:
    """Plans for so many people; what is not given is nothing."""
    made: dict[str, Any] = {f.name: np.zeros(size, dtype=np.int64) for f in fields(Plan)}
    made |= {name: np.full(size, NONE) for name in ("credential", "tier")}
    made |= {name: np.zeros(size, dtype=bool) for name in ("sold", "honour")}
    made["filed"] = np.zeros((size, len(s.kinds) - 1), dtype=np.int64)
    made["birth_year"] = np.full(size, s.birth_years[1])
    return Plan(**{**made, **counts})


def joined(*plans: Plan) -> Plan:
    """The plans of several groups, one after the other."""
    return Plan(
        **{f.name: np.concatenate([getattr(p, f.name) for p in plans]) for f in fields(Plan)}
    )


def points_of(plan: Plan, s: Setting, *asked: str) -> dict[str, Ints]:
    """Centipoints by indicator as its rule has it, and their `total`; or of some indicators only."""
    facts = evidence_of(plan, s)
    found = {name: np.zeros(len(plan), dtype=np.int64) for name in asked or INDICATORS}
    for column, rule in s.edition.indicators.items():
        if column not in found:
            continue
        module = MODULES[rule.name]
        points = module.parts(s.params(column), s.round).centipoints
        absent = [
            pl.lit(None, kind_of(module.EVIDENCE, name).dtype).alias(name)
            for name in {*points.meta.root_names()}
            if name not in facts.columns
        ]
        seen = facts.with_columns(*absent).select(points.fill_null(0).cast(pl.Int64))
        found[column] = seen.to_series().to_numpy()
    return found if asked else {**found, "total": np.sum([*found.values()], axis=0)}


def evidence_of(plan: Plan, s: Setting) -> pl.DataFrame:
    """What the rules will find on record, under the names they give it; a row a person."""
    tax, tiers = s.values["tax"], s.values["innovation"]["financing_tiers"]
    credentials = s.values["education"]["credentials"]
    own, *others = s.kinds
    nothing = np.zeros(len(plan), dtype=np.int64)
    counted_2 = np.minimum(plan.counted, s.months_2 - plan.uncounted_2)  # from the border on
    months = {part_of(kind, period): nothing for kind in s.kinds for period in ("early", "late")}
    months |= {part_of(own, "early"): plan.own_1, part_of(own, "late"): plan.own_2}
    months |= {part_of(kind, "late"): plan.filed[:, place] for place, kind in enumerate(others)}
    columns = {
        "months_counted": plan.counted,
        "months_employed": plan.counted,
        "months_employed_early": plan.counted - counted_2,
        **{f"months_{name}": each for name, each in months.items()},
        **{
            name: among([row[name] for row in credentials], plan.credential)
            for name in ("level", "has_diploma", "has_degree")
        },
        "months_studied": plan.study * (plan.credential != NONE),
        "months_home_outside": plan.away,
        "months_job_outside": plan.away_job,
        "home_outside_in_december": ~plan.sold & (plan.away > 0),
        **dict.fromkeys(("home_before_inside", "job_before_inside"), plan.away > 0),
        "award_points": among(range(1, 100), plan.award - 1),
        "award_scope": among(["national"], np.where(plan.award > 0, 0, NONE)),
        "financing_fen": among([tier["fen_at_least"] for tier in tiers], plan.tier),
        **{
            f"fen_{back}": np.where(plan.tax_years >= back, tax["fen_at_least"], 1)
            for back in range(1, tax["years"] + 1)
        },
        "violations": plan.violations,
        "titles": plan.honour.astype(np.int64),
        "detentions": plan.detentions,
    }
    birth = pl.Series("birth_date", days_of(first_days(plan.birth_year * YEAR)))
    age = s.evidence("age", pl.DataFrame([birth])).drop("person")
    return pl.DataFrame(columns).with_columns(*counted(s.params("residence"))).hstack(age)


def of_credential(value: str, plan: Plan, s: Setting) -> Ints:
    """A value of each person's credential; 0 for none."""
    table = [row[value] for row in s.values["education"]["credentials"]]
    return np.array([*table, 0])[plan.credential]
