"""A second, slow scorer, written from the data contract alone.

It exists to be compared with the real one, so it shares no code with it and is written the
other way round: plain Python, one person at a time, one month at a time, in the words of the
contract. Nothing here is fast and nothing here is clever. Polars only opens Parquet files.

`score_round` reads a delivery directory and returns a `Result`. All points are integer
centipoints (1/100 point).

Where the contract can be read in more than one way, the most literal reading is taken and a
comment that begins with AMBIGUITY says so.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import unicodedata
import zlib
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime, time
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Edition = Literal["trial", "2020"]
Row = dict[str, Any]
Place = tuple[str, str, int]
"""Feed, file as feed/part-N, row number (1-based over the data rows of that file)."""

# --- What the contract says a delivery looks like --------------------------------------------

FEEDS: dict[str, dict[str, str]] = {
    "applications": {
        "application_no": "text",
        "person_id": "text",
        "name": "text",
        "sex": "text",
        "birth_date": "date",
        "retirement_class": "text",
        "employer_id": "text",
        "claims_education": "bool",
        "submitted_at": "datetime",
    },
    "residence_permits": {"person_id": "text", "valid_from": "date", "valid_to": "date?"},
    "criminal_records": {"person_id": "text", "sentenced_on": "date"},
    "detentions": {"person_id": "text", "decided_on": "date"},
    "social_insurance": {
        "person_id": "text",
        "month": "date",
        "employer_id": "text",
        "work_district": "text",
        "pension": "text?",
        "medical": "text?",
        "unemployment": "text?",
        "injury": "text?",
        "maternity": "text?",
        "recorded_on": "date",
    },
    "employers": {
        "employer_id": "text",
        "name": "text",
        "district": "text",
        "registered_in_beijing": "bool",
        "tax_registered": "bool",
        "tax_paying": "bool",
        "high_tech": "bool",
        "tech_sme": "bool",
    },
    "housing": {
        "person_id": "text",
        "kind": "text",
        "district": "text",
        "start_date": "date",
        "end_date": "date?",
        "registered_on": "date?",
    },
    "education": {
        "person_id": "text",
        "level": "text",
        "has_diploma": "bool",
        "has_degree": "bool",
        "enrolled_on": "date?",
        "graduated_on": "date",
        "verified": "bool",
    },
    "tax": {
        "person_id": "text",
        "treasury_date": "date",
        "income_kind": "text",
        "amount_fen": "int",
    },
    "company_tax": {"person_id": "text", "year": "int", "attributed_fen": "int"},
    "tax_violations": {"person_id": "text", "decided_on": "date"},
    "awards": {
        "person_id": "text",
        "programme": "text",
        "scope": "text",
        "awarded_on": "date",
        "points": "int",
    },
    "shareholdings": {
        "person_id": "text",
        "employer_id": "text",
        "share_bp": "int",
        "held_from": "date",
        "held_to": "date?",
    },
    "financings": {"employer_id": "text", "received_on": "date", "amount_fen": "int"},
    "positions": {"person_id": "text", "kind": "text", "held_from": "date", "held_to": "date?"},
    "honours": {"person_id": "text", "title": "text", "awarded_on": "date", "revoked_on": "date?"},
    "sanctions": {"subject_id": "text", "found_on": "date"},
}
"""Every feed with its columns and their types; a question mark: may be null."""

KEYS: dict[str, list[list[str]]] = {
    "applications": [["application_no"], ["person_id"]],
    "social_insurance": [["person_id", "month"]],
    "employers": [["employer_id"]],
    "company_tax": [["person_id", "year"]],
}
"""The keys of the feeds that have one; `applications` has two."""

INSURANCES = ["pension", "medical", "unemployment", "injury", "maternity"]
"""In the order in which ties are decided."""

ALLOWED: dict[tuple[str, str], set[str]] = {
    ("applications", "sex"): {"M", "F"},
    ("applications", "retirement_class"): {"male_60", "female_55", "female_50"},
    **{("social_insurance", i): {"paid", "back_paid", "agency_back_paid"} for i in INSURANCES},
    ("housing", "kind"): {"own", "dormitory", "rent"},
    ("education", "level"): {"junior_college", "bachelor", "master", "doctor"},
    ("tax", "income_kind"): {"wage", "labour", "comprehensive", "business", "other"},
    ("awards", "scope"): {"national", "municipal"},
    ("positions", "kind"): {"high_tech_core", "startup", "incubator_service"},
}

ENDS: dict[str, tuple[str, str]] = {
    "residence_permits": ("valid_from", "valid_to"),
    "housing": ("start_date", "end_date"),
    "education": ("enrolled_on", "graduated_on"),
    "shareholdings": ("held_from", "held_to"),
    "positions": ("held_from", "held_to"),
    "honours": ("awarded_on", "revoked_on"),
}
"""Start and end, where a feed has an end."""

AWARD_POINTS = {1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12}

COUNTING_TITLES = {
    "model_worker_national",
    "model_worker_provincial",
    "moral_model_national",
    "moral_model_capital",
    "bravery_national",
    "bravery_capital",
}

SIX_DISTRICTS = {"110101", "110102", "110105", "110106", "110107", "110108"}

EARLIEST_MONTH = date(1998, 7, 1)

NAME_COLUMNS = {("applications", "name"), ("employers", "name"), ("honours", "title")}
"""Columns that hold a name or a title."""

BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes of the control characters."""

PROVINCES = {
    *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37"),
    *(
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
    ),
    *("71", "81", "82", "83"),
}
"""GB/T 2260, the first two digits."""


# --- What goes in and what comes out ---------------------------------------------------------


@dataclass(frozen=True)
class RoundSpec:
    """One round. `permit_date` is `ref` unless given; `insured_in` is the first day of a month."""

    year: int
    edition: Edition
    quota: int = 6000
    permit_date: date | None = None
    insured_in: date | None = None
    received_on: date | None = None

    @property
    def ref(self) -> date:
        """31 December of the year before the round."""
        return date(self.year - 1, 12, 31)

    @property
    def last_month(self) -> date:
        """December of the year before the round."""
        return date(self.year - 1, 12, 1)


class Refused(Exception):
    """A feed is refused: nothing is scored. `file` is None when the whole feed is meant."""

    def __init__(self, feed: str, file: str | None, reason: str) -> None:
        super().__init__(f"{feed}: {file or '-'}: {reason}")
        self.feed = feed
        self.file = file
        self.reason = reason


@dataclass(frozen=True)
class Ranked:
    """The place of one eligible applicant."""

    total: int
    rank: int
    settled: bool
    serial: int | None


@dataclass
class Result:
    """Everything the contract lets a run say, keyed by application number."""

    scores: dict[str, dict[str, int]]
    """The ten indicators and `total`, in centipoints, of every accepted application."""
    eligibility: dict[str, dict[str, bool]]
    """The six conditions and `eligible`, of every accepted application."""
    ranking: dict[str, Ranked]
    """Eligible applicants only."""
    cutoff: int | None
    tied_at_cutoff: int
    needs_review: set[str]
    rejected: set[Place]
    duplicates: dict[str, int]
    """Rows dropped as exact duplicates, by feed (all feeds are listed)."""
    strangers: dict[str, int]
    """Rows dropped because their person has no accepted application, by feed (all are listed)."""
    reasons: dict[Place, list[str]] = field(default_factory=dict)
    """Why each rejected row was rejected, as `column: check`."""
    working: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The counts each applicant's points follow from, to explain a difference."""


# --- Months and days --------------------------------------------------------------------------


def month_of(day: date) -> date:
    """The first day of the month of `day`."""
    return date(day.year, day.month, 1)


def add_months(day: date, months: int) -> date:
    """`day` moved by whole months, clipped to the last day of the month it lands in."""
    years, month = divmod(day.year * 12 + (day.month - 1) + months, 12)
    if years > date.max.year:  # born near the end of the calendar: later than any other day
        return date.max
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def months_between(first: date, last: date) -> list[date]:
    """Every month from `first` to `last`, both included; empty if `last` is earlier."""
    found = []
    month = first
    while month <= last:
        found.append(month)
        month = add_months(month, 1)
    return found


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator`, neither negative, rounded half up to a whole number."""
    return (2 * numerator + denominator) // (2 * denominator)


# --- Reading ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unparsed:
    """A CSV cell that is not of its column's type."""

    text: str


@dataclass
class Delivered:
    """One row as it came, with its place."""

    place: Place
    cells: Row


def read_bool(text: str) -> bool:
    """`true` or `false`, nothing else."""
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def read_int(text: str) -> int:
    """A whole number."""
    # AMBIGUITY: the contract does not say how a whole number is written. Taken: an optional minus
    # and ASCII digits, within 64 bits; no plus, no decimal point, no blanks.
    if not re.fullmatch(r"-?[0-9]+", text) or not -(2**63) <= int(text) < 2**63:
        raise ValueError(text)
    return int(text)


def read_date(text: str) -> date:
    """A date in ISO 8601."""
    # AMBIGUITY: ISO 8601 has many forms. Taken: YYYY-MM-DD for a date; the same, `T`, hours and
    # minutes, optionally seconds with up to six decimals, and no time zone, for a time.
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def read_time(text: str) -> datetime:
    """A local time in ISO 8601, its decimals padded to six."""
    day, _, clock = text.partition("T")
    if not re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?", clock):
        raise ValueError(text)
    clock, _, decimals = clock.partition(".")
    moment = datetime.combine(read_date(day), time.fromisoformat(clock))
    return moment.replace(microsecond=int(decimals.ljust(6, "0")))


READERS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "bool": read_bool,
    "int": read_int,
    "date": read_date,
    "datetime": read_time,
}


def parse_cell(text: str, kind: str) -> Any:
    """The value of a CSV cell; None if empty; `Unparsed` if it is not of its column's type."""
    if text == "":
        return None
    try:
        return READERS[kind.rstrip("?")](text)
    except ValueError:
        return Unparsed(text)


def check_columns(feed: str, file: str, columns: list[str]) -> None:
    """Refuse a file with a missing or an extra column; the order does not matter."""
    for column in FEEDS[feed]:
        if column not in columns:
            raise Refused(feed, file, f"column {column} is missing")
    for column in columns:
        if column not in FEEDS[feed]:
            raise Refused(feed, file, f"unknown extra column {column}")
        if columns.count(column) > 1:
            raise Refused(feed, file, f"column {column} comes twice")


def read_csv(feed: str, path: Path) -> list[Row]:
    """The data rows of one CSV file."""
    try:
        content = (
            gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
        )
        # AMBIGUITY: a byte order mark is legal UTF-8 and is skipped.
        text = content.decode("utf-8-sig")
        # AMBIGUITY: blank lines (records without any cell) are not data rows and are not numbered.
        records = [
            record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record
        ]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise Refused(feed, path.name, f"cannot be read: {error}") from error
    if not records:
        raise Refused(feed, path.name, "no header")
    header = records[0]
    check_columns(feed, path.name, header)
    rows = []
    for record in records[1:]:
        # AMBIGUITY: a record with too few or too many cells is in none of the contract's lists of
        # bad rows. Taken: the file cannot be read.
        if len(record) != len(header):
            raise Refused(
                feed, path.name, f"a row of {len(record)} cells under a header of {len(header)}"
            )
        rows.append(
            {c: parse_cell(cell, FEEDS[feed][c]) for c, cell in zip(header, record, strict=True)}
        )
    return rows


def read_parquet(feed: str, path: Path) -> list[Row]:
    """The data rows of one Parquet file."""
    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except Exception as error:
        raise Refused(feed, path.name, f"cannot be read: {error}") from error
    check_columns(feed, path.name, frame.columns)
    # AMBIGUITY: the contract does not name Parquet types. Taken: text String, date Date, datetime
    # Datetime in microseconds without zone, bool Boolean, int Int64, and nothing else.
    types: dict[str, pl.DataType] = {
        "text": pl.String(),
        "date": pl.Date(),
        "datetime": pl.Datetime("us"),
        "bool": pl.Boolean(),
        "int": pl.Int64(),
    }
    for column, kind in FEEDS[feed].items():
        expected = types[kind.rstrip("?")]
        if frame.schema[column] != expected:
            raise Refused(
                feed,
                path.name,
                f"column {column}: expected {expected}, came {frame.schema[column]}",
            )
    return list(frame.iter_rows(named=True))


def read_feed(feeds_dir: Path, feed: str) -> list[Delivered]:
    """Every row of a feed, files in the order of their names."""
    folder = feeds_dir / feed
    if not folder.is_dir():
        raise Refused(feed, None, "the folder is absent")
    # What lies in a delivery and is not read has tests of its own; here every entry is a file.
    paths = sorted(p for p in folder.iterdir() if p.name.endswith((".parquet", ".csv", ".csv.gz")))
    if not paths:
        raise Refused(feed, None, "the folder has no file")
    delivered = []
    for part, path in enumerate(paths):
        rows = read_parquet(feed, path) if path.name.endswith(".parquet") else read_csv(feed, path)
        for number, row in enumerate(rows, start=1):
            delivered.append(Delivered((feed, f"{feed}/part-{part}", number), row))
    return delivered


# --- Row checks -----------------------------------------------------------------------------------


@cache
def is_person_id(text: str) -> bool:
    """Whether `text` is 18 characters ending in the GB 11643 (ISO 7064 MOD 11-2) check character."""
    # AMBIGUITY: the list of bad rows names the check character only, so an ID whose digits 7-14
    # are no date is not bad by itself (in `applications` it cannot agree with a birth date).
    # A text of another shape has no right check character; a small x is not the check character.
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text):
        return False
    total = 0
    for position, digit in enumerate(text[:17]):
        total += int(digit) * pow(2, 17 - position, 11)
    return "10X98765432"[total % 11] == text[17]


@cache
def is_employer_id(text: str) -> bool:
    """Whether `text` is 18 characters ending in the GB 32100 check character."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    if len(text) != 18 or any(character not in alphabet for character in text):
        return False
    total = 0
    for position, character in enumerate(text[:17]):
        total += alphabet.index(character) * pow(3, position, 31)
    return alphabet[(31 - total % 31) % 31] == text[17]


def beyond_limits(value: Any) -> str | None:
    """Why a date or a whole number is beyond what any value may be."""
    day = value.date() if isinstance(value, datetime) else value
    if isinstance(day, date) and day < date(1900, 1, 1):
        return "before 1900-01-01"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**15:
        return "beyond 10^15"
    return None


@cache
def text_faults(feed: str, column: str, text: str) -> list[str]:
    """What is wrong with a text as text."""
    found = []
    is_name = (feed, column) in NAME_COLUMNS
    for character in text:
        if is_name and character in "\n\r\t":
            continue
        if unicodedata.category(character) == "Cc" or unicodedata.bidirectional(character) in BIDI:
            found.append("control character")
            break
    if is_name and text and not text.strip():
        found.append("blank")
    if is_name and len(text) > 200:
        found.append("longer than 200 characters")
    windows = [text[start : start + 18] for start in range(len(text) - 17)]
    if is_name and any(is_person_id(window) for window in windows):
        found.append("holds an ID number")
    if (feed, column) == ("applications", "application_no") and text:
        plain = text.replace("-", "").replace("_", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", text):
            found.append("not 1 to 32 of A-Z a-z 0-9 - _")
        elif any(is_person_id(plain[start : start + 18]) for start in range(len(plain) - 17)):
            found.append("holds an ID number")
        elif re.fullmatch("[0-9]{15}", plain) and plain[:2] in PROVINCES and is_yymmdd(plain[6:12]):
            found.append("an ID number of 15 digits")
    return found


def is_yymmdd(text: str) -> bool:
    """Whether six digits are a day of the last century."""
    try:
        date(1900 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        return False
    return True


def problems(feed: str, cells: Row, spec: RoundSpec) -> list[str]:
    """Every check of the contract that this row fails, as `column: check`."""
    found: list[str] = []
    beyond = {column: beyond_limits(value) for column, value in cells.items()}

    for column, kind in FEEDS[feed].items():
        value = cells[column]
        if isinstance(value, Unparsed):
            found.append(f"{column}: does not parse")
        elif value is None and not kind.endswith("?"):
            found.append(f"{column}: null")
        elif value == "" and not kind.endswith("?"):
            found.append(f"{column}: empty")
        # AMBIGUITY: an empty (not null) status in Parquet is a value outside its set.
        elif (feed, column) in ALLOWED and value is not None and value not in ALLOWED[feed, column]:
            found.append(f"{column}: outside its set")

        if (limit := beyond[column]) is not None:
            found.append(f"{column}: {limit}")
        if isinstance(value, str):
            found += [f"{column}: {fault}" for fault in text_faults(feed, column, value)]

    # From here on a check looks only at cells that are there, of their type and within the limits.
    row: Row = {
        c: None if isinstance(v, Unparsed) or v == "" or beyond[c] else v for c, v in cells.items()
    }

    if row.get("person_id") is not None and not is_person_id(row["person_id"]):
        found.append("person_id: check character")
    if row.get("employer_id") is not None and not is_employer_id(row["employer_id"]):
        found.append("employer_id: check character")
    subject = row.get("subject_id")
    if subject is not None and not is_person_id(subject) and not is_employer_id(subject):
        found.append("subject_id: check character")
    for column in ("district", "work_district"):
        if row.get(column) is not None and not re.fullmatch(r"[0-9]{6}", row[column]):
            found.append(f"{column}: not six digits")

    birth, person_id = row.get("birth_date"), row.get("person_id")
    if (
        birth is not None
        and person_id is not None
        and birth.isoformat().replace("-", "") != person_id[6:14]
    ):
        found.append("birth_date: differs from the person_id")

    if feed == "social_insurance":
        if row["month"] is not None and row["month"].day != 1:
            found.append("month: not a first day")
        if (
            row["month"] is not None
            and row["recorded_on"] is not None
            and row["recorded_on"] < row["month"]
        ):
            found.append("recorded_on: before month")
        # A cell that does not parse or is outside its set is there, but the row is bad already.
        if all(row[insurance] is None for insurance in INSURANCES):
            found.append("pension: no status")

    if feed in ENDS:
        start, end = ENDS[feed]
        if row[start] is not None and row[end] is not None and row[end] < row[start]:
            found.append(f"{end}: before {start}")

    if feed == "education" and row["has_diploma"] is False and row["has_degree"] is False:
        found.append("has_diploma: neither diploma nor degree")
    if (
        feed == "shareholdings"
        and row["share_bp"] is not None
        and not 1 <= row["share_bp"] <= 10000
    ):
        found.append("share_bp: outside 1..10000")
    if feed == "financings" and row["amount_fen"] is not None and row["amount_fen"] <= 0:
        found.append("amount_fen: not positive")
    if feed == "awards" and row["points"] is not None and row["points"] not in AWARD_POINTS:
        found.append("points: not an award value")

    if spec.received_on is not None:
        for column, kind in FEEDS[feed].items():
            # AMBIGUITY: which dates are end dates? Taken: the five the contract lists as ends
            # (end_date, held_to, valid_to, revoked_on, graduated_on); every other date or time is
            # an event date, also birth_date, `month` and submitted_at (by its day).
            # `month` changes nothing: recorded_on may not be before it.
            if column in ("end_date", "held_to", "valid_to", "revoked_on", "graduated_on"):
                continue
            value = row[column]
            if kind.startswith("date") and value is not None:
                day = value.date() if isinstance(value, datetime) else value
                if day > spec.received_on:
                    found.append(f"{column}: after received_on")
    return found


# --- From delivered rows to accepted rows ---------------------------------------------------------


@dataclass
class Accepted:
    """What is left to score, and what was not accepted."""

    rows: dict[str, list[Row]]
    needs_review: set[str]
    reasons: dict[Place, list[str]]
    duplicates: dict[str, int]
    strangers: dict[str, int]


def collapse_duplicates(rows: list[Delivered]) -> tuple[list[Delivered], int]:
    """Of equal rows the first stays; also how many went."""
    # AMBIGUITY: equal means equal values in every column, whichever files the rows are in. Which of
    # the equal rows stays is not said; it shows only when it later conflicts with a third row.
    # Taken: the first, files in the order of their names.
    seen: set[tuple[Any, ...]] = set()
    left = []
    for row in rows:
        content = tuple(sorted(row.cells.items()))
        if content not in seen:
            seen.add(content)
            left.append(row)
    return left, len(rows) - len(left)


def find_conflicts(feed: str, rows: list[Delivered]) -> set[Place]:
    """Of rows without equals, those that share a key with another row."""
    conflicts: set[Place] = set()
    for key in KEYS[feed]:
        sharing: dict[tuple[Any, ...], list[Delivered]] = {}
        for row in rows:
            sharing.setdefault(tuple(row.cells[column] for column in key), []).append(row)
        for group in sharing.values():
            if len(group) > 1:
                conflicts.update(row.place for row in group)
    return conflicts


def accept(feeds_dir: Path, spec: RoundSpec, max_rejects: float) -> Accepted:
    """Read all feeds and apply every rule for bad input, in the order of the contract."""
    delivered = {feed: read_feed(feeds_dir, feed) for feed in FEEDS}
    reasons: dict[Place, list[str]] = {}
    duplicates: dict[str, int] = {}
    left: dict[str, list[Delivered]] = {}

    for feed, rows in delivered.items():
        # Parse and row checks, on every row, applicant or not.
        good = []
        for row in rows:
            found = problems(feed, row.cells, spec)
            if found:
                reasons[row.place] = found
            else:
                good.append(row)
        # Exact duplicates, then conflicting duplicates, of keyed feeds.
        duplicates[feed] = 0
        if feed in KEYS:
            good, duplicates[feed] = collapse_duplicates(good)
            conflicts = find_conflicts(feed, good)
            for row in good:
                if row.place in conflicts:
                    reasons[row.place] = ["conflicting_duplicate"]
            good = [row for row in good if row.place not in conflicts]
        left[feed] = good
        # Refused: strictly more quarantined rows than the share allowed.
        quarantined = sum(1 for place in reasons if place[0] == feed)
        if quarantined > Fraction(str(max_rejects)) * len(rows):
            raise Refused(
                feed, None, f"{quarantined} of {len(rows)} rows are bad, more than {max_rejects}"
            )

    applications = [row.cells for row in left["applications"]]
    applicants = {application["person_id"] for application in applications}

    accepted: dict[str, list[Row]] = {}
    strangers: dict[str, int] = {}
    for feed, rows in left.items():
        accepted[feed] = []
        strangers[feed] = 0
        for row in rows:
            # AMBIGUITY: somebody whose application was quarantined counts as not having applied.
            if "person_id" in row.cells:
                stranger = row.cells["person_id"] not in applicants
            elif feed == "sanctions":
                # AMBIGUITY: a sanction is about a person unless its subject can be an employer;
                # one on an employer nobody applied through is not about a person and is kept.
                subject = row.cells["subject_id"]
                stranger = not is_employer_id(subject) and subject not in applicants
            else:
                stranger = False
            if stranger:
                strangers[feed] += 1
            else:
                accepted[feed].append(row.cells)

    needs_review: set[str] = set()
    for feed, rows in delivered.items():
        for row in rows:
            if row.place in reasons:
                needs_review |= marked_by(feed, row.cells, applications, accepted["shareholdings"])
    return Accepted(accepted, needs_review, reasons, duplicates, strangers)


def marked_by(feed: str, cells: Row, applications: list[Row], shareholdings: list[Row]) -> set[str]:
    """The accepted applications that one quarantined row marks as needing review."""
    # AMBIGUITY: "under their person_id" also covers a sanction with that subject_id, and a bad
    # copy of the accepted application itself. IDs are compared as they are written in the bad row.
    # AMBIGUITY: a holder of shares is anybody with an accepted shareholdings row in that employer,
    # of whatever share and time, in both editions. (A quarantined shareholdings row marks its
    # person anyway.)
    marked = set()
    for application in applications:
        person, employer = application["person_id"], application["employer_id"]
        hit = cells.get("person_id") == person
        if feed == "employers":
            hit = cells["employer_id"] == employer
        elif feed == "sanctions":
            hit = cells["subject_id"] in (person, employer)
        elif feed == "financings":
            hit = any(
                holding["person_id"] == person and holding["employer_id"] == cells["employer_id"]
                for holding in shareholdings
            )
        if hit:
            marked.add(application["application_no"])
    return marked


# --- One person ---------------------------------------------------------------------------------


@dataclass
class Person:
    """An accepted applicant with the rows about them, and the rows about employers."""

    application: Row
    rows: dict[str, list[Row]]
    insurance: dict[date, Row]
    """By month: the rows that exist for conditions and indicators."""
    insurance_whenever_recorded: dict[date, Row]
    employers: dict[str, Row]
    financings: list[Row]
    sanctions: list[Row]
    working: dict[str, Any] = field(default_factory=dict)


def gather(accepted: Accepted, spec: RoundSpec) -> list[Person]:
    """Put together everything about each applicant."""
    rows: dict[str, dict[str, list[Row]]] = {}
    for application in accepted.rows["applications"]:
        rows[application["person_id"]] = {feed: [] for feed in FEEDS if "person_id" in FEEDS[feed]}
    for feed, feed_rows in accepted.rows.items():
        for row in feed_rows:
            if "person_id" in row:
                rows[row["person_id"]][feed].append(row)
    employers = {row["employer_id"]: row for row in accepted.rows["employers"]}

    persons = []
    for application in accepted.rows["applications"]:
        own = rows[application["person_id"]]
        every_month = {row["month"]: row for row in own["social_insurance"]}
        # A row whose recorded_on is after ref does not exist, nor does a month before 1998-07 or
        # after December Y-1.
        existing = {
            month: row
            for month, row in every_month.items()
            if row["recorded_on"] <= spec.ref and EARLIEST_MONTH <= month <= spec.last_month
        }
        persons.append(
            Person(
                application=application,
                rows=own,
                insurance=existing,
                insurance_whenever_recorded=every_month,
                employers=employers,
                financings=accepted.rows["financings"],
                sanctions=accepted.rows["sanctions"],
            )
        )
    return persons


def is_inside(district: str) -> bool:
    """One of the six districts."""
    return district in SIX_DISTRICTS


def is_outside(district: str) -> bool:
    """Any other code beginning 1101."""
    return district.startswith("1101") and district not in SIX_DISTRICTS


def covers(home: Row, month: date) -> bool:
    """Whether the first day of the month lies in start_date..end_date."""
    return bool(
        home["start_date"] <= month and (home["end_date"] is None or month <= home["end_date"])
    )


# --- Conditions ---------------------------------------------------------------------------------


def residence_permit(person: Person, spec: RoundSpec) -> bool:
    """A permit with valid_from <= permit date <= valid_to."""
    day = spec.permit_date or spec.ref
    for permit in person.rows["residence_permits"]:
        if permit["valid_from"] <= day and (
            permit["valid_to"] is None or day <= permit["valid_to"]
        ):
            return True
    return False


def retirement_delay(retirement_class: str, birth: date, year: int) -> int:
    """Months by which the 2025 reform delays retirement; none before round 2026."""
    if year < 2026:
        return 0
    first_birth_month, births_per_month, most = {
        "male_60": (date(1965, 1, 1), 4, 36),
        "female_55": (date(1970, 1, 1), 4, 36),
        "female_50": (date(1975, 1, 1), 2, 60),
    }[retirement_class]
    if birth < first_birth_month:
        return 0
    months_after = (birth.year - first_birth_month.year) * 12 + (
        birth.month - first_birth_month.month
    )
    started = months_after // births_per_month + 1
    return min(most, started)


def retirement_age(person: Person, spec: RoundSpec) -> bool:
    """On `ref` the person has not yet reached retirement age."""
    birth = person.application["birth_date"]
    retirement_class = person.application["retirement_class"]
    years = {"male_60": 60, "female_55": 55, "female_50": 50}[retirement_class]
    # Years and delay are added in one step and the day is clipped once. (`ref` is a 31 December,
    # so neither clipping can be seen in the result.)
    reached = add_months(birth, 12 * years + retirement_delay(retirement_class, birth, spec.year))
    person.working["retirement_reached"] = reached
    return spec.ref < reached


def social_insurance(person: Person, spec: RoundSpec) -> bool:
    """Each of the five in every one of the 84 months, each with at most 5 back-paid."""
    window = months_between(add_months(spec.last_month, -83), spec.last_month)
    holds = True
    for insurance in INSURANCES:
        missing = 0
        back_paid = 0
        for month in window:
            status = person.insurance[month][insurance] if month in person.insurance else None
            if status is None:
                missing += 1
            if status == "back_paid":
                back_paid += 1
        person.working[f"{insurance}_missing"] = missing
        person.working[f"{insurance}_back_paid"] = back_paid
        if missing > 0 or back_paid > 5:
            holds = False
    # "A row of that month has a status, whenever recorded": every accepted row has one.
    if spec.insured_in is not None and spec.insured_in not in person.insurance_whenever_recorded:
        holds = False
    return holds


def criminal_record(person: Person) -> bool:
    """No row, of whatever date."""
    return len(person.rows["criminal_records"]) == 0


def employer(person: Person, spec: RoundSpec) -> bool:
    """Registered in Beijing, tax-registered and tax-paying."""
    row = person.employers.get(person.application["employer_id"])
    if row is None:
        return False
    return bool(row["registered_in_beijing"] and row["tax_registered"] and row["tax_paying"])


def not_barred(person: Person, spec: RoundSpec) -> bool:
    """No sanction on the person or the employer from its year to five years after."""
    for sanction in person.sanctions:
        if sanction["subject_id"] in (
            person.application["person_id"],
            person.application["employer_id"],
        ):
            year = sanction["found_on"].year
            if year <= spec.year <= year + 5:
                return False
    return True


# --- Indicators ---------------------------------------------------------------------------------


def counted_months(person: Person) -> set[date]:
    """The `paid` months of the insurance with the most of them; ties in the order of the five."""
    best: set[date] = set()
    chosen = INSURANCES[0]
    for insurance in INSURANCES:
        paid = {month for month, row in person.insurance.items() if row[insurance] == "paid"}
        if len(paid) > len(best):
            best = paid
            chosen = insurance
    person.working["counted_insurance"] = chosen
    person.working["E"] = len(best)
    return best


def residence(person: Person, counted: set[date], spec: RoundSpec) -> int:
    """Own homes, P1 months taken as rented, dormitories and rented homes, capped by employment."""
    p1_ends = date(2020, 7, 1) if spec.edition != "trial" else date(2016, 12, 1)
    # AMBIGUITY: the district of a home is not looked at here, so a home elsewhere in China counts.
    homes = []
    for home in person.rows["housing"]:
        registered = home["registered_on"] is not None and home["registered_on"] <= spec.ref
        if home["kind"] == "own" or registered or spec.edition == "trial":
            homes.append(home)

    own1 = own2 = dorm2 = rent2 = 0
    for month in months_between(EARLIEST_MONTH, spec.last_month):
        kinds = {home["kind"] for home in homes if covers(home, month)}
        if "own" in kinds:
            if month <= p1_ends:
                own1 += 1
            else:
                own2 += 1
        elif month > p1_ends:
            if "dormitory" in kinds:
                dorm2 += 1
            elif "rent" in kinds:
                rent2 += 1

    employment = len(counted)
    employment1 = len([month for month in counted if month <= p1_ends])
    person.working["residence_filed"] = (own1, own2, dorm2, rent2, employment1, employment)

    # 1. Own first, capped by employment.
    while own1 + own2 > employment:
        if own1 > 0:
            own1 -= 1
        else:
            own2 -= 1
    # 2. P1 employment months without an own home count as rented.
    free1 = min(employment1 - min(own1, employment1), employment - own1 - own2)
    # 3. Then dormitory, then rent, of what is left.
    dorm2 = min(dorm2, employment - own1 - own2 - free1)
    rent2 = min(rent2, employment - own1 - own2 - free1 - dorm2)
    # 4. Each part is rounded on its own.
    person.working["residence_parts"] = (own1, own2, free1, dorm2, rent2)
    return (
        half_up(100 * own1, 12)
        + half_up(100 * own2, 12)
        + half_up(50 * free1, 12)
        + half_up(50 * dorm2, 12)
        + half_up(50 * rent2, 12)
    )


def education_points(row: Row, edition: Edition) -> int:
    """What one row is worth by its level, diploma and degree."""
    level = row["level"]
    if level == "junior_college":
        # AMBIGUITY: the table has no junior college degree, so a row with the degree alone earns 0.
        return 1050 if row["has_diploma"] else 0
    both = row["has_diploma"] and row["has_degree"]
    if both:
        return {"bachelor": 1500, "master": 2600, "doctor": 3700}[level]
    if edition == "trial":
        return 0
    return {"bachelor": 1050, "master": 1500, "doctor": 2600}[level]


def study_months(row: Row, points: int, counted: set[date], edition: Edition) -> int:
    """D of one row: the counted months of its study period."""
    last = month_of(row["graduated_on"])
    if edition == "trial" and row["enrolled_on"] is not None:
        first = month_of(row["enrolled_on"])
    else:
        window = 48 if points == 1500 else 36
        first = add_months(last, -(window - 1))
    return len([month for month in months_between(first, last) if month in counted])


def education(person: Person, counted: set[date], spec: RoundSpec) -> tuple[int, int]:
    """Education and its deduction."""
    if not person.application["claims_education"]:
        return 0, 0
    best: tuple[int, date, int] | None = None
    for row in person.rows["education"]:
        if not row["verified"] or row["graduated_on"] > spec.ref:
            continue
        points = education_points(row, spec.edition)
        months = study_months(row, points, counted, spec.edition)
        if best is None:
            better = True
        elif points != best[0]:
            better = points > best[0]
        elif row["graduated_on"] != best[1]:
            better = row["graduated_on"] > best[1]
        else:
            better = months < best[2]
        if better:
            best = (points, row["graduated_on"], months)
    if best is None or best[0] == 0:
        return 0, 0
    points, _, months = best
    person.working["education_D"] = months
    deduction = half_up(700 * months, 24)
    if spec.edition == "trial":
        deduction = min(deduction, {1050: 1050, 1500: 450, 2600: 1100, 3700: 1100}[points])
    return points, -deduction


def job_housing_2020(person: Person, spec: RoundSpec) -> int:
    """Months with an own home outside the six districts, and those also worked outside."""
    t: list[date] = []
    b: list[date] = []
    for month in months_between(date(2018, 1, 1), spec.last_month):
        for home in person.rows["housing"]:
            if home["kind"] == "own" and is_outside(home["district"]) and covers(home, month):
                t.append(month)
                if month in person.insurance and is_outside(
                    person.insurance[month]["work_district"]
                ):
                    b.append(month)
                break
    person.working["job_housing"] = (len(t), len(b))
    if spec.last_month not in t:
        return 0
    return min(1200, 200 * (len(t) // 12) + 100 * (len(b) // 12))


def month_home(person: Person, month: date) -> list[Row]:
    """The homes held in a month, of the first kind present: own, dormitory, rent."""
    # AMBIGUITY: registration is not asked for here; the trial edition takes homes registered or not.
    for kind in ("own", "dormitory", "rent"):
        homes = [
            home for home in person.rows["housing"] if home["kind"] == kind and covers(home, month)
        ]
        if homes:
            return homes
    return []


def job_housing_trial(person: Person, spec: RoundSpec) -> int:
    """Months since 2017 with the home, or home and job, moved out of the six districts."""
    since = date(2017, 1, 1)
    t = []
    for month in months_between(since, spec.last_month):
        if any(is_outside(home["district"]) for home in month_home(person, month)):
            t.append(month)
    if t:
        # All of them if the latest month before the first of them that has any home is inside.
        moved = False
        for month in months_between(EARLIEST_MONTH, add_months(t[0], -1)):
            homes = month_home(person, month)
            if homes:
                moved = any(is_inside(home["district"]) for home in homes)
        if not moved:
            t = []

    first_outside = None
    for month in sorted(person.insurance):
        if month >= since and is_outside(person.insurance[month]["work_district"]):
            first_outside = month
            break
    job_moved = False
    if first_outside is not None:
        for month in sorted(person.insurance):
            if month < first_outside:
                job_moved = is_inside(person.insurance[month]["work_district"])
    b = []
    if job_moved:
        for month in t:
            if month in person.insurance and is_outside(person.insurance[month]["work_district"]):
                b.append(month)
    person.working["job_housing"] = (len(t), len(b))
    return min(1200, 400 * (len(b) // 12) + min(600, 200 * ((len(t) - len(b)) // 12)))


def award_points(person: Person, spec: RoundSpec) -> list[int]:
    """Every award up to `ref`; a municipal one of more than 6 earns 6."""
    items = []
    for award in person.rows["awards"]:
        if award["awarded_on"] <= spec.ref:
            points = award["points"]
            if award["scope"] == "municipal" and points > 6:
                points = 6
            items.append(points * 100)
    return items


def financing_items(person: Person, spec: RoundSpec) -> list[int]:
    """Edition 2020: the financing raised by an own firm that the person also works in."""
    items = []
    for holding in person.rows["shareholdings"]:
        firm = person.employers.get(holding["employer_id"])
        december = person.insurance.get(spec.last_month)
        if holding["share_bp"] < 1000:
            continue
        if holding["held_from"] > date(spec.year - 1, 1, 1):
            continue
        if holding["held_to"] is not None and holding["held_to"] < spec.ref:
            continue
        if firm is None or not (firm["high_tech"] or firm["tech_sme"]):
            continue
        if december is None or december["employer_id"] != holding["employer_id"]:
            continue
        raised = 0
        for financing in person.financings:
            in_time = spec.year - 3 <= financing["received_on"].year <= spec.year - 1
            if in_time and financing["employer_id"] == holding["employer_id"]:
                raised += financing["amount_fen"]
        million_yuan = 1_000_000 * 100
        if raised >= 40 * million_yuan:
            items.append(600)
        elif raised >= 20 * million_yuan:
            items.append(400)
        elif raised >= 5 * million_yuan:
            items.append(200)
    return items


def position_items(person: Person, spec: RoundSpec) -> list[int]:
    """Edition trial: full years in a position up to `ref`."""
    items = []
    for position in person.rows["positions"]:
        until = spec.ref
        if position["held_to"] is not None and position["held_to"] < until:
            until = position["held_to"]
        years = 0
        while add_months(position["held_from"], 12 * (years + 1)) <= until:
            years += 1
        a_year, most = {
            "high_tech_core": (200, 600),
            "startup": (200, 600),
            "incubator_service": (100, 300),
        }[position["kind"]]
        items.append(min(most, a_year * years))
    return items


def innovation(person: Person, spec: RoundSpec) -> int:
    """The best single item, capped."""
    items = award_points(person, spec)
    items += (
        financing_items(person, spec) if spec.edition != "trial" else position_items(person, spec)
    )
    person.working["innovation_items"] = items
    return min(1200, max(items, default=0))


def net_tax(person: Person, year: int, kinds: tuple[str, str]) -> int:
    """The net sum of one year by treasury date, refunds being negative."""
    total = 0
    for payment in person.rows["tax"]:
        if payment["treasury_date"].year == year and payment["income_kind"] in kinds:
            total += payment["amount_fen"]
    return total


def tax_2020(person: Person, spec: RoundSpec) -> int:
    """2 points for each year of 100,000 yuan, if all three are above zero; violations."""
    sums = []
    for year in (spec.year - 3, spec.year - 2, spec.year - 1):
        sums.append(
            net_tax(
                person, year, ("wage", "labour") if year <= 2018 else ("comprehensive", "business")
            )
        )
    person.working["tax_sums"] = sums
    points: int = 0
    if sums[0] > 0 and sums[1] > 0 and sums[2] > 0:
        for total in sums:
            if total >= 10_000_000:
                points += 200
    for violation in person.rows["tax_violations"]:
        if spec.year - 5 <= violation["decided_on"].year <= spec.year - 1:
            points -= 1200
    return points


def tax_trial(person: Person, spec: RoundSpec) -> int:
    """6 points once, for own income tax or for company tax; violations since 2017."""
    years = (spec.year - 3, spec.year - 2, spec.year - 1)
    sums = [net_tax(person, year, ("wage", "labour")) for year in years]
    own_tax = (
        sums[0] > 0 and sums[1] > 0 and sums[2] > 0 and sums[0] + sums[1] + sums[2] >= 30_000_000
    )
    shares = []
    for year in years:
        share = 0
        for row in person.rows["company_tax"]:
            if row["year"] == year:
                share += row["attributed_fen"]
        shares.append(share)
    company = (
        shares[0] > 0
        and shares[1] > 0
        and shares[2] > 0
        and shares[0] + shares[1] + shares[2] >= 60_000_000
    )
    person.working["tax_sums"] = (sums, shares)
    points = 600 if own_tax or company else 0
    for violation in person.rows["tax_violations"]:
        if date(2017, 1, 1) <= violation["decided_on"] <= spec.ref:
            points -= 1200
    return points


def age(person: Person, spec: RoundSpec) -> int:
    """By the year of birth only."""
    years: int = spec.year - 2 - person.application["birth_date"].year
    if spec.edition == "trial":
        return 2000 if years <= 45 else 0
    return max(0, 2000 - 400 * max(0, years - 45))


def honour(person: Person, spec: RoundSpec) -> int:
    """20 points for any counting title held on `ref`."""
    for title in person.rows["honours"]:
        awarded = title["awarded_on"] <= spec.ref
        revoked = title["revoked_on"] is not None and title["revoked_on"] <= spec.ref
        if title["title"] in COUNTING_TITLES and awarded and not revoked:
            return 2000
    return 0


def law(person: Person, spec: RoundSpec) -> int:
    """-30 points for each detention in the period."""
    points = 0
    for detention in person.rows["detentions"]:
        day = detention["decided_on"]
        if spec.edition == "trial":
            counts = date(2017, 1, 1) <= day <= spec.ref
        else:
            counts = spec.year - 5 <= day.year <= spec.year - 1
        if counts:
            points -= 3000
    return points


# Which rule each column is worked out by in an edition, and what works out a rule.
CONDITIONS: dict[str, Callable[[Person, RoundSpec], bool]] = {
    "residence_permit": residence_permit,
    "retirement_age": retirement_age,
    "social_insurance": social_insurance,
    "criminal_record": lambda person, _: criminal_record(person),
    "employer": employer,
    "not_barred": not_barred,
}
INDICATORS: dict[str, Callable[[Person, set[date], RoundSpec], int]] = {
    "employment": lambda _, counted, __: 25 * len(counted),
    "residence": residence,
    "residence_unregistered": residence,
    "education": lambda *of: education(*of)[0],
    "education_from_enrolment": lambda *of: education(*of)[0],
    "education_deduction": lambda *of: education(*of)[1],
    "education_deduction_limited": lambda *of: education(*of)[1],
    "job_housing": lambda person, _, spec: job_housing_2020(person, spec),
    "job_housing_moved_out": lambda person, _, spec: job_housing_trial(person, spec),
    "innovation": lambda person, _, spec: innovation(person, spec),
    "innovation_award_or_position": lambda person, _, spec: innovation(person, spec),
    "tax": lambda person, _, spec: tax_2020(person, spec),
    "tax_three_year_total": lambda person, _, spec: tax_trial(person, spec),
    "age": lambda person, _, spec: age(person, spec),
    "honour": lambda person, _, spec: honour(person, spec),
    "law": lambda person, _, spec: law(person, spec),
    "law_since_commencement": lambda person, _, spec: law(person, spec),
}
SIX = list(CONDITIONS)[:6]  # the columns; a rule that comes later is another rule for one of them
EDITIONS: dict[Edition, dict[str, dict[str, str]]] = {
    "2020": {
        "conditions": {name: name for name in SIX},
        "indicators": {
            name: name
            for name in (
                "employment", "residence", "education", "education_deduction", "job_housing",
                "innovation", "tax", "age", "honour", "law",
            )
        },
    },
    "trial": {
        "conditions": {name: name for name in SIX if name != "employer"},
        "indicators": {
            "employment": "employment",
            "residence": "residence_unregistered",
            "education": "education_from_enrolment",
            "education_deduction": "education_deduction_limited",
            "job_housing": "job_housing_moved_out",
            "innovation": "innovation_award_or_position",
            "tax": "tax_three_year_total",
            "age": "age",
            "honour": "honour",
            "law": "law_since_commencement",
        },
    },
}  # fmt: skip


def score_person(person: Person, spec: RoundSpec) -> dict[str, int]:
    """The ten indicators and their plain sum."""
    counted = counted_months(person)
    listed = EDITIONS[spec.edition]["indicators"]
    scores = {name: INDICATORS[rule](person, counted, spec) for name, rule in listed.items()}
    scores["total"] = sum(scores.values())
    return scores


def judge_person(person: Person, spec: RoundSpec) -> dict[str, bool]:
    """The six conditions and whether all hold; one that the edition does not list holds."""
    listed = EDITIONS[spec.edition]["conditions"]
    conditions = {
        name: name not in listed or CONDITIONS[listed[name]](person, spec) for name in SIX
    }
    conditions["eligible"] = all(conditions.values())
    return conditions


# --- All persons --------------------------------------------------------------------------------


def rank_eligible(
    totals: dict[str, int], spec: RoundSpec
) -> tuple[dict[str, Ranked], int | None, int]:
    """Rank, line, settled and serial of the eligible; the line; how many stand exactly on it."""
    order = sorted(totals, key=lambda number: (-totals[number], number))
    if not order:
        return {}, None, 0
    line = totals[order[spec.quota - 1]] if len(order) >= spec.quota else totals[order[-1]]
    ranking = {}
    serial = 0
    for number in order:
        settled = totals[number] >= line
        if settled:
            serial += 1
        ranking[number] = Ranked(
            total=totals[number],
            rank=1 + len([other for other in order if totals[other] > totals[number]]),
            settled=settled,
            serial=spec.year * 100_000 + serial if settled else None,
        )
    return ranking, line, len([number for number in order if totals[number] == line])


def score_accepted(accepted: Accepted, spec: RoundSpec) -> Result:
    """Score, judge and rank what was accepted."""
    if spec.quota < 1:
        raise ValueError("a round has a quota of at least one")
    scores = {}
    eligibility = {}
    working = {}
    for person in gather(accepted, spec):
        number = person.application["application_no"]
        scores[number] = score_person(person, spec)
        eligibility[number] = judge_person(person, spec)
        working[number] = person.working
    totals = {
        number: scores[number]["total"] for number in scores if eligibility[number]["eligible"]
    }
    ranking, line, tied = rank_eligible(totals, spec)
    return Result(
        scores=scores,
        eligibility=eligibility,
        ranking=ranking,
        cutoff=line,
        tied_at_cutoff=tied,
        needs_review=accepted.needs_review,
        rejected=set(accepted.reasons),
        duplicates=accepted.duplicates,
        strangers=accepted.strangers,
        reasons=accepted.reasons,
        working=working,
    )


def score_round(feeds_dir: Path, spec: RoundSpec, max_rejects: float = 0.05) -> Result:
    """Score one round from a delivery directory, or raise `Refused`."""
    return score_accepted(accept(feeds_dir, spec, max_rejects), spec)
