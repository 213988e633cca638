"""Check receipts (积分凭单) of Beijing's points-based household registration, with Python alone.

    python verify_receipt.py receipt.json                     one receipt, as `luohu explain --json` prints
    python verify_receipt.py receipts.jsonl.gz                many, one a line
    python verify_receipt.py receipts.jsonl.gz --root HEX     and that they are all of a published round

Every condition, every indicator and the total is worked out again from the facts and the policy values
in the receipt, month by month, and held against what the receipt says; each difference is one line.
Exit status: 0 everything agrees, 1 something differs, 2 the file cannot be read.

The file needs Python 3.11 and nothing else, and imports nothing of the program that made the receipts:
it was written from the rules.  "Measures" are the 《北京市积分落户管理办法》 of 2020, "Trial measures"
those of 2016; `rule` in a receipt says which is meant.  Points are whole hundredths (centipoints).  A
month is a whole number, year * 12 + month - 1, so that the next month is one more.
"""

import argparse
import gzip
import hashlib
import json
import sys
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import chain, groupby
from typing import Any, BinaryIO

FORMAT = 1
YEAR = 12  # months
INSURANCES = ("pension", "medical", "unemployment", "injury", "maternity")
INDICATORS = (
    "employment",
    "residence",
    "education",
    "education_deduction",
    "job_housing",
    "innovation",
    "tax",
    "age",
    "honour",
    "law",
)
Json = dict[str, Any]


# how a part, a day and a month are worked out


def half_up(numerator: int, denominator: int) -> int:
    """A fraction rounded half up to whole centipoints; a deduction away from zero."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -size if numerator < 0 else size


def month_of(text: str) -> int:
    """The month a day or a month (2019-12-31, 2019-12) lies in."""
    year, month = text.split("-")[:2]
    return int(year) * YEAR + int(month) - 1


def written(month: int) -> str:
    """A month as 2019-12."""
    return f"{month // YEAR}-{month % YEAR + 1:02}"


def first_day(month: int | None) -> str | None:
    """The first day of a month."""
    return None if month is None else f"{written(month)}-01"


def later(day: str, months: int) -> str:
    """A day so many months later, clipped to the month's last day."""
    month = month_of(day) + months
    last = monthrange(month // YEAR, month % YEAR + 1)[1]
    return f"{written(month)}-{min(int(day[8:]), last):02}"


def covered(home: Json) -> tuple[int, int | None]:
    """The first and last month whose first day the home was held on; None: held still."""
    start, end = home["start_date"], home["end_date"]
    return month_of(start) + (not start.endswith("-01")), end and month_of(end)


def part(
    name: str, numerator: int, denominator: int = 1, at_most: int | None = None, **shown: Any
) -> Json:
    """A part of an indicator, before and after rounding."""
    rounded = half_up(numerator, denominator)
    limit = {} if at_most is None else {"at_most": at_most}
    return {
        "part": name,
        **shown,
        "numerator": numerator,
        "denominator": denominator,
        **limit,
        "centipoints": rounded if at_most is None else min(rounded, at_most),
    }


@dataclass
class Outcome:
    """What a rule comes to: the parts, how they make the indicator, the counts, the months."""

    parts: list[Json]
    combined: str = "sum"
    at_most: int | None = None
    at_least: int | None = None
    evidence: Json = field(default_factory=dict)
    months: list[Json] | None = None

    @property
    def centipoints(self) -> int:
        """The sum of the parts, or the largest, limited."""
        each = [part["centipoints"] for part in self.parts]
        points = max(each) if self.combined == "largest" else sum(each)
        points = points if self.at_most is None else min(points, self.at_most)
        return points if self.at_least is None else max(points, self.at_least)


@dataclass
class Case:
    """The facts of one receipt, as the rules look at them."""

    receipt: Json

    def __post_init__(self) -> None:
        """Dates of the round, and the insurance row of every month that has one that exists."""
        self.facts: Json = self.receipt["facts"]
        self.year: int = self.receipt["round"]
        self.ref = f"{self.year - 1}-12-31"
        self.counting = {
            name: each["value"] for name, each in self.receipt["counted_months"]["values"].items()
        }
        self.first, self.last = month_of(self.counting["first_month"]), month_of(self.ref)
        self.rows: dict[int, Json] = {
            month: span
            for span in self.facts["insurance"]
            if exists(span)
            for month in range(month_of(span["from"]), month_of(span["to"]) + 1)
        }

    @cached_property
    def paid(self) -> dict[str, int]:
        """The months paid for each insurance."""
        status = self.counting["counted_status"]
        return {
            name: sum(row[name] == status for row in self.rows.values())
            for name in self.counting["insurances"]
        }

    @cached_property
    def taken(self) -> str:
        """The insurance with the most paid months, the first in the order of the law among equals."""
        return max(self.paid, key=lambda name: self.paid[name])

    @cached_property
    def counted(self) -> set[int]:
        """The counted months (计分缴费月数, Measures art. 5(1)): paid for the insurance taken."""
        status = self.counting["counted_status"]
        return {month for month, row in self.rows.items() if row[self.taken] == status}

    def window(self, years: int) -> tuple[str, str]:
        """So many calendar years before the round: first and last day."""
        return f"{self.year - years}-01-01", self.ref

    def employer(self, number: int) -> Json:
        """An employer told of in the receipt."""
        return next(each for each in self.facts["employers"] if each["employer"] == number)


def exists(span: Json) -> bool:
    """Whether the rows of a span exist: there are some, and none was recorded too late."""
    return any(span[name] for name in INSURANCES) and span["recorded_on"] is None


def spans(states: list[tuple[int, Json]]) -> list[Json]:
    """Months with what is said of each, as runs of months of which the same is said."""
    found = []
    for state, run in groupby(states, key=lambda each: each[1]):
        months = [month for month, _ in run]
        told = {"from": written(months[0]), "to": written(months[-1]), "months": len(months)}
        found.append({**told, **state})
    return found


# indicators


def employment(case: Case, values: Json) -> Outcome:
    """Stable employment (合法稳定就业, Measures art. 5(1)): each counted month at the monthly rate."""
    months = sorted(case.counted)
    evidence = {
        "months_counted": len(months),
        "insurance": case.taken,
        "first_month": first_day(months[0]) if months else None,
        "last_month": first_day(months[-1]) if months else None,
    }
    points = len(months) * values["centipoints_per_month"]
    return Outcome([part("counted_months", points, months_counted=len(months))], evidence=evidence)


def residence(case: Case, values: Json) -> Outcome:
    """Stable residence (合法稳定住所, Measures art. 5(2)): dormitory and rent registered by the day
    facts count up to; own home before dormitory before rent; never more months than employment."""
    return residence_of(case, values, lambda home: (home["registered_on"] or "9999") <= case.ref)


def residence_unregistered(case: Case, values: Json) -> Outcome:
    """As residence, registered or not (Trial measures art. 5(2))."""
    return residence_of(case, values, lambda _: True)


def residence_of(case: Case, values: Json, is_filed: Callable[[Json], bool]) -> Outcome:
    """Months by kind of home and period, capped by employment, each part rounded on its own."""
    split = month_of(values["filed_from"])
    held = homes_by_month(case, month_of(values["first_month"]))
    states = [
        (month, residence_state(homes, is_filed, early=month < split))
        for month, homes in held.items()
    ]
    months = dict.fromkeys(("own_early", "own_late", "dormitory_late", "rented_late"), 0)
    for _, state in states:
        if state["counts_as"]:
            months[state["counts_as"]] += 1
    employed, early = len(case.counted), sum(month < split for month in case.counted)

    over = max(months["own_early"] + months["own_late"] - employed, 0)
    own_early = max(months["own_early"] - over, 0)
    own_late = months["own_late"] - max(over - months["own_early"], 0)
    left = employed - own_early - own_late
    free = min(early - min(own_early, early), left)
    dormitory = min(months["dormitory_late"], left - free)
    rented = min(months["rented_late"], left - free - dormitory)

    counted = {
        "own_early": own_early,
        "own_late": own_late,
        "default_early": free,
        "dormitory_late": dormitory,
        "rented_late": rented,
    }
    own, other = values["centipoints_per_year_own"], values["centipoints_per_year_other"]
    parts = [
        part(name, number * (own if name.startswith("own") else other), YEAR, months=number)
        for name, number in counted.items()
    ]
    evidence = {
        "months_employed": employed,
        "months_employed_early": early,
        **{f"months_{name}": number for name, number in months.items()},
        **{f"counted_{name}": number for name, number in counted.items()},
    }
    return Outcome(parts, evidence=evidence, months=spans(states))


def residence_state(homes: list[Json], is_filed: Callable[[Json], bool], *, early: bool) -> Json:
    """What a month counts as by the homes held in it, or why it does not."""
    kinds = ("own", "dormitory", "rent")
    best = next((kind for kind in kinds if any(home["kind"] == kind for home in homes)), None)
    filed = {home["kind"] for home in homes if home["kind"] == "own" or is_filed(home)}
    home = next((kind for kind in kinds if kind in filed), None)
    if home == "own":
        counts_as, why = ("own_early" if early else "own_late"), None
    elif early:
        counts_as, why = None, "counts_by_employment"
    elif home:
        counts_as, why = ("dormitory_late" if home == "dormitory" else "rented_late"), None
    else:
        counts_as, why = None, "not_registered" if best else "no_home"
    return {"home": home or best, "counts_as": counts_as, "why": why}


def homes_by_month(case: Case, since: int) -> dict[int, list[Json]]:
    """The homes held in each month, from a first month to December of the year before."""
    held: dict[int, list[Json]] = {month: [] for month in range(since, case.last + 1)}
    for home in case.facts["housing"]:
        start, end = covered(home)
        until = case.last if end is None else min(end, case.last)
        for month in range(max(start, since), until + 1):
            held[month].append(home)
    return held


def best_credential(case: Case, values: Json, *, from_enrolment: bool) -> Json | None:
    """The verified credential that earns most, then the latest, then the one least studied while
    insured; none unless the applicant claims the indicator."""
    levels = [each["level"] for each in values["credentials"]]
    found = []
    for row in case.facts["education"] if case.facts["claims_education"] else []:
        holds = {name: row[name] for name in ("level", "has_diploma", "has_degree")}
        entry = next((each for each in values["credentials"] if holds.items() <= each.items()), None)
        if entry is None or not row["verified"] or row["graduated_on"] > case.ref:
            continue
        graduated = month_of(row["graduated_on"])
        begun = graduated - entry["window_months"] + 1
        if from_enrolment and row["enrolled_on"]:
            begun = month_of(row["enrolled_on"])
        studied = sum(begun <= month <= graduated for month in case.counted)
        day = -date.fromisoformat(row["graduated_on"]).toordinal()
        order = (-entry["centipoints"], day, studied, levels.index(row["level"]), begun)
        told = {**holds, "graduated_on": row["graduated_on"], "study_from": first_day(begun)}
        told |= {"window_months": entry["window_months"], "months_studied": studied}
        found.append((order, row["has_diploma"], row["has_degree"], entry["centipoints"], told))
    if not found:
        return None
    *_, points, told = min(found, key=lambda each: (each[0][:4], each[1:3], each[0][4]))
    return {"centipoints": points, **told}


def education(case: Case, values: Json) -> Outcome:
    """Education (教育背景, Measures art. 5(3)): the points of the best credential."""
    return education_of(best_credential(case, values, from_enrolment=False))


def education_from_enrolment(case: Case, values: Json) -> Outcome:
    """As education, studied from the month of enrolment (Trial measures art. 5(3))."""
    return education_of(best_credential(case, values, from_enrolment=True))


def education_of(best: Json | None) -> Outcome:
    """The credential as the one part."""
    evidence = dict(best or {})
    points = evidence.pop("centipoints", 0)
    shown = {name: evidence.get(name) for name in ("level", "graduated_on")}
    return Outcome([part("credential", points, **shown)], evidence=evidence)


def credential_of(case: Case) -> Json:
    """The credential that earned the education points of this receipt."""
    rule = case.receipt["indicators"]["education"]
    values = {name: each["value"] for name, each in rule["values"].items()}
    late = rule["rule"] == "education_from_enrolment"
    return best_credential(case, values, from_enrolment=late) or {}


def study(best: Json, values: Json) -> Json:
    """What the counted months of study cost."""
    months = best.get("months_studied", 0)
    return part("study", -months * values["centipoints_per_year"], YEAR, months=months)


def education_deduction(case: Case, values: Json) -> Outcome:
    """Deduction for the study period (学习期间不累计, Measures art. 5(3)): counted months among those
    of study, at a yearly rate."""
    best = credential_of(case)
    return Outcome([study(best, values)], evidence=best)


def education_deduction_limited(case: Case, values: Json) -> Outcome:
    """As education_deduction, at most what the level adds to the one below (Trial measures 5(3))."""
    best = credential_of(case)
    most = values["centipoints_at_most"][best["level"]] if best else 0
    return Outcome([study(best, values)], at_least=-most, evidence=best)


def is_outside(district: int, values: Json) -> bool:
    """Whether a district lies in Beijing and is none of the six (城六区)."""
    beijing = values["beijing_districts"]
    return (
        beijing["first"] <= district <= beijing["last"] and district not in values["six_districts"]
    )


def job_state(homes: list[Json], kinds: list[str], row: Json | None, values: Json) -> Json:
    """A month's home (the homes held of the first kind there is) and job, outside or not."""
    kind = next((each for each in kinds if any(home["kind"] == each for home in homes)), None)
    home = any(home["kind"] == kind and is_outside(home["district"], values) for home in homes)
    job = is_outside(row["work_district"], values) if row else None
    counts_as = ("home_and_job" if job else "home") if home else None
    none = "no_own_home" if len(kinds) == 1 else "no_home"
    why = None if home else ("home_not_outside" if kind else none)
    return {
        "home": kind,
        "home_outside": home,
        "job_outside": job,
        "counts_as": counts_as,
        "why": why,
    }


def full_years(name: str, months: int, rate: int, gates: Json, at_most: int | None = None) -> Json:
    """Full years at a yearly rate; the months left over earn nothing."""
    years = months // YEAR
    return part(name, years * rate, at_most=at_most, **gates, months=months, full_years=years)


def job_housing(case: Case, values: Json) -> Outcome:
    """Home and job outside the six districts (职住区域, Measures art. 5(4)): full years with an own
    home outside, and of those with the job outside too; only if December has the home."""
    held = homes_by_month(case, month_of(values["counts_from"]))
    states = [
        (month, job_state(homes, ["own"], case.rows.get(month), values))
        for month, homes in held.items()
    ]
    months = {
        "home": [month for month, state in states if state["home_outside"]],
        "job": [month for month, state in states if state["counts_as"] == "home_and_job"],
    }
    december = case.last in months["home"]
    parts = [
        full_years(
            name,
            len(each) if december else 0,
            values[f"centipoints_per_year_{name}"],
            {"home_outside_in_december": december},
        )
        for name, each in months.items()
    ]
    evidence = {
        "months_home_outside": len(months["home"]),
        "months_job_outside": len(months["job"]),
        "last_month": first_day(max(months["home"], default=None)),
        "home_outside_in_december": december,
    }
    return Outcome(
        parts, at_most=values["centipoints_at_most"], evidence=evidence, months=spans(states)
    )


def job_housing_moved_out(case: Case, values: Json) -> Outcome:
    """Home and job moved out of the six districts (Trial measures art. 5(4)): both must have moved,
    that is the last one had before the first outside lay inside."""
    kinds, since = values["home_kinds"], month_of(values["counts_from"])
    held = homes_by_month(case, min(month_of(values["first_month"]), since))
    states = [
        (month, job_state(homes, kinds, case.rows.get(month), values))
        for month, homes in held.items()
        if month >= since
    ]
    outside = [month for month, state in states if state["home_outside"]]
    both = [month for month, state in states if state["counts_as"] == "home_and_job"]
    jobs = [
        month
        for month, row in case.rows.items()
        if month >= since and is_outside(row["work_district"], values)
    ]
    first_home, first_job = min(outside, default=None), min(jobs, default=None)
    home_before = last_before(first_home, [month for month, homes in held.items() if homes])
    job_before = last_before(first_job, list(case.rows))
    six = values["six_districts"]
    home_moved = outside_kind_inside(held.get(home_before or -1, []), kinds, six)
    job_moved = bool(
        outside and job_before and case.rows[job_before]["work_district"] in six
    )
    home = len(outside) if home_moved else 0
    job = len(both) if home_moved and job_moved else 0
    gates = {"home_before_inside": home_moved}
    parts = [
        full_years(
            "home_and_job",
            job,
            values["centipoints_per_year_home_and_job"],
            gates | {"job_before_inside": job_moved},
        ),
        full_years(
            "home_alone",
            home - job,
            values["centipoints_per_year_home"],
            gates,
            values["centipoints_at_most_home"],
        ),
    ]
    evidence = {
        "months_home_outside": len(outside),
        "months_job_outside": len(both),
        "first_home_outside": first_day(first_home),
        "home_before": first_day(home_before),
        **gates,
        "first_job_outside": first_day(first_job),
        "job_before": first_day(job_before),
        "job_before_inside": job_moved,
    }
    return Outcome(
        parts, at_most=values["centipoints_at_most"], evidence=evidence, months=spans(states)
    )


def last_before(month: int | None, among: list[int]) -> int | None:
    """The last of some months before another."""
    return None if month is None else max((each for each in among if each < month), default=None)


def outside_kind_inside(homes: list[Json], kinds: list[str], six: list[int]) -> bool:
    """Whether a home of the first kind held lies in the six districts."""
    kind = next((each for each in kinds if any(home["kind"] == each for home in homes)), None)
    return any(home["kind"] == kind and home["district"] in six for home in homes)


def best_award(case: Case, values: Json) -> tuple[Json, Json]:
    """The award that gives most, limited where it is of municipal scope: the part, the evidence."""
    found = []
    for award in case.facts["awards"]:
        if award["awarded_on"] <= case.ref:
            points = award["points"] * 100
            if award["scope"] == "municipal":
                points = min(points, values["municipal_centipoints_at_most"])
            national = award["scope"] == "national"
            found.append((points, award["awarded_on"], national, award["points"], award["scope"]))
    points, day, _, worth, scope = max(found, default=(0, None, None, None, None))
    shown = {"award_points": worth, "award_scope": scope}
    return part("award", points, **shown), {**shown, "awarded_on": day}


def innovation(case: Case, values: Json) -> Outcome:
    """Innovation (创新创业, Measures art. 5(5)): the best award, or the financing of a technology firm
    the applicant works in and held a large enough share of all of the year before."""
    award, evidence = best_award(case, values)
    start, end = case.window(values["financing_years"])
    begin = case.window(1)[0]
    works_at = case.rows.get(case.last, {}).get("employer")
    sums = []
    for share in case.facts["shareholdings"]:
        firm = case.employer(share["employer"])
        cash = [
            each["amount_fen"]
            for each in firm["financings"]
            if start <= each["received_on"] <= end
        ]
        if (
            share["share_bp"] >= values["share_bp_at_least"]
            and share["held_from"] <= begin
            and (share["held_to"] is None or share["held_to"] >= case.ref)
            and (firm["high_tech"] or firm["tech_sme"])
            and share["employer"] == works_at
            and cash
        ):
            sums.append(sum(cash))
    fen = max(sums, default=None)
    tiers = [
        tier["centipoints"]
        for tier in values["financing_tiers"]
        if fen is not None and fen >= tier["fen_at_least"]
    ]
    parts = [award, part("financing", max(tiers, default=0), financing_fen=fen)]
    evidence["financing_fen"] = fen
    return Outcome(parts, "largest", values["centipoints_at_most"], evidence=evidence)


def innovation_award_or_position(case: Case, values: Json) -> Outcome:
    """Innovation (Trial measures art. 5(5)): the best award, or the full years held in a position."""
    award, evidence = best_award(case, values)
    kinds = [each["kind"] for each in values["positions"]]
    found = []
    for held in case.facts["positions"]:
        if held["held_from"] <= case.ref:
            until = min(held["held_to"] or case.ref, case.ref)
            years = int(until[:4]) - int(held["held_from"][:4])
            years -= later(held["held_from"], years * YEAR) > until
            rate = values["positions"][kinds.index(held["kind"])]
            points = min(years * rate["centipoints_per_year"], rate["centipoints_at_most"])
            order = (-points, -years, kinds.index(held["kind"]), held["held_from"], until)
            found.append((order, years, held["kind"]))
    order, years, kind = min(found, default=((0, 0, 0, None, None), None, None))
    evidence |= {
        "position_kind": kind,
        "position_from": order[3],
        "position_until": order[4],
        "position_years": years,
    }
    position = part("position", -order[0], position_kind=kind, full_years=years)
    return Outcome([award, position], "largest", values["centipoints_at_most"], evidence=evidence)


def events(days: list[str], start: str, end: str, name: str, last: str) -> Json:
    """How many days lie in a window, and the last of them."""
    inside = [day for day in days if start <= day <= end]
    return {name: len(inside), last: max(inside, default=None)}


def violations(case: Case, values: Json, start: str) -> tuple[Json, Json]:
    """What tax violations decided in a window cost: the part, the evidence."""
    days = case.facts["tax_violations"]
    evidence = events(days, start, case.ref, "violations", "last_violation_on")
    number = evidence["violations"]
    cost = number * values["centipoints_per_violation"]
    return part("violations", cost, violations=number), evidence


def tax(case: Case, values: Json) -> Outcome:
    """Tax (纳税, Measures art. 5(6)): each of the last years with enough income tax, if all are above
    zero; less for each violation.  Which income counts depends on the year the tax was paid in."""
    paid = {}
    for back in range(1, values["years"] + 1):
        year = case.year - back
        kinds = [each["kinds"] for each in values["income_kinds"] if each["from_year"] <= year][-1]
        paid[year] = sum(
            row["amount_fen"]
            for row in case.facts["tax"]
            if row["year"] == year and row["income_kind"] in kinds
        )
    positive = all(fen > 0 for fen in paid.values())
    parts = [
        part(
            f"year_{year}",
            values["centipoints_per_year"] if positive and fen >= values["fen_at_least"] else 0,
            fen=fen,
            all_years_above_zero=positive,
        )
        for year, fen in paid.items()
    ]
    cost, evidence = violations(case, values, case.window(values["violation_years"])[0])
    years = {f"fen_{case.year - year}": fen for year, fen in paid.items()}
    return Outcome([*parts, cost], evidence=years | evidence)


def tax_three_year_total(case: Case, values: Json) -> Outcome:
    """Tax (Trial measures art. 5(6)): income tax or share of company tax, above zero each year and
    enough together; less for each violation."""
    of_income = [
        (row["year"], row["amount_fen"])
        for row in case.facts["tax"]
        if row["income_kind"] in values["income_kinds"]
    ]
    of_company = [(row["year"], row["attributed_fen"]) for row in case.facts["company_tax"]]
    shown, years, reached = {}, {}, False
    for name, rows in (("fen", of_income), ("company_fen", of_company)):
        paid = [
            sum(fen for year, fen in rows if year == case.year - back)
            for back in range(1, values["years"] + 1)
        ]
        positive = all(fen > 0 for fen in paid)
        shown |= {name: sum(paid), f"{name}_above_zero_each_year": positive}
        years |= {f"{name}_{back}": fen for back, fen in enumerate(paid, start=1)}
        reached |= positive and sum(paid) >= values[f"{name}_at_least"]
    cost, evidence = violations(case, values, values["violations_from"])
    earned = part("three_years", values["centipoints"] if reached else 0, **shown)
    return Outcome([earned, cost], evidence=years | evidence)


def age(case: Case, values: Json) -> Outcome:
    """Age (年龄, Measures art. 5(7)): full points up to an age on 1 January of the year before, less
    for each year above; a birthday on that day is not yet completed.  Never below zero."""
    years = case.year - 2 - int(case.facts["birth_date"][:4])
    above = max(years - values["full_until_age"], 0)
    cost = -above * values["centipoints_less_per_year"]
    parts = [
        part("full", values["centipoints_full"]),
        part("years_above", cost, age=years, years=above),
    ]
    evidence = {"birth_date": case.facts["birth_date"], "age": years, "on": case.window(1)[0]}
    return Outcome(parts, at_least=0, evidence=evidence)


def honour(case: Case, values: Json) -> Outcome:
    """Honours (荣誉表彰, Measures art. 5(8)): the points once for any listed title awarded and not
    revoked by the day facts count up to."""
    held = sorted(
        (each["awarded_on"], each["title"])
        for each in case.facts["honours"]
        if each["title"] in values["titles"]
        and each["awarded_on"] <= case.ref
        and not (each["revoked_on"] and each["revoked_on"] <= case.ref)
    )
    day, title = held[0] if held else (None, None)
    evidence = {"titles": len(held), "title": title, "awarded_on": day}
    points = values["centipoints"] if held else 0
    return Outcome([part("titles", points, titles=len(held))], evidence=evidence)


def law(case: Case, values: Json) -> Outcome:
    """Law-abiding record (守法记录, Measures art. 5(9)): each detention of the last years."""
    return detentions(case, values, case.window(values["years"])[0])


def law_since_commencement(case: Case, values: Json) -> Outcome:
    """As law, each detention since the measures commenced (Trial measures art. 5(9))."""
    return detentions(case, values, values["counts_from"])


def detentions(case: Case, values: Json, start: str) -> Outcome:
    """What detentions decided in a window cost."""
    days = case.facts["detentions"]
    evidence = events(days, start, case.ref, "detentions", "last_decided_on")
    number = evidence["detentions"]
    cost = part(
        "detentions", number * values["centipoints_per_detention"], detentions=number
    )
    return Outcome([cost], evidence=evidence)


# conditions: each is a list of checks, and holds when all of them do


def at_least(name: str, found: int, asked: int) -> Json:
    """A count that must reach a number."""
    return {"check": name, "found": found, "at_least": asked, "holds": found >= asked}


def at_most(name: str, found: int, asked: int) -> Json:
    """A count that must not exceed a number."""
    return {"check": name, "found": found, "at_most": asked, "holds": found <= asked}


def is_true(name: str, found: bool, **shown: Any) -> Json:
    """What must be so."""
    return {"check": name, "found": found, **shown, "equals": True, "holds": found}


def residence_permit(case: Case, _: Json) -> tuple[list[Json], Json]:
    """Residence permit (居住证, Measures art. 4(1)): one valid on the permit date."""
    day = case.receipt["permit_date"]
    valid = [
        each["valid_from"]
        for each in case.facts["residence_permits"]
        if each["valid_from"] <= day <= (each["valid_to"] or day)
    ]
    evidence = {
        "permits_valid": len(valid),
        "valid_from": min(valid, default=None),
        "permit_date": day,
    }
    return [at_least("permits_valid", len(valid), 1)], evidence


def retirement_age(case: Case, values: Json) -> tuple[list[Json], Json]:
    """Retirement age (法定退休年龄, Measures art. 4(2)): reached after the day facts count up to; the
    reform of 2025 delays it by a month for every started group of birth months."""
    kind, born = case.facts["retirement_class"], case.facts["birth_date"]
    delay = 0
    for each in values["delays"]:
        since = month_of(born) - month_of(each["born_from"])
        if each["retirement_class"] == kind and since >= 0:
            started = since // each["birth_months_per_month"] + 1
            delay = min(started, each["months_at_most"])
    reached = later(born, values["years"][kind] * YEAR + delay)
    evidence = {
        "retirement_class": kind,
        "birth_date": born,
        "delay_months": delay,
        "reached_on": reached,
        "reference_date": case.ref,
    }
    holds = reached > case.ref
    return [{"check": "reached_on", "found": reached, "after": case.ref, "holds": holds}], evidence


def social_insurance(case: Case, values: Json) -> tuple[list[Json], Json]:
    """Seven years of social insurance (连续缴纳社会保险7年, Measures art. 4(3)): each of the five in every
    month of the window, few months of each paid back; insured before filing, whenever recorded."""
    window = range(case.last - values["months"] + 1, case.last + 1)
    rows = [case.rows[month] for month in window if month in case.rows]
    paid = {name: sum(row[name] is not None for row in rows) for name in INSURANCES}
    back = {
        name: sum(row[name] == values["back_paid_status"] for row in rows) for name in INSURANCES
    }
    most = values["back_paid_months_at_most"]
    checks = [at_least(f"months_{name}", paid[name], values["months"]) for name in INSURANCES]
    checks += [at_most(f"months_back_paid_{name}", back[name], most) for name in INSURANCES]
    before_filing = case.receipt["insured_in"]
    insured = before_filing is None or any(
        span["from"] <= before_filing <= span["to"]
        for span in case.facts["insurance"] + case.facts["insurance_outside"]
        if any(span[name] for name in INSURANCES)
    )
    if before_filing:
        checks.append(is_true("insured_in_month", insured, month=before_filing))
    evidence = {
        **{f"months_{name}": number for name, number in paid.items()},
        **{f"months_back_paid_{name}": number for name, number in back.items()},
        "insured_in_month": insured,
        "window_from": first_day(window[0]),
    }
    return checks, evidence


def criminal_record(case: Case, _: Json) -> tuple[list[Json], Json]:
    """No criminal record (无刑事犯罪记录, Measures art. 4(4)), of whatever date."""
    days = case.facts["criminal_records"]
    evidence = {"sentences": len(days), "last_sentenced_on": max(days, default=None)}
    return [at_most("sentences", len(days), 0)], evidence


def employer(case: Case, _: Json) -> tuple[list[Json], Json]:
    """Employer (申报单位, release of 2020-07-16, Q&A 3): registered in Beijing and for tax, paying it."""
    firm = next(each for each in case.facts["employers"] if each["filed_application"])
    names = ("registered_in_beijing", "tax_registered", "tax_paying")
    return [is_true(name, bool(firm[name])) for name in names], {name: firm[name] for name in names}


def not_barred(case: Case, values: Json) -> tuple[list[Json], Json]:
    """Not barred (未在禁止申报期内, Measures art. 10): no finding of false material on the person or
    the employer that filed, in its year and the years after it."""
    firm = next(each for each in case.facts["employers"] if each["filed_application"])
    days = {
        name: [day for day in found if 0 <= case.year - int(day[:4]) <= values["years_after"]]
        for name, found in (("person", case.facts["sanctions"]), ("employer", firm["sanctions"]))
    }
    evidence = {f"findings_on_{name}": len(found) for name, found in days.items()}
    checks = [at_most(name, number, 0) for name, number in evidence.items()]
    last = max(chain(*days.values()), default=None)
    return checks, {**evidence, "last_found_on": last}


INDICATOR_RULES: dict[str, Callable[[Case, Json], Outcome]] = {
    each.__name__: each
    for each in (
        employment,
        residence,
        residence_unregistered,
        education,
        education_from_enrolment,
        education_deduction,
        education_deduction_limited,
        job_housing,
        job_housing_moved_out,
        innovation,
        innovation_award_or_position,
        tax,
        tax_three_year_total,
        age,
        honour,
        law,
        law_since_commencement,
    )
}
CONDITION_RULES: dict[str, Callable[[Case, Json], tuple[list[Json], Json]]] = {
    each.__name__: each
    for each in (
        residence_permit,
        retirement_age,
        social_insurance,
        criminal_record,
        employer,
        not_barred,
    )
}


# a receipt held against what follows from it

Difference = tuple[str, Any, Any]  # where, what follows from the facts, what the receipt says


def differences(receipt: Json) -> Iterator[Difference]:
    """Everything in a receipt that does not follow from the facts and values in it."""
    yield from unlike("format", FORMAT, receipt["format"])
    body = {name: each for name, each in receipt.items() if name != "sha256"}
    yield from unlike("sha256", digest(canonical(body)), receipt["sha256"])
    named = digest(json.dumps(receipt["made_from"], **COMPACT, sort_keys=True).encode())
    yield from unlike("run_id", named[: len(receipt["run_id"])], receipt["run_id"])
    case = Case(receipt)
    yield from unlike("reference_date", case.ref, receipt["reference_date"])
    yield from insurance_months(case)
    eligible = True
    for name, said in receipt["conditions"].items():
        checks, evidence = CONDITION_RULES[said["rule"]](case, values_of(said))
        holds = all(each["holds"] for each in checks)
        eligible = eligible and holds
        yield from unlike(f"conditions.{name}.holds", holds, said["holds"])
        yield from unlike(f"conditions.{name}.checks", checks, said["checks"])
        yield from counts(f"conditions.{name}.evidence", evidence, said["evidence"])
    total = 0
    yield from unlike("indicators", list(INDICATORS), list(receipt["indicators"]))
    for name, said in receipt["indicators"].items():
        found = INDICATOR_RULES[said["rule"]](case, values_of(said))
        total += found.centipoints
        yield from indicator(f"indicators.{name}", found, said)
    yield from unlike("total_centipoints", total, receipt["total_centipoints"])
    yield from unlike("total", in_points(total), receipt["total"])
    yield from standing(receipt["standing"], total, eligible=eligible)


def indicator(where: str, found: Outcome, said: Json) -> Iterator[Difference]:
    """One indicator: parts, limits, points, counts, months."""
    for name in ("parts", "combined", "at_most", "at_least", "centipoints"):
        yield from unlike(f"{where}.{name}", getattr(found, name), said[name])
    yield from unlike(f"{where}.points", in_points(found.centipoints), said["points"])
    yield from counts(f"{where}.evidence", found.evidence, said["evidence"])
    yield from unlike(f"{where}.months", found.months, said.get("months"))


def insurance_months(case: Case) -> Iterator[Difference]:
    """Spans tile all months that can count; each is counted, or not for the reason it says."""
    following = case.first
    for span in case.facts["insurance"]:
        where, first, last = f"insurance {span['from']}", month_of(span["from"]), month_of(span["to"])
        yield from unlike(f"{where}: from", written(following), span["from"])
        yield from unlike(f"{where}: months", last - first + 1, span["months"])
        why = why_not(case, span)
        yield from unlike(f"{where}: why", why, span["why"])
        yield from unlike(f"{where}: counted", why is None, span["counted"])
        if span["recorded_on"] and span["recorded_on"] <= case.ref:
            yield f"{where}: recorded_on", f"after {case.ref}", span["recorded_on"]
        following = last + 1
    yield from unlike("insurance: to", written(case.last), written(following - 1))
    for span in case.facts["insurance_outside"]:
        early, late = month_of(span["to"]) < case.first, month_of(span["from"]) > case.last
        why = "before_first_month" if early else "after_reference_date" if late else None
        yield from unlike(f"insurance_outside {span['from']}: why", why, span["why"])
        yield from unlike(f"insurance_outside {span['from']}: counted", False, span["counted"])
    said = case.receipt["counted_months"]
    counted, all_months = len(case.counted), case.last - case.first + 1
    expected = {
        "paid": case.paid,
        "insurance": case.taken,
        "counted": counted,
        "uncounted": all_months - counted,
    }
    for name, found in expected.items():
        yield from unlike(f"counted_months.{name}", found, said[name])


def why_not(case: Case, span: Json) -> str | None:
    """Why the months of a span earn nothing; None when they count (Measures art. 5(1))."""
    if not any(span[name] for name in INSURANCES):
        return "not_insured"
    if span["recorded_on"]:
        return "recorded_after_reference_date"
    status: str | None = span[case.taken]
    if status is None:
        return "other_insurance_only"
    return None if status == case.counting["counted_status"] else status


def standing(said: Json, total: int, *, eligible: bool) -> Iterator[Difference]:
    """Only who is eligible is ranked; everyone at or above the line settles (同分同落)."""
    yield from unlike("standing.eligible", eligible, said["eligible"])
    yield from unlike("standing.rank: there is one", eligible, said["rank"] is not None)
    line = said["line"] and in_centipoints(said["line"])
    settled = eligible and line is not None and total >= line
    yield from unlike("standing.settled", settled, said["settled"])
    yield from unlike("standing.serial: there is one", settled, said["serial"] is not None)
    above = None if line is None else in_points(total - line)
    yield from unlike("standing.above_line", above, said["above_line"])


def counts(where: str, expected: Json, found: Json) -> Iterator[Difference]:
    """Counts shown; where nothing is on record none is."""
    for name, value in found.items():
        yield from unlike(f"{where}.{name}", expected.get(name), value)


def unlike(where: str, expected: Any, found: Any) -> Iterator[Difference]:
    """A difference, if there is one."""
    if expected != found or type(expected) is not type(found):
        yield where, expected, found


def values_of(said: Json) -> Json:
    """The policy values of a rule by name."""
    return {name: each["value"] for name, each in said["values"].items()}


def in_points(centipoints: int) -> str:
    """Centipoints as points: -1050 as -10.50."""
    return f"{'-' if centipoints < 0 else ''}{abs(centipoints) // 100}.{abs(centipoints) % 100:02}"


def in_centipoints(points: str) -> int:
    """Points as centipoints."""
    return int(points.replace(".", ""))


# reading, the tree of receipts, and the command line

COMPACT: Json = {"ensure_ascii": False, "separators": (",", ":")}


def canonical(receipt: Json) -> bytes:
    """A receipt's canonical form: compact JSON in UTF-8, keys in the order given."""
    return json.dumps(receipt, **COMPACT).encode()


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Tree:
    """The root of many receipts in order: a Merkle tree as in RFC 6962, section 2.1."""

    def __init__(self) -> None:
        self.complete: list[tuple[int, bytes]] = []  # trees with their number of leaves

    def add(self, leaf: bytes) -> None:
        """One more receipt."""
        size, top = 1, hashlib.sha256(b"\x00" + leaf).digest()
        while self.complete and self.complete[-1][0] == size:
            size, top = 2 * size, self.node(self.complete.pop()[1], top)
        self.complete.append((size, top))

    def node(self, left: bytes, right: bytes) -> bytes:
        """The hash above two others."""
        return hashlib.sha256(b"\x01" + left + right).digest()

    def root(self) -> str:
        """The root over all receipts so far."""
        tops = [top for _, top in self.complete] or [hashlib.sha256(b"").digest()]
        while len(tops) > 1:
            tops[-2:] = [self.node(*tops[-2:])]
        return tops[0].hex()


def receipts(file: BinaryIO) -> Iterator[Json]:
    """The receipts of a file: one a line, or a single one over many lines."""
    first = file.readline()
    try:
        parsed = parse(first)
    except ValueError:
        yield parse(first + file.read())
        return
    yield parsed
    for line in file:
        yield parse(line)


def parse(text: bytes) -> Json:
    """One receipt; raises ValueError for anything that could be read in two ways."""

    def once(pairs: list[tuple[str, Any]]) -> Json:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    def refuse(text: str) -> None:
        raise ValueError(f"{text}: expected whole numbers")

    parsed = json.loads(
        text, object_pairs_hook=once, parse_float=refuse, parse_constant=refuse
    )
    if not isinstance(parsed, dict):
        raise ValueError("expected an object")
    return parsed


def check(receipt: Json) -> list[str]:
    """The differences in a receipt, a line each."""
    number = receipt.get("application_no", "?")
    try:
        found = list(differences(receipt))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, StopIteration) as error:
        found = [("receipt", "one that is complete", f"{type(error).__name__}: {error}")]
    return [
        f"{number}: {where}: {shown(expected)} follows from the facts, the receipt says {shown(said)}"
        for where, expected, said in found
    ]


def shown(value: Any) -> str:
    """A value for a message."""
    return json.dumps(value, ensure_ascii=False, default=str)


def main() -> int:
    """Check the receipts of a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="receipts; `-` reads what is piped in")
    parser.add_argument("--root", help="the published root: the file must hold all receipts, in order")
    chosen = parser.parse_args()
    number, wrong, tree = 0, 0, Tree()
    try:
        with sys.stdin.buffer if chosen.file == "-" else open(chosen.file, "rb") as raw:
            opened = gzip.open(raw) if chosen.file.endswith(".gz") else raw
            for number, receipt in enumerate(receipts(opened), start=1):
                tree.add(canonical(receipt))
                found = check(receipt)
                wrong += bool(found)
                if found:
                    print("\n".join(found))
    except (OSError, EOFError, ValueError) as error:
        print(f"{chosen.file}: receipt {number + 1}: {error}", file=sys.stderr)
        return 2
    root = tree.root()
    if chosen.root and chosen.root.lower() != root:
        print(f"root: expected {chosen.root}, found {root}")
        wrong += 1
    print(f"{number} receipts checked, {wrong} with differences; root {root}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
