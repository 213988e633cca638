"""Worked cases: one applicant's facts as data, turned into the feeds that the rules read.

A case is `cases/<rule>/<what_it_shows>.toml`; `<rule>` is the stem of the rule's file in
`transforms/` and of its numbers in `data/policy/`.

    vector = "RES-02"            # optional: its number in the list of test vectors
    source = "where the expected result comes from"
    round = 2020                 # the round file of that year, or a table [round] with year,
                                 # policy_date, reference_date, quota (insured_in, permit_date)
    [facts]
    <feed> = [ { column = value }, ... ]
    [expect]
    centipoints = 1666           # an indicator; a condition has `holds`
    evidence = { months = 249 }  # the entries that matter; {} = the rule found nothing at all,
                                 # "none" = nothing under that name

Facts are rows of the feeds as departments deliver them, without person_id.  What a case does not
say is not so: a feed left out is empty, a column left out is null where that is allowed, a flag left
out is false.  Columns no rule looks at, and those below in FILLED, are filled in.  Shorthands:

- `applications`: at most one row; without it the applicant is a man born 1985-06-15 who makes no
  claim to education.
- `employer_id` is any label; left out, it is the employer that files the application, "employer".
- `social_insurance`: `from` and `to` (first days of months, both included) in place of `month`;
  `status` for all five insurances, or some of them by name, "none" takes one out again;
  `recorded_on` is the 20th of the month, `work_district` 110105 (inside the six districts).
- `sanctions`: `subject_id` is "applicant" or the label of an employer.
- `totals` (rule `ranking` only): `total` in centipoints, and `applicants` who have it or one
  `application_no`; numbers left out count up from 000001.

A case of `total` has facts for all ten indicators, and expects `centipoints` and the `parts`.  One of
`ranking` expects any of eligible, settled, cutoff ("none" without a line), tied_at_cutoff, and in the
order of the ranking: ranks, serials, order (the application numbers).

A round without a file is given by the case; where the day filing began is not known, its policy date
is a day in April.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from schemas.columns import CODES, INSURANCES
from transforms.facts import Feeds
from transforms.rounds import Round, load_round, rounds

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "cases"

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, Row]
Facts: TypeAlias = dict[str, list[Row]]


def codes(name: str) -> pl.Enum:
    """A list of `data/codes.toml` as the type of an accepted column."""
    return pl.Enum(CODES[name])


PERSON, EMPLOYER, DISTRICT = pl.UInt32(), pl.UInt32(), pl.Int32()

# the feeds as the rules read them: screened, with people and employers as numbers
ACCEPTED: dict[str, dict[str, Any]] = {
    "applications": {
        "person": PERSON,
        "employer": EMPLOYER,
        "application_no": pl.String(),
        "sex": codes("sex"),
        "birth_date": pl.Date(),
        "retirement_class": codes("retirement_class"),
        "claims_education": pl.Boolean(),
        "submitted_at": pl.Datetime("us"),
    },
    "residence_permits": {"person": PERSON, "valid_from": pl.Date(), "valid_to": pl.Date()},
    "criminal_records": {"person": PERSON, "sentenced_on": pl.Date()},
    "detentions": {"person": PERSON, "decided_on": pl.Date()},
    "social_insurance": {
        "person": PERSON,
        "employer": EMPLOYER,
        "month": pl.Date(),
        "work_district": DISTRICT,
        **dict.fromkeys(INSURANCES, codes("insurance_status")),
        "recorded_on": pl.Date(),
    },
    "employers": {
        "employer": EMPLOYER,
        "name": pl.String(),
        "district": DISTRICT,
        "registered_in_beijing": pl.Boolean(),
        "tax_registered": pl.Boolean(),
        "tax_paying": pl.Boolean(),
        "high_tech": pl.Boolean(),
        "tech_sme": pl.Boolean(),
        "employer_id": pl.String(),
    },
    "housing": {
        "person": PERSON,
        "kind": codes("home_kind"),
        "district": DISTRICT,
        "start_date": pl.Date(),
        "end_date": pl.Date(),
        "registered_on": pl.Date(),
    },
    "education": {
        "person": PERSON,
        "level": codes("education_level"),
        "has_diploma": pl.Boolean(),
        "has_degree": pl.Boolean(),
        "enrolled_on": pl.Date(),
        "graduated_on": pl.Date(),
        "verified": pl.Boolean(),
    },
    "tax": {
        "person": PERSON,
        "treasury_date": pl.Date(),
        "income_kind": codes("income_kind"),
        "amount_fen": pl.Int64(),
    },
    "company_tax": {"person": PERSON, "year": pl.Int64(), "attributed_fen": pl.Int64()},
    "tax_violations": {"person": PERSON, "decided_on": pl.Date()},
    "awards": {
        "person": PERSON,
        "programme": pl.String(),
        "scope": codes("award_scope"),
        "awarded_on": pl.Date(),
        "points": pl.Int64(),
    },
    "shareholdings": {
        "person": PERSON,
        "employer": EMPLOYER,
        "share_bp": pl.Int64(),
        "held_from": pl.Date(),
        "held_to": pl.Date(),
    },
    "financings": {"employer": EMPLOYER, "received_on": pl.Date(), "amount_fen": pl.Int64()},
    "positions": {
        "person": PERSON,
        "kind": codes("position_kind"),
        "held_from": pl.Date(),
        "held_to": pl.Date(),
    },
    "honours": {
        "person": PERSON,
        "title": pl.String(),
        "awarded_on": pl.Date(),
        "revoked_on": pl.Date(),
    },
    "sanctions": {"person": PERSON, "employer": EMPLOYER, "found_on": pl.Date()},
}

# columns a case may leave out; every other one must be given, be allowed null, or be a flag
FILLED: Rows = {
    "applications": {
        "employer_id": "employer",
        "sex": "M",
        "birth_date": date.fromisoformat("1985-06-15"),
        "retirement_class": "male_60",
        "submitted_at": datetime.fromisoformat("2020-07-20T09:00:00"),
    },
    "social_insurance": {"employer_id": "employer", "work_district": 110105},
    "employers": {"employer_id": "employer", "name": "某某有限公司", "district": 110105},
    "housing": {"district": 110105},
    "awards": {"programme": "某某奖"},
    "shareholdings": {"employer_id": "employer"},
    "financings": {"employer_id": "employer"},
}
NULLABLE = {
    "end_date",
    "registered_on",
    "enrolled_on",
    "held_to",
    "valid_to",
    "revoked_on",
    *INSURANCES,
}
THE_APPLICANT = "applicant"


class CaseError(ValueError):
    """A case file says something that cannot be turned into feeds."""


@dataclass(frozen=True)
class Case:
    """One applicant (or, for `ranking`, one list of totals), and what must come of it."""

    rule: str
    name: str
    source: str
    this_round: Round
    facts: Facts
    expect: dict[str, Any]
    vector: str | None = None

    def __str__(self) -> str:
        return f"{self.rule}/{self.name}"


def load_cases(folder: Path = FOLDER) -> list[Case]:
    """Every case, by rule and name."""
    return [load_case(path) for path in sorted(folder.glob("*/*.toml"))]


@cache
def worked() -> set[tuple[str, str]]:
    """Edition and rule of every case.

    An edition under which no result is published yet takes over the cases of the rules it takes over.
    """
    policy, folder = ROOT / "data" / "policy", ROOT / "data" / "rounds"
    listed = tomllib.loads((policy / "editions.toml").read_text(encoding="utf-8"))["edition"]
    rules = {
        each["name"]: {*each["conditions"].values(), *each["indicators"].values()}
        for each in listed
    }

    def name_on(this_round: Round) -> str:
        return max((e["date"], e["name"]) for e in listed if e["date"] <= this_round.policy_date)[1]

    found = {(name_on(case.this_round), case.rule) for case in load_cases()}
    known = [load_round(folder, year) for year in rounds(folder)]
    published = {name_on(made) for made in known if made.published}
    for before, after in pairwise(rules):
        if after not in published:
            both = rules[before] & rules[after]
            found |= {(after, rule) for rule in both if (before, rule) in found}
    return found


def load_case(path: Path) -> Case:
    """One case file; a key nobody reads raises."""
    text = tomllib.loads(path.read_text(encoding="utf-8"))
    where = f"{path.parent.name}/{path.name}"
    known(where, text, {"vector", "source", "round", "facts", "expect"})
    if not text.get("source") or not text.get("expect"):
        raise CaseError(f"{where}: source and expect must be given")
    known(where, text["facts"], {*ACCEPTED, "totals"})
    return Case(
        rule=path.parent.name,
        name=path.stem,
        source=text["source"],
        this_round=round_of(text["round"], text["source"]),
        facts=text["facts"],
        expect=text["expect"],
        vector=text.get("vector"),
    )


def round_of(given: int | Row, source: str) -> Round:
    """The round of a year's file, or one made from the few values a case gives."""
    if isinstance(given, int):
        return load_round(ROOT / "data" / "rounds", given)
    return Round(**{"cite": source, "permit_date": given["reference_date"], **given})


def known(where: str, found: Row, expected: set[str]) -> None:
    """Raise when a case names something that does not exist."""
    if unknown := sorted(set(found) - expected):
        raise CaseError(f"{where}: unknown {', '.join(unknown)}")


def feeds(cases: list[Case]) -> Feeds:
    """The accepted feeds of several cases, case number = person; sorted as ingest sorts them."""
    rows: Facts = {feed: [] for feed in ACCEPTED}
    employers: dict[tuple[int, str], int] = {}
    for person, case in enumerate(cases):
        for feed in ACCEPTED:
            for row in accepted(case, feed):
                label = row.get("employer_id")
                number = label and employers.setdefault((person, label), len(employers))
                rows[feed].append({"person": person, "employer": number, **row})
    return {feed: frame(feed, rows[feed]).lazy() for feed in ACCEPTED}


def frame(feed: str, rows: list[Row]) -> pl.DataFrame:
    """Rows in exactly the accepted form of their feed."""
    columns = ACCEPTED[feed]
    made = pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in columns}, schema=columns, strict=True
    )
    return made.sort("person", "month") if feed == "social_insurance" else made.sort(made.columns)


def accepted(case: Case, feed: str) -> list[Row]:
    """A case's rows of one feed, every column given or filled in."""
    where = f"{case}: {feed}"
    given = case.facts.get(feed, [])
    if feed == "applications":
        if len(given) > 1:
            raise CaseError(f"{where}: a case has one applicant")
        given = [{"application_no": str(case), **row} for row in given or [{}]]
    if feed == "social_insurance":
        given = [row for spell in given for row in insurance_rows(where, spell)]
        if twice := [month for month, n in Counter(row["month"] for row in given).items() if n > 1]:
            raise CaseError(f"{where}: several rows of {twice[0]}")
    if feed == "sanctions":
        given = [sanction(row) for row in given]
    return [filled(where, feed, row) for row in given]


def filled(where: str, feed: str, row: Row) -> Row:
    """A row with the columns it leaves out; one that must be given raises."""
    known(where, row, {*ACCEPTED[feed], "employer_id"})
    whole = FILLED.get(feed, {}) | row
    for name, kind in ACCEPTED[feed].items():
        if name in whole or name in {"person", "employer", *NULLABLE}:
            continue
        if kind != pl.Boolean():
            raise CaseError(f"{where}: {name} must be given")
        whole[name] = False
    return whole


def insurance_rows(where: str, spell: Row) -> Iterator[Row]:
    """One row a month of a spell, with the status of each insurance."""
    shorthands = {"employer_id", "from", "to", "status"}
    known(where, spell, {*ACCEPTED["social_insurance"], *shorthands})
    row = {name: value for name, value in spell.items() if name not in {"from", "to", "status"}}
    for name in INSURANCES:
        status = spell.get(name, spell.get("status"))
        row[name] = None if status == "none" else status
    if not any(row[name] for name in INSURANCES):
        raise CaseError(f"{where}: a row without a status")
    first: date = spell["month"] if "month" in spell else spell["from"]
    for month in months(first, spell.get("to", first)):
        yield {"recorded_on": month.replace(day=20), **row, "month": month}


def months(first: date, last: date) -> list[date]:
    """The first days of the months from `first` to `last`; raises when there are none."""
    if first.day != 1 or last.day != 1 or last < first:
        raise CaseError(f"months from {first} to {last}: give first days, in order")
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def sanction(row: Row) -> Row:
    """A finding against the applicant, or against an employer by its label."""
    subject = row["subject_id"]
    whom = {} if subject == THE_APPLICANT else {"person": None, "employer_id": subject}
    return {name: value for name, value in row.items() if name != "subject_id"} | whom


def totals(case: Case) -> pl.DataFrame:
    """The totals of a ranking case: application_no, total."""
    numbered: list[Row] = []
    for row in case.facts.get("totals", []):
        known(f"{case}: totals", row, {"total", "applicants", "application_no"})
        for _ in range(row.get("applicants", 1)):
            number = row.get("application_no", f"{len(numbered) + 1:06}")
            numbered.append({"application_no": number, "total": row["total"]})
    return pl.DataFrame(numbered, schema={"application_no": pl.String, "total": pl.Int64})
