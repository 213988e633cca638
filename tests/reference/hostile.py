"""Random deliveries that are as nasty as the data contract allows, and never refused.

`write_feeds` writes a whole delivery directory for one round. The same arguments write the same
rows. People stand near every edge of the contract: days before and after a window, amounts one
fen short, rows that do not exist yet, keys that clash. With `dirty` the feeds also hold every kind
of bad row, exact duplicates and conflicting duplicates; each feed stays under the share of bad rows
that refuses it, unless `bad_share` asks for more.

Points the contract leaves open (see the AMBIGUITY comments of the scorer) are kept out of the
feeds where that is possible, so that a difference between two scorers is a mistake in one of them.
"""

from __future__ import annotations

import csv
import gzip
import io
from calendar import isleap, monthrange
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from .scorer import (
    ALLOWED,
    AWARD_POINTS,
    COUNTING_TITLES,
    ENDS,
    FEEDS,
    INSURANCES,
    KEYS,
    NAME_COLUMNS,
    RoundSpec,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Spoiler = Callable[[dict[str, Any], Random], None]

Format = Literal["parquet", "csv", "mixed"]
Row = dict[str, Any]

INSIDE = ["110101", "110102", "110105", "110106", "110107", "110108"]
OUTSIDE = [
    "110109",
    "110111",
    "110112",
    "110113",
    "110114",
    "110115",
    "110116",
    "110117",
    "110118",
    "110119",
]
ELSEWHERE = ["130100", "310101", "120101", "110000", "110228", "440305", "011010"]
"""Codes that do not begin with 1101, two of them in Beijing."""

EMPLOYER_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

NAMES = ["王伟", "李娜", "张敏", "刘洋", "陈静", "阿依古丽·买买提", "欧阳 明", "𠮷野家"]
ODD_NAMES = [
    "null",
    "NA",
    "NaN",
    "true",
    "1e5",
    "007",
    'O"Brien',
    "赵,钱",
    " 周 ",
    "吴\n郑",
    "李\r\n王\t",
    "长" * 200,
    "甲110101198001010011",
    '"',
    '甲,"乙"\n丙',
    "'",
    "-",
]
ODD_NUMBERS = [
    "007",
    "7",
    "1e3",
    "TRUE",
    "NULL",
    "nan",
    "-1",
    "Zz",
    "zz",
    "-",
    "_",
    "0" * 32,
    "110101198001010011",  # no check character of an ID number
    "110101801301001",  # no month 13: no old ID number
    "990101800101001",  # no province 99
]

FILLER = 60
"""Every small feed is filled up with rows about people who did not apply to at least this many."""

MOST_BAD = 30
"""No feed gets more bad rows than this, so that most people stay whole (unless `bad_share` asks for it)."""


class Broken(str):
    """The text of a CSV cell that does not parse as its column's type."""

    __slots__ = ()


@dataclass
class Individual:
    """A person with everything that is reported about them."""

    person_id: str
    birth: date
    sex: str
    retirement_class: str
    employer_id: str
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, feed: str, **cells: Any) -> None:
        """One more row about this person."""
        self.rows.setdefault(feed, []).append({"person_id": self.person_id, **cells})


# --- Numbers with a check character -------------------------------------------------------------


def person_number(area: str, birth: date, sequence: int) -> str:
    """An ID number with its GB 11643 check character."""
    body = f"{area}{birth:%Y%m%d}{sequence:03d}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def employer_number(body: str) -> str:
    """A unified social credit code with its GB 32100 check character."""
    weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
    total = sum(EMPLOYER_ALPHABET.index(c) * w for c, w in zip(body, weights, strict=True))
    return body + EMPLOYER_ALPHABET[-total % 31]


# --- Days -----------------------------------------------------------------------------------------


def shift(day: date, months: int) -> date:
    """`day` moved by whole months, clipped to the end of the month."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def clipped(year: int, month: int, day: int) -> date:
    """That day, or the last one of the month."""
    return date(year, month, min(day, monthrange(year, month)[1]))


class Generator:
    """Everything random about one delivery."""

    def __init__(
        self, spec: RoundSpec, seed: int, people: int, *, dirty: bool, bad_share: float, fmt: Format
    ) -> None:
        self.rng = Random(f"{seed} {spec}")
        self.spec = spec
        self.seed = seed
        self.people = people
        self.dirty = dirty
        self.bad_share = bad_share
        self.fmt: Format = fmt
        self.ref = spec.ref
        self.year = spec.year
        self.horizon = spec.received_on or self.ref + timedelta(days=400)
        """No good row has an event after this day."""
        if self.horizon <= self.ref:
            raise ValueError("received_on must be after ref")
        self.used_ids: set[str] = set()
        self.used_numbers: set[str] = set()
        self.employers: dict[str, Row] = {}
        self.good_employers: list[str] = []
        self.odd_employers: list[str] = []
        self.individuals: list[Individual] = []
        self.strangers: list[Individual] = []
        self.feeds: dict[str, list[Row]] = {feed: [] for feed in FEEDS}

    # --- Small choices

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return self.rng.random() < share

    def day_between(self, first: date, last: date) -> date:
        """Any day from first to last."""
        return first + timedelta(days=self.rng.randint(0, max(0, (last - first).days)))

    def late(self, days: int = 200) -> date:
        """A day soon after `ref`, not after the horizon."""
        return min(
            self.horizon,
            self.ref + timedelta(days=self.rng.choice([1, 1, 2, self.rng.randint(1, days)])),
        )

    def known(self, day: date) -> date:
        """`day`, but not after the horizon."""
        return min(day, self.horizon)

    def district(self, inside: int = 4, outside: int = 4, elsewhere: int = 1) -> str:
        """A district code by these weights."""
        group = self.rng.choices([INSIDE, OUTSIDE, ELSEWHERE], [inside, outside, elsewhere])[0]
        return self.rng.choice(group)

    def edge_day(self) -> date:
        """A day at or near a border the contract draws, or any day, not after the horizon."""
        y = self.year
        borders = [
            (1998, 6), (1998, 7), (1998, 8), (2016, 11), (2016, 12), (2017, 1), (2017, 2), (2017, 12), (2018, 1),
            (2018, 2), (2020, 6), (2020, 7), (2020, 8), (2020, 9), (y - 2, 12), (y - 1, 1), (y - 1, 11), (y - 1, 12),
            (y, 1), (y - 8, 12), (y - 7, 1),
        ]  # fmt: skip
        if self.chance(0.35):
            year, month = self.rng.randint(1999, y - 1), self.rng.randint(1, 12)
        else:
            year, month = self.rng.choice(
                [border for border in borders if date(*border, 1) <= self.horizon]
            )
        return self.known(
            clipped(year, month, self.rng.choice([1, 1, 1, 1, 2, 15, 28, 29, 30, 31, 31]))
        )

    def window_day(self) -> date:
        """A day at the edge of the windows for violations, detentions and tax years."""
        y = self.year
        days = [
            date(y - 6, 12, 31), date(y - 5, 1, 1), date(y - 5, 7, 1), date(y - 4, 12, 31), date(y - 3, 1, 1),
            date(y - 1, 1, 1), date(y - 1, 6, 30), self.ref, self.ref + timedelta(days=1), date(2016, 12, 31),
            date(2017, 1, 1), date(2009, 3, 3), self.late(),
        ]  # fmt: skip
        return self.known(self.rng.choice(days))

    # --- People and employers

    def new_person_id(self, birth: date) -> str:
        """An unused ID number of that birth date."""
        while True:
            area = self.rng.choice(
                ["110101", "110228", "130102", "220203", "370811", "510722", "650101"]
            )
            number = person_number(area, birth, self.rng.randint(1, 999))
            # One in 31 would also pass as a credit code; who is meant would then be open.
            if number not in self.used_ids and employer_number(number[:17]) != number:
                self.used_ids.add(number)
                return number

    def new_application_no(self) -> str:
        """An unused application number, some of them awkward."""
        while True:
            number = self.rng.choice(
                [f"JF{self.year}{self.rng.randint(0, 999999):06d}"] * 6
                + [
                    f"{self.rng.randint(0, 9999)}",
                    f"a{self.rng.randint(0, 999)}",
                    f"Shen_{self.rng.randint(0, 99)}",
                ]
                + [self.rng.choice(ODD_NUMBERS)]
            )
            if number not in self.used_numbers:
                self.used_numbers.add(number)
                return number

    def birth_and_class(self) -> tuple[date, str]:
        """A birth date and a retirement class, often at the edge of the age rules."""
        y = self.year
        style = self.rng.choices(["ordinary", "age", "retirement", "leap"], [50, 30, 14, 6])[0]
        if style == "ordinary":
            birth = self.day_between(date(y - 48, 1, 1), date(y - 24, 12, 31))
            return birth, self.rng.choice(["male_60", "male_60", "female_55", "female_50"])
        if style == "leap":
            leap_years = [year for year in range(y - 58, y - 24) if isleap(year)]
            return date(self.rng.choice(leap_years), 2, 29), self.rng.choice(
                ["male_60", "male_60", "female_55"]
            )
        if style == "age":
            year = y - 47 - self.rng.choice([-1, 0, 0, 1, 1, 2, 3, 4, 5, 6, 8])
            month, day = self.rng.choice([(1, 1), (12, 31), (1, 31), (2, 29), (6, 15)])
            return clipped(year, month, day), self.rng.choice(["male_60", "male_60", "female_55"])
        retirement_class, years, rate, most = self.rng.choice(
            [("male_60", 60, 2.4, 36), ("female_55", 55, 2.4, 36), ("female_50", 50, 4.0, 60)]
        )
        if y < 2026 or self.chance(0.25):
            near = date(y - 1 - years, 12, 31)
            days = [
                near,
                near,
                near + timedelta(days=1),
                near + timedelta(days=1),
                near - timedelta(days=1),
            ]
            days += [shift(near, 1), shift(near, -1), shift(near, 2)]
            return self.rng.choice(days), retirement_class
        delay = min(most, round(rate * (y - 2025))) + self.rng.choice([-2, -1, 0, 0, 1, 1, 2, 3])
        near = shift(date(y - 1, 12, 1), -12 * years - delay)
        return clipped(
            near.year, near.month, self.rng.choice([1, 15, 28, 29, 30, 31, 31])
        ), retirement_class

    def make_employers(self) -> None:
        """Employers: most are in order, some have each thing wrong that matters, some are in no row."""

        def new(**cells: bool) -> str:
            body = f"{self.rng.choice('19Y')}{self.rng.randint(1, 3)}{self.rng.choice(INSIDE + OUTSIDE)}MA"
            body += "".join(self.rng.choice(EMPLOYER_ALPHABET) for _ in range(7))
            number = employer_number(body)
            flags = {"registered_in_beijing": True, "tax_registered": True, "tax_paying": True}
            flags |= {"high_tech": self.chance(0.4), "tech_sme": self.chance(0.3)} | cells
            name = self.rng.choice(
                ["北京某某科技有限公司", "Acme, Inc.", 'The "Firm"', "分公司\u3000二", "NULL"]
            )
            self.employers[number] = {
                "employer_id": number,
                "name": name,
                "district": self.district(5, 5, 1),
                **flags,
            }
            return number

        self.good_employers = [new() for _ in range(max(10, self.people // 6))]
        for flag in ("registered_in_beijing", "tax_registered", "tax_paying"):
            self.odd_employers.append(new(**{flag: False}))
        y = self.year
        for year in (y - 7, y - 6, y - 5, y - 4, y - 1, y, y + 1):
            found = self.rng.choice([date(year, 1, 1), date(year, 12, 31), date(year, 6, 30)])
            if found > self.horizon and year == y:
                found = date(y, 1, 1)
            if found <= self.horizon:
                barred = new()
                self.odd_employers.append(barred)
                self.feeds["sanctions"].append({"subject_id": barred, "found_on": found})
        for _ in range(3):
            absent = new()
            self.odd_employers.append(absent)
            del self.employers[absent]
        for number in self.good_employers + self.odd_employers:
            if self.chance(0.75):
                self.make_financings(number)
        while len(self.employers) < FILLER + 20:
            new()
        self.feeds["employers"] = list(self.employers.values())

    def make_financings(self, employer_id: str) -> None:
        """Financings that sum to the edge of a tier inside the three years, and others outside them."""
        y = self.year
        million = 100_000_000
        total = self.rng.choice([5, 20, 40]) * million + self.rng.choice([-1, 0, 0, 1])
        if self.chance(0.15):
            total = self.rng.randint(1, 60 * million)
        inside = [
            date(y - 3, 1, 1),
            self.ref,
            date(y - 2, 2, 28),
            date(y - 1, 1, 1),
            date(y - 3, 12, 31),
        ]
        parts = self.rng.choice([1, 1, 2, 3])
        if parts == 2 and total % 2 == 0:
            # Two equal rows: in a feed without a key both count.
            row = {
                "employer_id": employer_id,
                "received_on": self.rng.choice(inside),
                "amount_fen": total // 2,
            }
            self.feeds["financings"] += [row, dict(row)]
        else:
            amounts = [total // parts] * (parts - 1)
            for amount in [*amounts, total - sum(amounts)]:
                if amount > 0:
                    row = {
                        "employer_id": employer_id,
                        "received_on": self.rng.choice(inside),
                        "amount_fen": amount,
                    }
                    self.feeds["financings"].append(row)
        for day in (date(y - 4, 12, 31), self.ref + timedelta(days=1)):
            if self.chance(0.4):
                amount = self.rng.choice([1, 2, 15 * million, 50 * million])
                self.feeds["financings"].append(
                    {"employer_id": employer_id, "received_on": day, "amount_fen": amount}
                )

    def new_individual(self) -> Individual:
        """Somebody with an ID and an employer, and nothing reported yet."""
        birth, retirement_class = self.birth_and_class()
        sex = "M" if retirement_class == "male_60" else "F"
        if self.chance(0.06):
            sex = "F" if sex == "M" else "M"
        pool = self.good_employers if self.chance(0.88) else self.odd_employers
        return Individual(
            self.new_person_id(birth), birth, sex, retirement_class, self.rng.choice(pool)
        )

    def report(self, person: Individual) -> None:
        """Everything the departments report about this person."""
        self.permits(person)
        if self.chance(0.04):
            self.criminal_records(person)
        if self.chance(0.15):
            self.detentions(person)
        if self.chance(0.98):
            self.social_insurance(person)
        self.housing(person)
        if self.chance(0.85):
            self.education(person)
        if self.chance(0.85):
            self.tax(person)
        if self.chance(0.4):
            self.company_tax(person)
        if self.chance(0.15):
            self.tax_violations(person)
        if self.chance(0.3):
            self.awards(person)
        if self.chance(0.4):
            self.shareholdings(person)
        if self.chance(0.35):
            self.positions(person)
        if self.chance(0.25):
            self.honours(person)
        if self.chance(0.12):
            self.person_sanctions(person)

    # --- Rows about one person, feed by feed

    def permits(self, person: Individual) -> None:
        """Mostly in order; some end or begin at the permit date, some leave a gap around it."""
        day = self.spec.permit_date or self.ref
        one = timedelta(days=1)
        early = self.day_between(date(self.year - 6, 1, 1), min(day, self.horizon))
        style = self.rng.choices(
            ["open", "long", "ends", "begins", "gap", "two", "none", "late"],
            [40, 15, 12, 12, 4, 9, 1, 3],
        )[0]
        ends: list[tuple[date, date | None]]
        if style == "open":
            ends = [(early, None)]
        elif style == "long":
            ends = [(early, self.rng.choice([date(self.year + 9, 12, 31), date(9999, 12, 31)]))]
        elif style == "ends":
            ends = [(min(early, day - one), self.rng.choice([day, day, day, day + one, day - one]))]
        elif style == "begins":
            start = self.rng.choice([day, day, day, day - one, day + one])
            ends = [(self.known(start), self.rng.choice([None, day + timedelta(days=30)]))]
        elif style == "gap":
            ends = [(min(early, day - one), day - one), (self.known(day + one), None)]
        elif style == "two":
            ends = [(early, None), (date(2012, 5, 5), date(2013, 5, 5))]
        elif style == "late":
            ends = [(self.known(day + timedelta(days=3)), None)]
        else:
            ends = []
        for start, end in ends:
            last = None if end is None else max(start, end)
            person.add("residence_permits", valid_from=start, valid_to=last)

    def criminal_records(self, person: Individual) -> None:
        """Of any date."""
        day = self.rng.choice([date(1999, 5, 5), self.ref, self.late(), date(2012, 12, 12)])
        person.add("criminal_records", sentenced_on=day)

    def detentions(self, person: Individual) -> None:
        """One or more, equal ones too: they are separate events."""
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            person.add("detentions", decided_on=self.window_day())
        if self.chance(0.15):
            person.rows["detentions"].append(dict(person.rows["detentions"][-1]))

    def tax_violations(self, person: Individual) -> None:
        """As detentions."""
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            person.add("tax_violations", decided_on=self.window_day())
        if self.chance(0.15):
            person.rows["tax_violations"].append(dict(person.rows["tax_violations"][-1]))

    def work_districts(self, months: list[date]) -> dict[date, str]:
        """Where somebody works, month by month, with a move at a border."""
        style = self.rng.choices(
            ["inside", "outside", "moved", "back", "twice", "wild", "elsewhere"],
            [3, 3, 7, 2, 3, 1, 2],
        )[0]
        border = self.edge_day().replace(day=1)
        between = [shift(border, -self.rng.choice([1, 2, 12])), border]
        between_district = self.district(4, 1, 1)
        first, second = self.district(1, 0, 0), self.district(0, 1, 0)
        if style == "elsewhere":
            first = self.district(0, 0, 1)
        districts = {}
        for month in months:
            if style == "wild":
                districts[month] = self.district()
            elif style == "twice" and between[0] <= month < between[1]:
                districts[month] = between_district
            elif style in ("inside", "back"):
                districts[month] = first if style == "inside" or month >= border else second
            else:
                districts[month] = second if style == "outside" or month >= border else first
        if style == "twice":
            # Once more before the move: who works elsewhere first has not moved from there.
            early = self.district(1, 2, 2)
            districts |= {month: early for month in months if month < between[0]}
        return districts

    def social_insurance(self, person: Individual) -> None:
        """A row a month, then one or two things that go wrong with them."""
        rng = self.rng
        last = date(self.year - 1, 12, 1)
        window_start = shift(last, -83)
        start = rng.choices(
            [window_start, shift(window_start, 1), shift(window_start, -1), shift(window_start, -rng.randint(2, 150)),
             date(rng.choice([1997, 1998]), rng.choice([5, 6, 7, 8]), 1), shift(last, -rng.randint(0, 70))],
            [16, 4, 12, 55, 8, 6],
        )[0]  # fmt: skip
        months = [start]
        while months[-1] < last:
            months.append(shift(months[-1], 1))
        # Some months of year Y, among them the one of `insured_in`.
        after = [shift(last, n) for n in range(1, rng.choice([1, 2, 4, 7]))]
        if self.spec.insured_in is not None:
            after = [month for month in after if month != self.spec.insured_in]
            if self.chance(0.93):
                after.append(self.spec.insured_in)
        months = sorted({*months, *(month for month in after if month <= self.horizon)})

        districts = self.work_districts(months)
        former = rng.choice(self.good_employers)
        joined = rng.choice(
            [start, start, start, self.edge_day().replace(day=1), last, shift(last, 1)]
        )
        rows: dict[date, Row] = {}
        for month in months:
            recorded = month + timedelta(days=rng.choice([0, rng.randint(0, 27), 27]))
            rows[month] = {
                "month": month,
                "employer_id": person.employer_id if month >= joined else former,
                "work_district": districts[month],
                **dict.fromkeys(INSURANCES, "paid"),
                "recorded_on": self.known(recorded),
            }
        for _ in range(rng.choice([0, 0, 1, 1, 1, 2])):
            self.disturb(rows, window_start, last)
        if self.spec.insured_in is not None and self.spec.insured_in in rows and self.chance(0.3):
            # Whenever recorded, and whatever the status.
            row = rows[self.spec.insured_in]
            row["recorded_on"] = max(row["recorded_on"], self.late())
            row |= {insurance: rng.choice(["back_paid", None]) for insurance in INSURANCES}
            row[rng.choice(INSURANCES)] = rng.choice(["paid", "agency_back_paid"])
        for row in rows.values():
            if any(row[insurance] is not None for insurance in INSURANCES):
                person.add("social_insurance", **row)

    def disturb(self, rows: dict[date, Row], window_start: date, last: date) -> None:
        """One thing that goes wrong with somebody's insurance."""
        rng = self.rng
        window = [month for month in rows if window_start <= month <= last]
        before = [month for month in rows if month < window_start]
        if not window:
            return
        edge = rng.choice([window[0], window[-1], rng.choice(window)])

        def sample(months: list[date], count: int) -> list[date]:
            return rng.sample(months, min(count, len(months)))

        style = rng.choice(
            ["five", "five", "six", "five_each", "five_and_agency", "agency", "before", "before", "gap", "gap_before",
             "no_row", "no_row_before", "late", "late_before", "on_ref", "late_next_day", "uneven", "uneven", "tie", "tie",
             "tie", "five_at_edges"]
        )  # fmt: skip
        if style == "five":
            insurance = rng.choice(INSURANCES)
            for month in sample(window, 5):
                rows[month][insurance] = "back_paid"
        elif style == "five_at_edges":
            # Five inside the window and one just before it.
            insurance = rng.choice(INSURANCES)
            for month in [window[0], window[-1], *sample(window[1:-1], 3), *before[-1:]]:
                rows[month][insurance] = "back_paid"
        elif style == "six":
            insurance = rng.choice(INSURANCES)
            for month in {window[0], window[-1], *sample(window[1:-1], 4)}:
                rows[month][insurance] = "back_paid"
        elif style == "five_each":
            spread = sample(window, 25)
            for number, month in enumerate(spread):
                rows[month][INSURANCES[number % 5]] = "back_paid"
        elif style == "five_and_agency":
            insurance = rng.choice(INSURANCES)
            for number, month in enumerate(sample(window, 9)):
                rows[month][insurance] = "back_paid" if number < 5 else "agency_back_paid"
        elif style == "agency":
            insurances = rng.choice([INSURANCES, [rng.choice(INSURANCES)]])
            for month in sample(window, rng.randint(6, 20)):
                for insurance in insurances:
                    rows[month][insurance] = "agency_back_paid"
        elif style == "before":
            insurances = rng.choice([INSURANCES, rng.sample(INSURANCES, 2)])
            for month in sample(before, rng.randint(6, 40)):
                for insurance in insurances:
                    rows[month][insurance] = rng.choice(["back_paid", "agency_back_paid"])
        elif style == "gap":
            rows[edge][rng.choice(INSURANCES)] = None
        elif style == "gap_before":
            for month in [*before[-1:], *sample(before, 5)]:
                for insurance in rng.sample(INSURANCES, rng.randint(1, 5)):
                    rows[month][insurance] = None
        elif style == "no_row":
            del rows[edge]
        elif style == "no_row_before":
            for month in {*before[-1:], *sample(before, 12)}:
                del rows[month]
        elif style in ("late", "late_next_day"):
            rows[edge]["recorded_on"] = (
                self.late() if style == "late" else self.ref + timedelta(days=1)
            )
        elif style == "late_before":
            for month in sample(before, 8):
                rows[month]["recorded_on"] = self.late()
        elif style == "on_ref":
            for month in sample(window + before, 8):
                rows[month]["recorded_on"] = self.ref
        elif style == "uneven":
            # The insurance with the most paid months is any of the five.
            for insurance in INSURANCES:
                for month in sample(before, rng.randint(0, 15)):
                    rows[month][insurance] = rng.choice([None, None, "back_paid"])
        elif style == "tie":
            # Two insurances have equally many paid months, but other ones; the rest have fewer.
            spread = sample(window + before, 40)
            first, second = sorted(rng.sample(range(5), 2))
            count = rng.randint(1, 15)
            for number, insurance in enumerate(INSURANCES):
                if number == first:
                    unpaid = spread[:count]
                elif number == second:
                    unpaid = spread[-count:]
                else:
                    unpaid = spread[: min(len(spread), count + rng.randint(1, 5))]
                for month in unpaid:
                    rows[month][insurance] = "agency_back_paid"

    def housing(self, person: Individual) -> None:
        """Homes of every kind that overlap, begin and end at borders, moves out of the city, and none."""
        rng = self.rng
        style = rng.choices(["wild", "moved", "settled", "tenant", "none"], [35, 30, 15, 15, 5])[0]
        if style in ("moved", "settled"):
            border = self.edge_day()
            kind = rng.choice(["own", "own", "own", "rent", "dormitory"])
            if style == "moved":
                place = self.district(8, 1, 1)
                leave = border - timedelta(days=rng.choice([1, 1, 1, 40, -20]))
                self.home(
                    person,
                    rng.choice(["own", "rent", kind]),
                    place,
                    date(rng.randint(1998, 2008), 3, 1),
                    leave,
                )
            else:
                border = min(border, date(2016, 3, 3))
            one = timedelta(days=1)
            last = date(self.year - 1, 12, 1)
            end = rng.choices(
                [None, self.ref, last, last - one, date(self.year + 3, 1, 1)], [8, 2, 2, 1, 1]
            )[0]
            self.home(person, kind, self.district(0, 9, 1), border, end)
            if self.chance(0.25):
                # Homes of the same kind inside and outside: such a month is both.
                self.home(person, kind, self.district(1, 0, 0), self.edge_day(), None)
        elif style == "tenant":
            for _ in range(rng.randint(1, 3)):
                start = self.edge_day()
                end = rng.choice([None, start + timedelta(days=rng.randint(0, 2500))])
                self.home(
                    person, rng.choice(["rent", "rent", "dormitory"]), self.district(), start, end
                )
        if style == "wild" or self.chance(0.2):
            for _ in range(rng.randint(1, 4)):
                start = self.edge_day()
                end = rng.choice(
                    [None, self.edge_day(), start + timedelta(days=rng.randint(0, 1500)), start]
                )
                kind = rng.choice(["own", "own", "dormitory", "rent"])
                self.home(person, kind, self.district(), start, end)

    def home(
        self, person: Individual, kind: str, district: str, start: date, end: date | None
    ) -> None:
        """One home, with a registration that may be missing or late."""
        start = self.known(start)
        if end is None and self.chance(0.3):
            end = date(9999, 12, 31)  # which means open
        if end is not None and end < start:
            end = start
        registered: date | None = self.known(start + timedelta(days=self.rng.randint(0, 60)))
        if self.chance(0.45):
            registered = self.rng.choice(
                [None, None, self.ref, self.ref + timedelta(days=1), self.late()]
            )
        cells = {
            "district": district,
            "start_date": start,
            "end_date": end,
            "registered_on": registered,
        }
        person.add("housing", kind=kind, **cells)

    def education(self, person: Individual) -> None:
        """Up to four rows, with ties in points, studies while insured, and better rows that do not count."""
        rng = self.rng
        insured = [row["month"] for row in person.rows.get("social_insurance", [])]

        def graduation() -> date:
            days = [self.ref, self.ref + timedelta(days=1), date(self.year - 1, 7, 1)]
            if insured:
                first = insured[0]
                days += [
                    first,
                    first - timedelta(days=1),
                    shift(first, rng.randint(0, 70)) + timedelta(days=3),
                ] * 3
                days += [shift(first, n) for n in (1, 34, 35, 36, 46, 47, 48, 50)]
            days.append(date(max(person.birth.year + 22, 1990), 7, rng.randint(1, 31)))
            return self.known(rng.choice(days))

        def add(
            level: str, diploma: bool, degree: bool, graduated: date, verified: bool = True
        ) -> None:
            enrolled: date | None = None
            if self.chance(0.75):
                length = rng.choice([0, 5, 24, 36, 46, 47, 48, 60, 96])
                enrolled = shift(graduated, -length).replace(day=rng.choice([1, 15, 28]))
                enrolled = min(enrolled, graduated)
            cells = {"has_diploma": diploma, "has_degree": degree, "enrolled_on": enrolled}
            person.add("education", level=level, **cells, graduated_on=graduated, verified=verified)

        kinds = [
            (level, *has)
            for level in ("bachelor", "master", "doctor")
            for has in ((True, True), (True, False), (False, True))
        ]
        kinds += [
            ("junior_college", True, False),
            ("junior_college", True, True),
            ("junior_college", False, True),
        ]
        for _ in range(rng.choice([1, 1, 2, 3])):
            add(
                *rng.choice([*kinds, ("bachelor", True, True), ("bachelor", True, True)]),
                graduation(),
                self.chance(0.9),
            )
        if self.chance(0.4):
            # Equal points; the same day or another; other levels with 15 or 26 points.
            worth_the_same = rng.choice(
                [
                    [("bachelor", True, True), ("master", True, False), ("master", False, True)],
                    [("master", True, True), ("doctor", True, False), ("doctor", False, True)],
                    [
                        ("junior_college", True, False),
                        ("bachelor", True, False),
                        ("bachelor", False, True),
                    ],
                    [("bachelor", True, True), ("bachelor", True, True)],
                    [("doctor", True, True), ("doctor", True, True)],
                ]
            )
            day = graduation()
            for kind in rng.sample(worth_the_same, 2):
                add(*kind, day if self.chance(0.5) else graduation())
        if self.chance(0.15):
            # Diploma and degree in two rows: each is judged alone.
            day = graduation()
            add("bachelor", True, False, day)
            add("bachelor", False, True, day)
        if self.chance(0.12):
            add("doctor", True, True, graduation(), verified=False)
        if self.chance(0.08):
            add("doctor", True, True, self.late())

    def tax(self, person: Individual) -> None:
        """Yearly sums at a threshold, made of payments and refunds, with kinds that do not count."""
        rng = self.rng
        style = rng.choices(["high", "edge", "mixed", "average"], [30, 25, 25, 20])[0]
        targets: dict[int, int] = {}
        for year in range(self.year - 4, self.year + 1):
            if style == "high":
                targets[year] = rng.choice([10_000_000, 10_000_001, 25_000_000])
            elif style == "edge":
                targets[year] = rng.choice([9_999_999, 10_000_000, 10_000_001, 1])
            elif style == "mixed":
                targets[year] = rng.choice([0, -1, 1, 9_999_999, 10_000_000, 30_000_000, -500_000])
        if style == "average":
            y = self.year
            third = rng.choice([1, 10_000_000, 100])
            total = rng.choice([29_999_999, 30_000_000, 30_000_000, 30_000_001])
            targets = {
                y - 4: 9_000_000,
                y - 3: third,
                y - 2: 10_000_000,
                y - 1: total - third - 10_000_000,
            }
            if self.chance(0.2):
                moved = rng.choice([0, -1])
                targets[y - 1] += targets[y - 3] - moved
                targets[y - 3] = moved
        for year, target in targets.items():
            counting = ["wage", "labour"] if year <= 2018 else ["comprehensive", "business"]
            other = (
                ["comprehensive", "business", "other"]
                if year <= 2018
                else ["wage", "labour", "other"]
            )
            if self.spec.edition == "trial":
                counting, other = ["wage", "labour"], ["comprehensive", "business", "other"]
            amounts = [target]
            if self.chance(0.6):
                refund = rng.choice([1, 100, 3_000_000])
                paid = target // 3
                amounts = [paid, target - paid + refund, -refund]
            for amount in amounts:
                self.payment(person, year, rng.choice(counting), amount)
            if self.chance(0.3):
                self.payment(
                    person, year, rng.choice(other), rng.choice([-20_000_000, 1, 10_000_000])
                )
        if self.chance(0.1):
            person.rows["tax"].append(dict(rng.choice(person.rows["tax"])))

    def payment(self, person: Individual, year: int, kind: str, amount: int) -> None:
        """One payment or refund in that year, often on its first or last day."""
        day = self.rng.choice(
            [
                date(year, 1, 1),
                date(year, 12, 31),
                self.day_between(date(year, 1, 1), date(year, 12, 31)),
            ]
        )
        if day <= self.horizon:
            person.add("tax", treasury_date=day, income_kind=kind, amount_fen=amount)

    def company_tax(self, person: Individual) -> None:
        """Shares that together reach the trial threshold, or miss it by one fen."""
        y = self.year
        total = self.rng.choice([59_999_999, 60_000_000, 60_000_000, 60_000_001])
        small = self.rng.choice([1, 1, 20_000_000, 0, -1])
        three = [small, 20_000_000, total - small - 20_000_000]
        self.rng.shuffle(three)
        shares = {y - 4: 50_000_000, y - 3: three[0], y - 2: three[1], y - 1: three[2], y: 7}
        for year, share in shares.items():
            if self.chance(0.95):
                person.add("company_tax", year=year, attributed_fen=share)

    def awards(self, person: Individual) -> None:
        """Of both scopes and every value, up to and after `ref`."""
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            day = self.rng.choice(
                [
                    self.ref,
                    date(2015, 5, 5),
                    self.ref + timedelta(days=1),
                    self.late(),
                    date(2009, 9, 9),
                ]
            )
            person.add(
                "awards",
                programme=self.rng.choice(["中国创翼", "创业北京", "Prize, first class"]),
                scope=self.rng.choice(["national", "municipal"]),
                awarded_on=day,
                points=self.rng.choice(sorted(AWARD_POINTS)),
            )

    def shareholdings(self, person: Individual) -> None:
        """A holding that earns the financing item, with one or two of its facts moved over an edge."""
        rng = self.rng
        y = self.year
        one = timedelta(days=1)
        for _ in range(rng.choice([1, 1, 2])):
            held_from, held_to, share = date(y - 1, 1, 1), None, rng.choice([1000, 1000, 10000])
            employer = person.employer_id
            if self.chance(0.2):
                share = rng.choice([999, 999, 1, 1001])
            if self.chance(0.3):
                held_from = rng.choice(
                    [date(y - 1, 1, 2), date(y - 2, 12, 31), date(2011, 1, 1), date(y - 1, 7, 1)]
                )
            if self.chance(0.35):
                held_to = rng.choice(
                    [
                        self.ref,
                        self.ref,
                        self.ref,
                        self.ref - one,
                        self.ref + one,
                        date(y - 1, 12, 1),
                    ]
                )
            if self.chance(0.15):
                employer = rng.choice(self.good_employers + self.odd_employers)
            if held_to is not None and held_to < held_from:
                held_to = held_from
            person.add(
                "shareholdings",
                employer_id=employer,
                share_bp=share,
                held_from=held_from,
                held_to=held_to,
            )
        if self.chance(0.1):
            # The year is held in two rows: no single one has all of it.
            middle = date(y - 1, 6, 30)
            cells = {"employer_id": person.employer_id, "share_bp": 2000}
            person.add("shareholdings", **cells, held_from=date(y - 2, 1, 1), held_to=middle)
            person.add("shareholdings", **cells, held_from=middle + one, held_to=None)

    def positions(self, person: Individual) -> None:
        """Whole years to the day, one day less, from 29 February, still held, begun after `ref`."""
        rng = self.rng
        one = timedelta(days=1)
        for _ in range(rng.choice([1, 1, 2])):
            held_to: date | None
            style = rng.choice(["to_ref", "closed", "leap", "leap", "open", "late", "leap_to_ref"])
            years = rng.choice([0, 1, 1, 2, 3, 4, 6])
            if style == "to_ref":
                start = date(self.year - 1 - years, 12, 31) + one * rng.choice([-1, 0, 0, 1])
                held_to = rng.choice([None, self.ref, self.ref + one * 90])
            elif style == "closed":
                start = self.day_between(date(2008, 1, 1), date(self.year - 2, 12, 31))
                held_to = shift(start, 12 * years) + one * rng.choice([-1, 0, 1])
            elif style in ("leap", "leap_to_ref"):
                start = date(rng.choice([2008, 2012, 2016]), 2, 29)
                held_to = None
                if style == "leap":
                    held_to = date(start.year + max(1, years), 2, 28) + one * rng.choice(
                        [-1, 0, 0, 1]
                    )
            elif style == "open":
                start = self.day_between(date(self.year - 6, 1, 1), self.ref)
                held_to = None
            else:
                start = self.late()
                held_to = None
            if held_to is not None and held_to < start:
                held_to = start
            kind = rng.choice(["high_tech_core", "startup", "incubator_service"])
            person.add("positions", kind=kind, held_from=start, held_to=held_to)

    def honours(self, person: Individual) -> None:
        """Counting titles and others, awarded and revoked around `ref`."""
        one = timedelta(days=1)
        for _ in range(self.rng.choice([1, 1, 2])):
            awarded = self.rng.choice(
                [self.ref, date(2010, 1, 1), date(2010, 1, 1), self.ref + one]
            )
            revoked = self.rng.choice(
                [None, None, self.ref, self.ref - one, self.ref + one, date(2013, 1, 1)]
            )
            if revoked is not None and revoked < awarded:
                revoked = None
            title = self.rng.choice(
                [*sorted(COUNTING_TITLES), "model_worker_district", "Model_worker_national"]
            )
            person.add("honours", title=title, awarded_on=awarded, revoked_on=revoked)

    def person_sanctions(self, person: Individual) -> None:
        """Found in a year at the edge of the ban."""
        y = self.year
        year = self.rng.choice([y - 7, y - 6, y - 6, y - 5, y - 3, y - 1, y, y + 1])
        day = self.rng.choice([date(year, 1, 1), date(year, 12, 31)])
        if day > self.horizon:
            day = date(y - 6, 12, 31)
        person.rows.setdefault("sanctions", []).append(
            {"subject_id": person.person_id, "found_on": day}
        )

    # --- The whole delivery

    def application(self, person: Individual, number: str) -> Row:
        """The filing of one person, the latest in the last second of the day of receipt."""
        submitted = datetime.combine(self.late(), time(self.rng.randint(0, 23), 15))
        if self.chance(0.1):
            submitted = datetime.combine(
                self.horizon, time(23, 59, 59, self.rng.choice([0, 999999, 120000]))
            )
        return {
            "application_no": number,
            "person_id": person.person_id,
            "name": self.rng.choice(ODD_NAMES) if self.chance(0.08) else self.rng.choice(NAMES),
            "sex": person.sex,
            "birth_date": person.birth,
            "retirement_class": person.retirement_class,
            "employer_id": person.employer_id,
            "claims_education": self.chance(0.88),
            "submitted_at": submitted,
        }

    def twin(self, person: Individual) -> Individual:
        """Somebody else of whom exactly the same is reported."""
        other = Individual(
            self.new_person_id(person.birth),
            person.birth,
            person.sex,
            person.retirement_class,
            person.employer_id,
        )
        for feed, rows in person.rows.items():
            column = "subject_id" if feed == "sanctions" else "person_id"
            other.rows[feed] = [row | {column: other.person_id} for row in rows]
        return other

    def fill(self) -> None:
        """Make every good row of every feed."""
        self.make_employers()
        originals = max(1, round(self.people * 0.6))
        for _ in range(originals):
            person = self.new_individual()
            self.report(person)
            self.individuals.append(person)
            self.feeds["applications"].append(self.application(person, self.new_application_no()))
        # Twins make ties, also at the line.
        templates = self.rng.sample(range(originals), min(originals, 3 + self.people // 20))
        while len(self.individuals) < self.people:
            chosen = self.rng.choice(templates)
            person = self.twin(self.individuals[chosen])
            self.individuals.append(person)
            application = self.feeds["applications"][chosen]
            cells = {"application_no": self.new_application_no(), "person_id": person.person_id}
            self.feeds["applications"].append(application | cells)

        for _ in range(max(4, self.people // 15)):
            stranger = self.new_individual()
            self.report(stranger)
            self.strangers.append(stranger)
        for person in self.individuals + self.strangers:
            for feed, rows in person.rows.items():
                self.feeds[feed] += rows
        self.pad()

    def pad(self) -> None:
        """Fill small feeds with rows about people who did not apply."""
        makers: dict[str, Callable[[Individual], None]] = {
            "residence_permits": self.permits,
            "criminal_records": self.criminal_records,
            "detentions": self.detentions,
            "housing": self.housing,
            "education": self.education,
            "tax": self.tax,
            "company_tax": self.company_tax,
            "tax_violations": self.tax_violations,
            "awards": self.awards,
            "shareholdings": self.shareholdings,
            "positions": self.positions,
            "honours": self.honours,
            "sanctions": self.person_sanctions,
        }
        for feed, make in makers.items():
            while len(self.feeds[feed]) < FILLER:
                stranger = self.new_individual()
                make(stranger)
                self.feeds[feed] += stranger.rows.get(feed, [])

    # --- Dirt

    def dirty_chunks(self, feed: str, can_break: bool) -> list[list[Row]]:
        """The rows of a feed, with bad rows and duplicates; rows of one chunk stay together in one file."""
        chunks = [[row] for row in self.feeds[feed]]
        if not self.dirty or not chunks:
            return chunks
        applicants = {person.person_id for person in self.individuals}
        victims = list(range(len(chunks)))
        self.rng.shuffle(victims)
        # Rows about applicants come first, so that bad rows touch people who are scored.
        victims.sort(
            key=lambda i: not self.is_about(chunks[i][0], applicants) and self.rng.random() < 0.7
        )
        victims.reverse()

        if feed in KEYS:
            for _ in range(min(max(2, len(chunks) // 200), len(chunks) // 2)):
                chunks.append([dict(chunks[victims.pop()][0])])

        limit = int(self.bad_share * len(chunks))
        budget = min(limit, MOST_BAD) if self.bad_share <= 0.05 else limit
        kinds = [kind for kind in spoilers(feed, self.spec) if can_break or not kind[1]]
        names = [name for name, _, _ in kinds]
        if feed in KEYS:
            # Conflicts take their turn among the bad rows.
            for place in (0, len(names) // 3, 2 * len(names) // 3):
                names.insert(place, "conflict")
        spoil = {name: function for name, _, function in kinds}
        turn = self.seed * budget
        while budget > 0 and victims:
            name = names[turn % len(names)]
            turn += 1
            victim = victims.pop()
            row = chunks[victim][0]
            if name == "conflict":
                if budget < 2:
                    continue
                budget -= 2
                rival = self.rival(feed, row)
                if self.chance(0.3):
                    chunks[victim] = [row, dict(row), rival]
                else:
                    chunks.append([rival])
                continue
            bad = dict(row)
            spoil[name](bad, self.rng)
            budget -= 1
            if self.chance(0.5):
                chunks[victim] = [bad]
            else:
                # The good row stays: the bad one has no say in duplicates.
                chunks.append([bad])
                if budget > 0 and self.chance(0.15):
                    chunks.append([dict(bad)])
                    budget -= 1
        return chunks

    def is_about(self, row: Row, applicants: set[str]) -> bool:
        """Whether a row is about an applicant, or about an employer."""
        subject = row.get("person_id", row.get("subject_id"))
        return subject is None or subject in applicants

    def rival(self, feed: str, row: Row) -> Row:
        """Another good row with the same key."""
        rival = dict(row)
        if feed == "applications":
            style = self.rng.choice(["both", "number", "person"])
            if style == "both":
                rival["name"] = row["name"] + "二"
            elif style == "number":
                birth, _ = self.birth_and_class()
                rival |= {"person_id": self.new_person_id(birth), "birth_date": birth}
            else:
                rival["application_no"] = self.new_application_no()
        elif feed == "social_insurance":
            style = self.rng.choice(["district", "status", "recorded"])
            if style == "recorded" and row["recorded_on"] != row["month"]:
                rival["recorded_on"] = row["month"]
            elif style == "status" and row["pension"] == "paid":
                rival["pension"] = "back_paid"
            else:
                rival["work_district"] = "110229" if row["work_district"] != "110229" else "110101"
        elif feed == "employers":
            column = self.rng.choice(["tax_paying", "high_tech", "registered_in_beijing"])
            rival[column] = not row[column]
        else:
            rival["attributed_fen"] += 1
        return rival

    # --- Files

    def write(self, out: Path) -> None:
        """Write every feed in one to three files."""
        for feed in FEEDS:
            folder = out / feed
            folder.mkdir(parents=True, exist_ok=True)
            endings = {
                "parquet": ["parquet"],
                "csv": ["csv", "csv", "csv.gz"],
                "mixed": ["parquet", "csv", "csv.gz"],
            }
            names = [
                f"{self.rng.choice(['part', 'a', 'Z', '2'])}-{number}.{self.rng.choice(endings[self.fmt])}"
                for number in range(self.rng.randint(1, 3))
            ]
            text_files = [
                number for number, name in enumerate(names) if not name.endswith(".parquet")
            ]
            chunks = self.dirty_chunks(feed, can_break=bool(text_files))
            self.rng.shuffle(chunks)
            files: list[list[Row]] = [[] for _ in names]
            for chunk in chunks:
                broken = any(isinstance(cell, Broken) for row in chunk for cell in row.values())
                files[self.rng.choice(text_files if broken else range(len(names)))] += chunk
            if self.chance(0.1):
                names.append(f"none.{endings[self.fmt][0]}")
                files.append([])
            for name, rows in zip(names, files, strict=True):
                columns = list(FEEDS[feed])
                if self.chance(0.5):
                    self.rng.shuffle(columns)
                if name.endswith(".parquet"):
                    write_parquet(folder / name, feed, columns, rows)
                else:
                    write_csv(folder / name, columns, rows, self.rng.choice(["\n", "\r\n"]))


# --- Bad rows ---------------------------------------------------------------------------------------


def setting(column: str, *values: Any) -> Spoiler:
    """Put one of these values into a column."""

    def spoil(row: Row, rng: Random) -> None:
        row[column] = rng.choice(values)

    return spoil


def wrong_number(column: str) -> Spoiler:
    """Make an ID number or a credit code wrong."""

    def spoil(row: Row, rng: Random) -> None:
        number = row[column]
        other = rng.choice([digit for digit in "0123456789" if digit != number[-1]])
        row[column] = rng.choice(
            [
                number[:-1] + other,
                number[:-1] + other,
                number[:-1] + "x",
                number[:-1],
                number + " ",
                "1" + number,
                # Characters that are in neither alphabet, small letters, and digits of full width.
                number[:9] + rng.choice("IOSVZ-") + number[10:],
                number[:9] + "a" + number[10:],
                number.translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
            ]
        )

    return spoil


def spoilers(feed: str, spec: RoundSpec) -> list[tuple[str, bool, Spoiler]]:
    """Every way a row of this feed can be bad: a name, whether it needs CSV, and what it does."""
    found: list[tuple[str, bool, Spoiler]] = []
    texts = {
        "date": ["2019-02-30", "2019/01/01", "20190101x", "yesterday", "2019-13-01", "2019-1-1"],
        "datetime": ["2020-13-01T00:00:00", "2020-01-01T25:00:00", "noon"],
        "bool": ["yes", "1", "0", "TRUE", "False", "t"],
        "int": ["1.5", "1e3", "twelve", "1,000", "0x10", "99999999999999999999"],
    }
    for column, kind in FEEDS[feed].items():
        base = kind.rstrip("?")
        if base == kind:
            found.append((f"{column} null", False, setting(column, None)))
            if base == "text":
                found.append((f"{column} empty", False, setting(column, "")))
        if base == "int":
            others = [10**15 + 1, -(10**15) - 1, 9 * 10**18]
            found.append((f"{column} beyond limits", False, setting(column, *others)))
        if base == "date":
            found.append((f"{column} beyond limits", False, setting(column, date(1899, 12, 31))))
        if base == "text" and column not in ("district", "work_district"):
            others = ["a\x00b", "a\x1b[2J", "a\u202eb", "\x7f", "\x85", "\u2066"]
            found.append((f"{column} with control characters", False, setting(column, *others)))
        if (feed, column) in NAME_COLUMNS:
            others = [" ", "\u3000", "长" * 201, "甲110101198001010010", "x110101198001010010y"]
            found.append((f"{column} no name", False, setting(column, *others)))
        if column == "application_no":
            others = [
                *("110101198001010010", "1101-0119-8001-0100-10", "A110101198001010010"),
                *("110101800101001", "11_0101-800101-001", "2020 0001", "申请1", "a" * 33, "a.b"),
            ]
            found.append((f"{column} of another shape", False, setting(column, *others)))
        if base in texts:
            found.append(
                (f"{column} broken", True, setting(column, *(Broken(text) for text in texts[base])))
            )
        if (feed, column) in ALLOWED:
            allowed = sorted(ALLOWED[feed, column])
            others = [allowed[0].upper() + "_", allowed[-1] + " ", "none", allowed[0].swapcase()]
            found.append((f"{column} outside its set", False, setting(column, *others)))
        if column in ("person_id", "employer_id", "subject_id"):
            found.append((f"{column} wrong", False, wrong_number(column)))
        if column in ("district", "work_district"):
            others = ["11010", "1101055", "11010a", "１１０１０５", " 110105", "北京市东城区"]
            found.append((f"{column} wrong", False, setting(column, *others)))
        if spec.received_on is not None and base in ("date", "datetime"):
            ends = {end for _, end in ENDS.values()}
            if column not in {"month", "birth_date"} | ends:
                after = spec.received_on + timedelta(days=1)
                value = datetime.combine(after, time(0)) if base == "datetime" else after
                found.append((f"{column} after received_on", False, setting(column, value)))

    if feed in ENDS:
        start, end = ENDS[feed]

        def end_first(row: Row, rng: Random) -> None:
            if row[start] is None:
                row[start] = row[end] - timedelta(days=400)
            row[end] = row[start] - timedelta(days=rng.choice([1, 1, 400]))

        found.append((f"{end} before {start}", False, end_first))

    if feed == "applications":

        def other_birth(row: Row, rng: Random) -> None:
            row["birth_date"] += timedelta(days=rng.choice([-1, 1, 365]))

        found.append(("birth_date differs", False, other_birth))
    if feed == "social_insurance":

        def not_first(row: Row, rng: Random) -> None:
            row["month"] = row["month"].replace(day=rng.choice([2, 15, 28]))
            row["recorded_on"] = max(row["recorded_on"], row["month"])

        def no_status(row: Row, rng: Random) -> None:
            row |= dict.fromkeys(INSURANCES)

        def too_early(row: Row, rng: Random) -> None:
            row["recorded_on"] = row["month"] - timedelta(days=rng.choice([1, 30]))

        found += [("month not first", False, not_first), ("no status", False, no_status)]
        found.append(("recorded_on too early", False, too_early))
    if feed == "education":

        def neither(row: Row, rng: Random) -> None:
            row |= {"has_diploma": False, "has_degree": False}

        found.append(("neither diploma nor degree", False, neither))
    if feed == "shareholdings":
        found.append(("share_bp outside", False, setting("share_bp", 0, -1000, 10001)))
    if feed == "financings":
        found.append(("amount not positive", False, setting("amount_fen", 0, -4_000_000_000)))
    if feed == "awards":
        found.append(("points not positive", False, setting("points", 0, -12)))
        found.append(("points no award value", False, setting("points", 7, 13, 1200)))
    return found


# --- Writing ----------------------------------------------------------------------------------------


def write_parquet(path: Path, feed: str, columns: list[str], rows: list[Row]) -> None:
    """One Parquet file of exactly the column types of the contract."""
    types: dict[str, pl.DataType] = {
        "text": pl.String(),
        "date": pl.Date(),
        "datetime": pl.Datetime("us"),
        "bool": pl.Boolean(),
        "int": pl.Int64(),
    }
    schema = {column: types[FEEDS[feed][column].rstrip("?")] for column in columns}
    data = {column: [row[column] for row in rows] for column in columns}
    pl.DataFrame(data, schema=schema).write_parquet(path)


def write_csv(path: Path, columns: list[str], rows: list[Row], line_end: str) -> None:
    """One CSV file, compressed if its name says so."""

    def cell(value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (date, datetime)):
            return value.isoformat()
        return str(value)

    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row[column]) for column in columns])
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.name.endswith(".gz") else content)


def write_feeds(
    out: Path,
    spec: RoundSpec,
    seed: int,
    people: int = 150,
    *,
    dirty: bool = True,
    fmt: Format = "parquet",
    bad_share: float = 0.04,
) -> None:
    """Write a delivery directory for the round into `out`.

    `people` apply; others are reported on without applying. Without `dirty` no row is bad and no
    keyed row comes twice. `bad_share` is the most of a feed that is bad; over 0.05 a run is refused.
    """
    generator = Generator(spec, seed, people, dirty=dirty, bad_share=bad_share, fmt=fmt)
    generator.fill()
    generator.write(out)
