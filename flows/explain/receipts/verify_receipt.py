"""Check receipts (积分凭单) of Beijing's points-based household registration, with Python alone.

    python verify_receipt.py receipt.json                     one receipt, as `luohu explain --json` prints
    python verify_receipt.py receipt.json --root HEX          and that it is one of a published round
    python verify_receipt.py receipts.jsonl.gz                many, one a line
    python verify_receipt.py receipts.jsonl.gz --root HEX     and that they are all of a published round

Every condition, every indicator and the total is worked out again from the facts and the policy values
in the receipt, month by month, and held against what the receipt says; each difference is one line.
Exit status: 0 everything agrees, 1 something differs, 2 the file cannot be read.

The root is published for all to see: a Merkle tree hash (RFC 6962, section 2.1) over the receipts in
the order of their hashes.  A receipt's own proof is the hashes beside the way from it to the root.  A
receipt holds a salt, so that nobody can tell from such a hash what a neighbour's receipt says.

The file needs Python 3.11 and nothing else, and imports nothing of the program that made the receipts:
it was written from the rules.  "Measures" are the 《北京市积分落户管理办法》 of 2020, "Trial measures"
those of 2016; `rule` in a receipt says which is meant.  Points are whole hundredths (centipoints).  A
month is a whole number, year * 12 + month - 1, so that the next month is one more.
"""

import argparse
import gzip
import hashlib
import json
import re
import sys
import zlib
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, BinaryIO, cast

FORMAT = 2
FIRST_FORMAT = 1  # not salted, in the tree in the order of the file
YEAR = 12  # months
# what is read at most: a file from elsewhere may be made to take hours, or all memory
MOST_BYTES = 16 << 20  # of a receipt; they have some 30,000
MOST_RECEIPTS = 2_000_000  # of a file
MOST_DEEP = 20  # lists and objects within each other; a receipt has six
MOST_NUMBER = 10**24  # sums of money included
MOST_TEXT = 10_000  # characters
MOST_ROWS = 20_000  # on record about one applicant
MOST_VALUES = 500  # entries of a policy value
MOST_MONTHS = 200 * YEAR  # from the first month that can count to the last
MOST_HOME_MONTHS = 10_000_000
MOST_YEARS = 100  # a rule looks back
MOST_SHOWN, WIDEST = 1_000, 1_500  # differences of a receipt, characters of a line
INSURANCES = ("pension", "medical", "unemployment", "injury", "maternity")
OWN = ("own",)
RUN_ID = 16  # characters
PROOF = "proof"  # stands beside the receipt, and is no part of it
HASH = re.compile("[0-9a-f]{64}")
LAST_DAY = "9999-12-31"
COMPACT: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}
Json = dict[str, Any]
Difference = tuple[str, Any, Any]  # where, what follows from the facts, what the receipt says


def half_up(numerator: int, denominator: int) -> int:
    """A fraction rounded half up to whole centipoints; a deduction away from zero."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -size if numerator < 0 else size


def month_of(text: str) -> int:
    """The month a day or a month (2019-12-31, 2019-12) lies in."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])(-[0-9]{2})?", text):
        raise ValueError(f"{text}: expected a day or a month")
    return int(text[:4]) * YEAR + int(text[5:7]) - 1


def written(month: int) -> str:
    """A month as 2019-12."""
    return f"{month // YEAR}-{month % YEAR + 1:02}"


def first_day(month: int | None) -> str | None:
    """The first day of a month."""
    return None if month is None else f"{written(month)}-01"


def later(day: str, months: int) -> str:
    """A day so many months later, clipped to the month's last day, and to the last day there is."""
    month = month_of(day) + months
    if month > month_of(LAST_DAY):
        return LAST_DAY
    last = monthrange(month // YEAR, month % YEAR + 1)[1]
    return f"{written(month)}-{min(int(day[8:]), last):02}"


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
        points: int = max(each) if self.combined == "largest" else sum(each)
        if self.at_most is not None:
            points = min(points, self.at_most)
        return points if self.at_least is None else max(points, self.at_least)


class Case:
    """The facts of one receipt, as the rules look at them."""

    def __init__(self, receipt: Json) -> None:
        """Find the insurance row of every month, the insurance taken and its counted months."""
        self.receipt, self.facts, self.year = receipt, receipt["facts"], receipt["round"]
        self.ref = f"{self.year - 1}-12-31"
        counting = values_of(receipt["counted_months"])
        self.first, self.last = month_of(counting["first_month"]), month_of(self.ref)
        limited("months that can count", self.last - self.first + 1, MOST_MONTHS)
        limited("rows on record", sum(map(len, lists_in(self.facts))), MOST_ROWS)
        limited(
            "months of insurance",
            sum(
                max(month_of(span["to"]) - month_of(span["from"]) + 1, 0)
                for span in self.facts["insurance"]
            ),
            MOST_MONTHS,
        )
        self.counted_status: str = counting["counted_status"]
        self.rows: dict[int, Json] = {
            month: span
            for span in self.facts["insurance"]
            if has_status(span) and span["recorded_on"] is None
            for month in range(month_of(span["from"]), month_of(span["to"]) + 1)
        }
        self.paid = {name: len(self.months_paid(name)) for name in counting["insurances"]}
        # the first in the order of the law among equals
        self.taken = max(self.paid, key=lambda name: self.paid[name])
        self.counted = self.months_paid(self.taken)
        self.in_order = sorted(self.counted)
        self.employers: dict[Any, Json] = {
            each["employer"]: each for each in self.facts["employers"]
        }

    def months_paid(self, insurance: str) -> list[int]:
        """The months paid on time for an insurance: those of the one taken are the counted months
        (计分缴费月数, Measures art. 5(1))."""
        return [m for m, row in self.rows.items() if row[insurance] == self.counted_status]

    def counted_between(self, first: int, last: int) -> int:
        """How many of the counted months lie from one to another."""
        return max(bisect_right(self.in_order, last) - bisect_left(self.in_order, first), 0)

    def january(self, years_back: int) -> str:
        """The first day of a calendar year before the round."""
        return f"{self.year - years_back}-01-01"

    def homes(self, since: int) -> dict[int, list[Json]]:
        """The homes held in each month to December of the year before: a home covers the months
        whose first day lies in start_date..end_date."""
        limited("months that can count", self.last - since + 1, MOST_MONTHS)
        held: dict[int, list[Json]] = {month: [] for month in range(since, self.last + 1)}
        covered = []
        for home in self.facts["housing"]:
            start, end = home["start_date"], home["end_date"] or self.ref
            first = max(month_of(start) + (start[8:] != "01"), since)
            covered.append((home, range(first, min(month_of(end), self.last) + 1)))
        limited("months of homes", sum(len(months) for _, months in covered), MOST_HOME_MONTHS)
        for home, months in covered:
            for month in months:
                held[month].append(home)
        return held

    def employer(self, number: int) -> Json:
        """An employer that the receipt names; number 1 filed the application."""
        return self.employers[number]


def limited(what: str, found: int, most: int) -> int:
    """A count that is not too large to be worked with; raises ValueError for one that is."""
    if found > most:
        raise ValueError(f"expected at most {most:,} {what}, found more")
    return found


def lists_in(facts: Json) -> Iterator[list[Any]]:
    """All lists of rows among the facts, those of employers too."""
    yield from (each for each in facts.values() if isinstance(each, list))
    for firm in facts["employers"]:
        yield from (each for each in firm.values() if isinstance(each, list))


def has_status(span: Json) -> bool:
    """Whether any of the five insurances has a status."""
    return any(span[name] for name in INSURANCES)


def first_kind(homes: list[Json], kinds: Sequence[str]) -> str | None:
    """The first kind of home held: own home before dormitory before rent."""
    held = {home["kind"] for home in homes}
    return next((kind for kind in kinds if kind in held), None)


def spans(states: dict[int, Json]) -> list[Json]:
    """Months with what is said of each, as runs of months of which the same is said."""
    found = []
    for state, run in groupby(states.items(), key=lambda each: each[1]):
        months = [month for month, _ in run]
        extent = {"from": written(months[0]), "to": written(months[-1]), "months": len(months)}
        found.append({**extent, **state})
    return found


def employment(case: Case, values: Json) -> Outcome:
    """Stable employment (合法稳定就业, Measures art. 5(1)): each counted month at the monthly rate."""
    months = case.counted
    evidence = {
        "months_counted": len(months),
        "insurance": case.taken,
        "first_month": first_day(months[0]) if months else None,
        "last_month": first_day(months[-1]) if months else None,
    }
    points = len(months) * values["centipoints_per_month"]
    return Outcome([part("counted_months", points, months_counted=len(months))], evidence=evidence)


def kinds_of_home(values: Json, *, registered: bool) -> list[Json]:
    """The table of kinds of home, by precedence; earlier policy has a rate of own homes and another."""
    if "kinds" in values:
        return list(values["kinds"])
    own, other = values["centipoints_per_year_own"], values["centipoints_per_year_other"]
    columns = ("kind", "centipoints_per_year", "registered", "early")
    rows = [
        ("own", own, False, "held"),
        ("dormitory", other, registered, "never"),
        ("rent", other, registered, "default"),
    ]
    return [dict(zip(columns, row, strict=True)) for row in rows]


def residence(case: Case, values: Json, *, registered: bool = True) -> Outcome:
    """Stable residence (合法稳定住所, Measures art. 5(2)): months by kind of home and period, those that
    count as held first, never more than employment has; each part rounded on its own.  Before
    `filed_from` each employment month without such a home counts by default as one kind; from it on
    every kind counts, some only if registered in time."""
    split = month_of(values["filed_from"])
    table = {each["kind"]: each for each in kinds_of_home(values, registered=registered)}
    states = {}
    for month, homes in case.homes(month_of(values["first_month"])).items():
        filed = [home for home in homes if is_filed(home, table.get(home["kind"]), case.ref)]
        states[month] = residence_month(
            table.get(first_kind(filed, [*table]) or ""), first_kind(homes, [*table]), month < split
        )
    number = Counter(state["counts_as"] for state in states.values())
    employed, early = len(case.counted), sum(month < split for month in case.counted)
    as_held = [kind for kind in table.values() if is_held(kind)]
    turns = [(called(kind, period), kind) for kind in as_held for period in ("late", "early")]
    shown = [called(kind, period) for kind in as_held for period in ("early", "late")]
    turns += [("default_early", kind) for kind in table.values() if kind["early"] == "default"]
    turns += [(called(kind, "late"), kind) for kind in table.values() if not is_held(kind)]
    shown += [name for name, _ in turns if name not in shown]
    left = employed
    counted: dict[str, int] = {}
    for name, _ in turns:
        months = number[name]
        if name == "default_early":
            months = max(early - sum(counted[called(kind, "early")] for kind in as_held), 0)
        counted[name] = min(months, left)
        left -= counted[name]
    rate = {name: kind["centipoints_per_year"] for name, kind in turns}
    parts = [part(name, counted[name] * rate[name], YEAR, months=counted[name]) for name in shown]
    evidence = {
        "months_employed": employed,
        "months_employed_early": early,
        **{f"months_{name}": number[name] for name in shown if name != "default_early"},
        **{f"counted_{name}": counted[name] for name in shown},
    }
    return Outcome(parts, evidence=evidence, months=spans(states))


def called(kind: Json, period: str) -> str:
    """The name of a kind's months in a period, early or late."""
    return f"{'rented' if kind['kind'] == 'rent' else kind['kind']}_{period}"


def is_held(kind: Json) -> bool:
    """Whether months of a kind count before `filed_from` too."""
    return bool(kind["early"] == "held")


def is_filed(home: Json, kind: Json | None, reference: str) -> bool:
    """Whether a home is of a kind that counts, and registered in time where it has to be."""
    if kind is None:
        return False
    day = home["registered_on"]
    return bool(not kind["registered"] or (day and day <= reference))


def residence_month(filed: Json | None, held: str | None, early: bool) -> Json:
    """What a month counts as by the kind of home that is filed, or why it does not."""
    counts = filed is not None and (not early or is_held(filed))
    why = "counts_by_employment" if early else "not_registered" if held else "no_home"
    return {
        "home": filed["kind"] if filed else held,
        "counts_as": called(filed, "early" if early else "late") if filed and counts else None,
        "why": None if counts else why,
    }


def best_credential(case: Case) -> Json:
    """The verified credential that earns most, then the latest, then the one least studied while
    insured; none unless the applicant claims the indicator.  Studied are the months that end with
    graduation: as many as the table says (Trial measures: from enrolment, where it is known)."""
    rule = case.receipt["indicators"]["education"]
    table = values_of(rule)["credentials"]
    levels = [each["level"] for each in table]
    found = []
    for row in case.facts["education"] if case.facts["claims_education"] else []:
        holds = {name: row[name] for name in ("level", "has_diploma", "has_degree")}
        entry = next((each for each in table if holds.items() <= each.items()), None)
        if entry is None or not row["verified"] or row["graduated_on"] > case.ref:
            continue
        last = month_of(row["graduated_on"])
        first = last - entry["window_months"] + 1
        if rule["rule"] == "education_from_enrolment" and row["enrolled_on"]:
            first = month_of(row["enrolled_on"])
        credential = {
            "centipoints": entry["centipoints"],
            **holds,
            "graduated_on": row["graduated_on"],
            "study_from": first_day(first),
            "window_months": entry["window_months"],
            "months_studied": case.counted_between(first, last),
        }
        found.append((credential, (levels.index(row["level"]), *list(holds.values())[1:], first)))
    # the last three distinguish what is equal for the law
    found.sort(key=lambda each: (each[0]["months_studied"], each[1]))
    found.sort(key=lambda each: (each[0]["centipoints"], each[0]["graduated_on"]), reverse=True)
    return found[0][0] if found else {}


def education(case: Case, _: Json) -> Outcome:
    """Education (教育背景, Measures art. 5(3)): the points of the best credential."""
    best = best_credential(case)
    shown: Json = {name: best.get(name) for name in ("level", "graduated_on")}
    return Outcome([part("credential", best.get("centipoints", 0), **shown)], evidence=best)


def education_deduction(case: Case, values: Json) -> Outcome:
    """Deduction for the study period (学习期间不累计, Measures art. 5(3)): counted months among those
    of study, at a yearly rate (Trial measures: at most what the level adds)."""
    best = best_credential(case)
    months = best.get("months_studied", 0)
    cost = part("study", -months * values["centipoints_per_year"], YEAR, months=months)
    limits = values.get("centipoints_at_most")
    most = None if limits is None else -limits[best["level"]] if best else 0
    return Outcome([cost], at_least=most, evidence=best)


def is_outside(district: int, values: Json) -> bool:
    """Whether a district lies in Beijing and is none of the six (城六区)."""
    beijing = values["beijing_districts"]
    return (
        beijing["first"] <= district <= beijing["last"] and district not in values["six_districts"]
    )


def home_and_job(case: Case, since: int, kinds: Sequence[str], values: Json) -> dict[int, Json]:
    """Each month's home (those held of the first kind there is) and job, outside or not."""
    states = {}
    for month, homes in case.homes(since).items():
        kind, row = first_kind(homes, kinds), case.rows.get(month)
        home = any(is_outside(each["district"], values) for each in homes if each["kind"] == kind)
        job = is_outside(row["work_district"], values) if row else None
        none = "no_own_home" if len(kinds) == 1 else "no_home"
        states[month] = {
            "home": kind,
            "home_outside": home,
            "job_outside": job,
            "counts_as": ("home_and_job" if job else "home") if home else None,
            "why": None if home else "home_not_outside" if kind else none,
        }
    return states


def full_years(name: str, months: int, rate: int, gates: Json, at_most: int | None = None) -> Json:
    """Full years at a yearly rate; the months left over earn nothing."""
    years = months // YEAR
    return part(name, years * rate, at_most=at_most, **gates, months=months, full_years=years)


def job_housing(case: Case, values: Json) -> Outcome:
    """Home and job outside the six districts (职住区域, Measures art. 5(4)): full years with an own
    home outside, and of those with the job outside too; only if December has the home."""
    states = home_and_job(case, month_of(values["counts_from"]), OWN, values)
    home = [month for month, state in states.items() if state["home_outside"]]
    both = [month for month in home if states[month]["job_outside"]]
    december = {"home_outside_in_december": case.last in home}
    parts = [
        full_years(
            name,
            len(months) if case.last in home else 0,
            values[f"centipoints_per_year_{name}"],
            december,
        )
        for name, months in (("home", home), ("job", both))
    ]
    evidence = {
        "months_home_outside": len(home),
        "months_job_outside": len(both),
        "last_month": first_day(max(home, default=None)),
        **december,
    }
    return Outcome(
        parts, at_most=values["centipoints_at_most"], evidence=evidence, months=spans(states)
    )


def job_housing_moved_out(case: Case, values: Json) -> Outcome:
    """Home and job moved out of the six districts (Trial measures art. 5(4)): full years of both, and
    of the home alone.  Moved: the last one had before the first outside lay inside."""
    kinds, since = values["home_kinds"], month_of(values["counts_from"])
    six = values["six_districts"]
    states = home_and_job(case, since, kinds, values)
    home = [month for month, state in states.items() if state["home_outside"]]
    both = [month for month in home if states[month]["job_outside"]]
    jobs = [
        month
        for month, row in case.rows.items()
        if month >= since and is_outside(row["work_district"], values)
    ]
    held = case.homes(month_of(values["first_month"]))
    home_before = last_before(home, [month for month, homes in held.items() if homes])
    job_before = last_before(jobs, list(case.rows))
    homes = held[home_before] if home_before else []
    kind = first_kind(homes, kinds)
    home_moved = any(each["kind"] == kind and each["district"] in six for each in homes)
    job_moved = bool(home and job_before and case.rows[job_before]["work_district"] in six)
    gates = {"home_before_inside": home_moved}
    moved = len(home) if home_moved else 0
    moved_both = len(both) if home_moved and job_moved else 0
    parts = [
        full_years(
            "home_and_job",
            moved_both,
            values["centipoints_per_year_home_and_job"],
            gates | {"job_before_inside": job_moved},
        ),
        full_years(
            "home_alone",
            moved - moved_both,
            values["centipoints_per_year_home"],
            gates,
            values["centipoints_at_most_home"],
        ),
    ]
    evidence = {
        "months_home_outside": len(home),
        "months_job_outside": len(both),
        "first_home_outside": first_day(min(home, default=None)),
        "home_before": first_day(home_before),
        "home_before_inside": home_moved,
        "first_job_outside": first_day(min(jobs, default=None)),
        "job_before": first_day(job_before),
        "job_before_inside": job_moved,
    }
    return Outcome(
        parts, at_most=values["centipoints_at_most"], evidence=evidence, months=spans(states)
    )


def last_before(months: list[int], among: list[int]) -> int | None:
    """The last of some months before the first of others."""
    return max((each for each in among if months and each < min(months)), default=None)


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
    shown: Json = {"award_points": worth, "award_scope": scope}
    return part("award", points, **shown), {**shown, "awarded_on": day}


def innovation(case: Case, values: Json) -> Outcome:
    """Innovation (创新创业, Measures art. 5(5)): the best award, or the financing of a technology firm
    the applicant works in and held a large enough share of all of the year before."""
    award, evidence = best_award(case, values)
    start = case.january(values["financing_years"])
    works_at = case.rows.get(case.last, {}).get("employer")
    sums = []
    received = {
        number: [
            each["amount_fen"]
            for each in firm["financings"]
            if start <= each["received_on"] <= case.ref
        ]
        for number, firm in case.employers.items()
    }
    for share in case.facts["shareholdings"]:
        firm, cash = case.employer(share["employer"]), received[share["employer"]]
        if (
            share["share_bp"] >= values["share_bp_at_least"]
            and share["held_from"] <= case.january(1)
            and (share["held_to"] is None or share["held_to"] >= case.ref)
            and (firm["high_tech"] or firm["tech_sme"])
            and share["employer"] == works_at
            and cash
        ):
            sums.append(share["employer"])
    fen = max((sum(received[number]) for number in set(sums)), default=None)
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
    found: list[tuple[Any, ...]] = []
    for held in case.facts["positions"]:
        if held["held_from"] <= case.ref:
            until = min(held["held_to"] or case.ref, case.ref)
            years = int(until[:4]) - int(held["held_from"][:4])
            years -= later(held["held_from"], years * YEAR) > until
            place = kinds.index(held["kind"])
            rate = values["positions"][place]
            points = min(years * rate["centipoints_per_year"], rate["centipoints_at_most"])
            found.append((-points, -years, place, held["held_from"], until))
    worth, long, which, begun, until = min(found, default=(0, 0, None, None, None))
    is_held = which is not None
    shown: Json = {
        "position_kind": kinds[which] if is_held else None,
        "full_years": -long if is_held else None,
    }
    evidence |= {"position_kind": shown["position_kind"], "position_years": shown["full_years"]}
    evidence |= {"position_from": begun, "position_until": until}
    parts = [award, part("position", -worth, **shown)]
    return Outcome(parts, "largest", values["centipoints_at_most"], evidence=evidence)


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
    for back in range(1, limited("years", values["years"], MOST_YEARS) + 1):
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
    cost, evidence = violations(case, values, case.january(values["violation_years"]))
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
    shown: Json = {}
    years: Json = {}
    reached = False
    for name, rows in (("fen", of_income), ("company_fen", of_company)):
        paid = [
            sum(fen for year, fen in rows if year == case.year - back)
            for back in range(1, limited("years", values["years"], MOST_YEARS) + 1)
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
    evidence = {"birth_date": case.facts["birth_date"], "age": years, "on": case.january(1)}
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
    """Law-abiding record (守法记录, Measures art. 5(9)): each detention of the last years (Trial
    measures: since they commenced)."""
    start = values["counts_from"] if "counts_from" in values else case.january(values["years"])
    days = case.facts["detentions"]
    evidence = events(days, start, case.ref, "detentions", "last_decided_on")
    number = evidence["detentions"]
    cost = number * values["centipoints_per_detention"]
    return Outcome([part("detentions", cost, detentions=number)], evidence=evidence)


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
    rows = [row for month, row in case.rows.items() if month in window]
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
        if has_status(span)
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
    firm = case.employer(1)
    names = ("registered_in_beijing", "tax_registered", "tax_paying")
    return [is_true(name, bool(firm[name])) for name in names], {name: firm[name] for name in names}


def not_barred(case: Case, values: Json) -> tuple[list[Json], Json]:
    """Not barred (未在禁止申报期内, Measures art. 10): no finding of false material on the person or
    the employer that filed, in its year and the years after it."""
    firm = case.employer(1)
    days = {
        name: [day for day in found if 0 <= case.year - int(day[:4]) <= values["years_after"]]
        for name, found in (("person", case.facts["sanctions"]), ("employer", firm["sanctions"]))
    }
    evidence = {f"findings_on_{name}": len(found) for name, found in days.items()}
    checks = [at_most(name, number, 0) for name, number in evidence.items()]
    last = max(chain(*days.values()), default=None)
    return checks, {**evidence, "last_found_on": last}


# an edition is a list of rules: the condition or indicator, and the name of its rule where that differs
CONDITIONS: dict[str, Callable[[Case, Json], tuple[list[Json], Json]]] = {
    "residence_permit": residence_permit,
    "retirement_age": retirement_age,
    "social_insurance": social_insurance,
    "criminal_record": criminal_record,
    "employer": employer,
    "not_barred": not_barred,
}
INDICATORS: dict[str, Callable[[Case, Json], Outcome]] = {
    "employment": employment,
    "residence": residence,
    "education": education,
    "education_deduction": education_deduction,
    "job_housing": job_housing,
    "innovation": innovation,
    "tax": tax,
    "age": age,
    "honour": honour,
    "law": law,
    "residence_unregistered": partial(residence, registered=False),
    "education_from_enrolment": education,
    "education_deduction_limited": education_deduction,
    "job_housing_moved_out": job_housing_moved_out,
    "innovation_award_or_position": innovation_award_or_position,
    "tax_three_year_total": tax_three_year_total,
    "law_since_commencement": law,
}
SIX, TEN = list(CONDITIONS)[:6], list(INDICATORS)[:10]
EDITIONS: dict[str, tuple[Json, Json]] = {
    "2020": ({name: name for name in SIX}, {name: name for name in TEN}),
    "trial": (
        {name: name for name in SIX if name != "employer"},
        {name: name for name in TEN}
        | {
            "residence": "residence_unregistered",
            "education": "education_from_enrolment",
            "education_deduction": "education_deduction_limited",
            "job_housing": "job_housing_moved_out",
            "innovation": "innovation_award_or_position",
            "tax": "tax_three_year_total",
            "law": "law_since_commencement",
        },
    ),
}


# what a receipt of a run holds; one of `luohu score` is of nobody in particular, and holds none of it
OF_A_RUN = (
    *("application_no", "salt", "run_id", "needs_review", "standing", "rejects"),
    *("made_from", "delivered"),
)


def differences(receipt: Json) -> Iterator[Difference]:
    """Everything in a receipt that does not follow from the facts and values in it."""
    if receipt["format"] != FIRST_FORMAT:
        yield from unlike("format", FORMAT, receipt["format"])
    body = {name: each for name, each in receipt.items() if name != "sha256"}
    yield from unlike("sha256", digest(canonical(body)), receipt["sha256"])
    of_run = any(name in receipt for name in OF_A_RUN)
    # where a run is named in another way, this cannot be checked
    if of_run and receipt["made_from"]["feeds"] is not None:
        made_from = json.dumps(receipt["made_from"], **COMPACT, sort_keys=True)
        yield from unlike("run_id", digest(made_from.encode())[:RUN_ID], receipt["run_id"])
    for kind, rules in zip(("conditions", "indicators"), EDITIONS[receipt["edition"]], strict=True):
        said = {name: each["rule"] for name, each in receipt[kind].items()}
        yield from unlike(f"{kind}: rules", rules, said)
    case = Case(receipt)
    yield from unlike("reference_date", case.ref, receipt["reference_date"])
    yield from insurance_months(case)
    eligible, total = True, 0
    for name, said in receipt["conditions"].items():
        checks, evidence = CONDITIONS[said["rule"]](case, values_of(said))
        holds = all(each["holds"] for each in checks)
        eligible = eligible and holds
        yield from unlike(f"conditions.{name}.holds", holds, said["holds"])
        yield from unlike(f"conditions.{name}.checks", checks, said["checks"])
        yield from counts(f"conditions.{name}.evidence", evidence, said["evidence"])
    for name, said in receipt["indicators"].items():
        found = INDICATORS[said["rule"]](case, values_of(said))
        total += found.centipoints
        for field_name in ("parts", "combined", "at_most", "at_least", "centipoints"):
            where = f"indicators.{name}.{field_name}"
            yield from unlike(where, getattr(found, field_name), said[field_name])
        yield from unlike(f"indicators.{name}.points", in_points(found.centipoints), said["points"])
        yield from counts(f"indicators.{name}.evidence", found.evidence, said["evidence"])
        yield from unlike(f"indicators.{name}.months", found.months, said.get("months"))
    yield from unlike("total_centipoints", total, receipt["total_centipoints"])
    yield from unlike("total", in_points(total), receipt["total"])
    if of_run:
        yield from standing(receipt["standing"], total, eligible=eligible)


def insurance_months(case: Case) -> Iterator[Difference]:
    """Spans tile all months that can count; each is counted, or not for the reason it says."""
    following = case.first
    for place, span in enumerate(case.facts["insurance"]):
        first, last, why = month_of(span["from"]), month_of(span["to"]), why_not(case, span)
        follows = {
            "from": written(following),
            "months": last - first + 1,
            "counted": why is None,
            "why": why,
        }
        yield from unlike(
            f"facts.insurance.{place}", follows, {name: span[name] for name in follows}
        )
        if span["recorded_on"] and span["recorded_on"] <= case.ref:
            where = f"facts.insurance.{place}.recorded_on"
            yield where, f"a day after {case.ref}", span["recorded_on"]
        following = last + 1
    yield from unlike("facts.insurance: last month", written(case.last), written(following - 1))
    for place, span in enumerate(case.facts["insurance_outside"]):
        first, last = month_of(span["from"]), month_of(span["to"])
        reasons = {
            last < case.first: "before_first_month",
            first > case.last: "after_reference_date",
        }
        follows = {"months": last - first + 1, "counted": False, "why": reasons.get(True)}
        where = f"facts.insurance_outside.{place}"
        yield from unlike(where, follows, {name: span[name] for name in follows})
    follows = {
        "paid": case.paid,
        "insurance": case.taken,
        "counted": len(case.counted),
        "uncounted": case.last - case.first + 1 - len(case.counted),
    }
    said = case.receipt["counted_months"]
    yield from unlike("counted_months", follows, {name: said[name] for name in follows})


def why_not(case: Case, span: Json) -> str | None:
    """Why the months of a span earn nothing; None when they count (Measures art. 5(1))."""
    if not has_status(span):
        return "not_insured"
    if span["recorded_on"]:
        return "recorded_after_reference_date"
    status: str | None = span[case.taken]
    if status is None:
        return "other_insurance_only"
    return None if status == case.counted_status else status


def standing(said: Json, total: int, *, eligible: bool) -> Iterator[Difference]:
    """Only eligible applicants are ranked; everyone at or above the line settles (同分同落)."""
    line = None if said["line"] is None else int(said["line"].replace(".", ""))
    settled = eligible and line is not None and total >= line
    follows = {
        "eligible": eligible,
        "settled": settled,
        "above_line": None if line is None else in_points(total - line),
    }
    yield from unlike("standing", follows, {name: said[name] for name in follows})
    yield from unlike("standing.rank: is there one", eligible, said["rank"] is not None)
    yield from unlike("standing.serial: is there one", settled, said["serial"] is not None)


def counts(where: str, expected: Json, found: Json) -> Iterator[Difference]:
    """The counts shown; where nothing is on record, no count is shown."""
    for name, value in found.items():
        yield from unlike(f"{where}.{name}", expected.get(name), value)


def unlike(where: str, expected: Any, found: Any) -> Iterator[Difference]:
    """The differences between two values, as deep inside as they can be found."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        for name, each in expected.items():
            yield from unlike(f"{where}.{name}", each, found[name])
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for place, each in enumerate(expected):
            yield from unlike(f"{where}.{place}", each, found[place])
    elif expected != found or type(expected) is not type(found):
        yield where, expected, found


def values_of(said: Json) -> Json:
    """The policy values of a rule by name."""
    found = {name: each["value"] for name, each in said["values"].items()}
    for value in found.values():
        limited("entries of a policy value", entries(value), MOST_VALUES)
    return found


def entries(value: Any) -> int:
    """How many values, lists and tables stand in one."""
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return 1 + sum(map(entries, inside))
    return 1


def in_points(centipoints: int) -> str:
    """Centipoints as points: -1050 as -10.50."""
    return f"{'-' if centipoints < 0 else ''}{abs(centipoints) // 100}.{abs(centipoints) % 100:02}"


def canonical(receipt: Json) -> bytes:
    """A receipt's canonical form: compact JSON in UTF-8, keys in the order given."""
    return json.dumps(receipt, **COMPACT).encode()


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def leaf_hash(receipt: Json) -> bytes:
    """The hash of a receipt in the tree."""
    return hashlib.sha256(b"\x00" + canonical(receipt)).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> str:
    """The root over hashes in their order: a Merkle tree as in RFC 6962, section 2.1."""
    level = list(hashes) or [hashlib.sha256(b"").digest()]
    while len(level) > 1:  # the last of an odd number goes up alone
        pairs = [node_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0].hex()


def proved_root(leaf: bytes, proof: Any) -> str:
    """The root that a proof leads to from a leaf (RFC 6962, section 2.1.1); raises ValueError for none."""
    if not isinstance(proof, dict) or proof.keys() != {"index", "size", "path", "root"}:
        raise ValueError("expected index, size, path and root")
    index, size, path = proof["index"], proof["size"], proof["path"]
    if type(index) is not int or type(size) is not int or not 0 <= index < size:
        raise ValueError("expected a place among so many receipts")
    if not isinstance(path, list) or not all(isinstance(each, str) for each in path):
        raise ValueError("expected hashes on the way to the root")
    if not all(HASH.fullmatch(each) for each in path):
        raise ValueError("expected hashes on the way to the root, found other text")
    found, rest, last = leaf, [bytes.fromhex(each) for each in reversed(path)], size - 1
    while last:
        if index % 2 or index < last:  # the last of an odd number goes up alone
            if not rest:
                raise ValueError("expected more hashes for that place among so many receipts")
            beside = rest.pop()
            found = node_hash(beside, found) if index % 2 else node_hash(found, beside)
        index, last = index // 2, last // 2
    if rest:
        raise ValueError("expected fewer hashes for that place among so many receipts")
    return found.hex()


def opened(name: str) -> BinaryIO:
    """A file by its name, packed or not; `-` is what is piped in."""
    if name == "-":
        return sys.stdin.buffer
    file: Any = gzip.open(name) if name.endswith(".gz") else Path(name).open("rb")  # noqa: SIM115
    return cast("BinaryIO", file)


def receipts(file: BinaryIO) -> Iterator[Json]:
    """The receipts of a file: one a line, or a single one over many lines."""
    first = line_of(file)
    if not first:
        return
    try:
        parsed = parse(first)
    except ValueError:
        whole = first + file.read(MOST_BYTES + 1)
        limited("bytes in a receipt", len(whole), MOST_BYTES)
        yield parse(whole)
        return
    yield parsed
    while line := line_of(file):
        yield parse(line)


def line_of(file: BinaryIO) -> bytes:
    """The next line, which is not too long to be a receipt."""
    line = file.readline(MOST_BYTES + 1)
    limited("bytes in a receipt", len(line), MOST_BYTES)
    return line


def parse(text: bytes) -> Json:
    """One receipt; raises ValueError for anything that could be read in two ways."""

    def once(pairs: list[tuple[str, Any]]) -> Json:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    def refuse(text: str) -> None:
        raise ValueError(f"{text[:20]}: expected whole numbers")

    parsed = json.loads(text, object_pairs_hook=once, parse_float=refuse, parse_constant=refuse)
    require_plain(parsed, MOST_DEEP)
    if isinstance(parsed, dict):
        return parsed
    raise ValueError("expected an object")


def require_plain(value: Any, deep: int) -> None:
    """Raise ValueError for numbers, texts or nesting that no receipt has."""
    if isinstance(value, dict | list):
        if not deep:
            raise ValueError(f"expected at most {MOST_DEEP} lists and objects within each other")
        for each in value.values() if isinstance(value, dict) else value:
            require_plain(each, deep - 1)
        if isinstance(value, dict) and value:
            limited("characters in a name", max(map(len, value)), MOST_TEXT)
    elif isinstance(value, str):
        if len(value) > MOST_TEXT:
            limited("characters in a text", len(value), MOST_TEXT)
    elif isinstance(value, int) and abs(value) > MOST_NUMBER:
        raise ValueError(f"expected whole numbers up to {MOST_NUMBER:,}, found a larger one")


def check(receipt: Json) -> list[str]:
    """The differences in a receipt, a line each; its proof, if it has one, is looked at elsewhere."""
    bare = {name: each for name, each in receipt.items() if name != PROOF}
    if "format" not in bare:
        held = "; what stands in it as `receipt` may be one" * ("receipt" in bare)
        return [f"receipt: expected a receipt, found another object, without `format`{held}"]
    try:
        found = list(islice(differences(bare), MOST_SHOWN))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        found = [("receipt", "a complete one", f"{type(error).__name__}: {error}")]
    number = receipt.get("application_no", "receipt")
    return [
        printable(f"{number}: {where}: expected {shown(expected)}, the receipt says {shown(said)}")
        for where, expected, said in found
    ]


def shown(value: Any) -> str:
    """A value for a message."""
    return json.dumps(value, ensure_ascii=False)


def printable(text: str) -> str:
    """A text a terminal takes for nothing but text, and of a line's length."""
    cut = text if len(text) <= WIDEST else f"{text[:WIDEST]}..."
    return "".join(each if each.isprintable() else "?" for each in cut)


@dataclass
class Checked:
    """What came of the receipts of a file, so far."""

    number: int = 0
    wrong: int = 0
    hashes: list[bytes] = field(default_factory=list)
    formats: set[Any] = field(default_factory=set)
    proved: set[str] = field(default_factory=set)  # roots that proofs lead to
    last_no: str = ""

    def add(self, receipt: Json) -> list[str]:
        """One more receipt; returns its differences."""
        limited("receipts in a file", self.number + 1, MOST_RECEIPTS)
        proof = receipt.pop(PROOF, None)
        if self.number and (proof is None) == bool(self.proved):
            raise ValueError("expected a proof in every receipt or in none")
        leaf, found = leaf_hash(receipt), check(receipt)
        number = receipt.get("application_no")
        if proof is not None:
            try:
                self.proved.add(root := proved_root(leaf, proof))
                unequal = unlike("proof.root", root, proof["root"])
            except ValueError as error:
                self.proved.add("")
                unequal = iter([("proof", "one that leads to a root", str(error))])
            found += [
                printable(
                    f"{number}: {where}: expected {shown(one)}, the receipt says {shown(other)}"
                )
                for where, one, other in unequal
            ]
        elif receipt.get("format") != FIRST_FORMAT and isinstance(number, str):
            if self.number and number <= self.last_no:
                ascending = "application numbers that ascend, each once"
                found.append(printable(f"{number}: expected {ascending}, found it behind another"))
            self.last_no = number
        self.hashes.append(leaf)
        self.formats.add(receipt.get("format") == FIRST_FORMAT)
        self.number, self.wrong = self.number + 1, self.wrong + bool(found)
        return found

    def roots(self) -> list[str]:
        """The root over all receipts, or those that their proofs lead to."""
        if self.proved:
            return sorted(self.proved)
        # receipts of the first format stand in the tree in the order of the file
        as_they_came = self.formats == {True}
        return [root_of(self.hashes if as_they_came else sorted(self.hashes))]


def published_root(text: str) -> str:
    """A root as it is given; one that is empty, say of a variable never set, would prove nothing."""
    if not re.fullmatch("[0-9a-f]{64}", root := text.strip().lower()):
        raise argparse.ArgumentTypeError("expected 64 hexadecimal digits, found something else")
    return root


def main() -> int:
    """Check the receipts of a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="one receipt or many; - reads what is piped in")
    parser.add_argument(
        "--root", type=published_root, help="the root published over all receipts of the round"
    )
    chosen = parser.parse_args()
    checked = Checked()
    try:
        with opened(chosen.file) as file:
            for receipt in receipts(file):
                found = checked.add(receipt)
                print(*found, sep="\n", end="\n" * bool(found))
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        message = f"{chosen.file}: receipt {checked.number + 1} cannot be read: {why}"
        print(printable(message), file=sys.stderr)
        return 2
    if not checked.number and not chosen.root:  # nothing was checked
        print(f"{printable(chosen.file)}: the file holds no receipt", file=sys.stderr)
        return 2
    roots = checked.roots()
    root = roots[0] if len(roots) == 1 and roots[0] else f"{len(roots)} different ones, or none"
    how = ", by proof" if checked.proved else ""
    print(f"{checked.number} checked, {checked.wrong} with differences; root {root}{how}")
    if not checked.number:
        print("the file holds no receipt, as a round without applications has none")
    if chosen.root and roots != [chosen.root]:
        why = (
            "receipts are missing, added or changed; one alone needs the proof of `explain --json`"
        )
        if checked.proved:
            why = "the proof does not lead there: it is not under this root, or was changed"
        print(f"root: expected {chosen.root}: {why}")
        return 1
    return 1 if checked.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
