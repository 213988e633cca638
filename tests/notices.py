"""A round of a few people written by hand, one for each kind of notice, and a page as a person reads it."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
from commands import edited
from deciding import YEAR, ARound
from delivering import rows_file

from flows.common.settings import DATA, Order
from flows.run.stages import run
from schemas.columns import INSURANCES
from schemas.feeds import FEEDS
from schemas.identifiers import ID_CHECKS, ID_WEIGHTS, credit_check_character

Row = dict[str, Any]
QUOTA = 2
TEXT_OF_A_ROW = {"p", "li", "h1", "h2", "h3", "tr", "caption", "dd", "div", "dl", "br"}
CELLS = {"td", "th"}


def id_number(born: date, place: int) -> str:
    first = f"119900{born:%Y%m%d}{place:03}"
    return first + ID_CHECKS[sum(int(d) * w for d, w in zip(first, ID_WEIGHTS, strict=True)) % 11]


def credit_code(place: int) -> str:
    first = f"9111010{place:010}"
    return first + pl.select(credit_check_character(pl.lit(first))).item()


FIRM, POOR_FIRM, ODD_FIRM = map(credit_code, (1, 2, 3))
FIRMS = {
    FIRM: "北京市某某科技有限公司",
    POOR_FIRM: "某某商贸有限公司",
    ODD_FIRM: '"><script>alert(1)</script>&amp;<b>公司</b>',
}
# name, birth date, class, first insured month, employer
PEOPLE: dict[str, tuple[str, date, str, date, str]] = {
    "settled": ("陆安一", date(1979, 3, 9), "male_60", date(2004, 5, 1), FIRM),
    "tied": ("戚安二", date(1981, 1, 1), "female_55", date(2006, 1, 1), FIRM),
    "tied-too": ("邹安三", date(1981, 7, 2), "female_50", date(2006, 1, 1), FIRM),
    "below": ("喻安四", date(1984, 11, 30), "male_60", date(2009, 2, 1), FIRM),
    "one-month-short": ("柏安五", date(1980, 2, 29), "male_60", date(2007, 1, 1), FIRM),
    "under-review": ("水安六", date(1983, 6, 6), "female_55", date(2008, 1, 1), FIRM),
    "appeal-open": ("窦安七", date(1985, 5, 5), "male_60", date(2008, 3, 1), FIRM),
    "retired": ("章安八", date(1960, 6, 15), "male_60", date(2001, 1, 1), FIRM),
    "not-eligible": ("云安九", date(1982, 4, 1), "male_60", date(2010, 1, 1), POOR_FIRM),
    "hostile": (
        "<b>苏 &amp;'\"\n安十</b>",
        date(1983, 9, 9),
        "male_60",
        date(2008, 2, 1),
        ODD_FIRM,
    ),
}
IDS = {kind: id_number(each[1], place) for place, (kind, each) in enumerate(PEOPLE.items(), 1)}


def months(first: date, last: date) -> Iterator[date]:
    month = first
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def insured(kind: str, first: date, firm: str) -> Iterator[Row]:
    """Each month paid; somebody's firm forgot one."""
    for month in months(first, date(2021, 3, 1)):
        if kind == "one-month-short" and month == date(2017, 3, 1):
            continue
        back = kind == "below" and month == date(2015, 8, 1)
        yield {
            "person_id": IDS[kind], "month": month, "employer_id": firm,
            "work_district": 110114 if kind == "settled" and month.year > 2017 else 110105,
            **dict.fromkeys(INSURANCES, "back_paid" if back else "paid"),
            "recorded_on": month + timedelta(days=9),
        }  # fmt: skip


def rows() -> dict[str, list[Row]]:
    """Everything the departments have, feed by feed."""
    found: dict[str, list[Row]] = {feed: [] for feed in FEEDS}

    def add(feed: str, who: str, /, **row: Any) -> None:
        found[feed].append({"person_id": IDS[who], **row})

    for kind, (name, born, retirement_class, first, firm) in PEOPLE.items():
        add(
            "applications", kind, application_no=f"{YEAR}-{kind}", name=name, sex="M", birth_date=born,
            retirement_class=retirement_class, employer_id=firm, claims_education="true",
            submitted_at="2021-05-01T10:00:00",
        )  # fmt: skip
        found["social_insurance"] += insured(kind, first, firm)
        add(
            "education", kind, level="bachelor", has_diploma="true", has_degree="true",
            enrolled_on="2000-09-01", graduated_on="2004-07-01", verified="true",
        )  # fmt: skip
        if kind != "not-eligible":
            add("residence_permits", kind, valid_from="2016-08-01")
        home = {"kind": "rent", "district": 110105, "start_date": "2018-01-01"}
        add("housing", kind, **home, registered_on="2018-01-02")
        add(
            "tax", kind, treasury_date="2019-04-10", income_kind="comprehensive", amount_fen=123_456
        )
    for year in (2018, 2019, 2020):
        kind = "wage" if year == 2018 else "comprehensive"
        add(
            "tax", "settled", treasury_date=f"{year}-06-15", income_kind=kind, amount_fen=12_000_000
        )
    home = {"kind": "own", "district": 110114, "start_date": "2018-02-01"}
    add("housing", "settled", **home, registered_on="2018-02-01")
    add("awards", "settled", programme="某奖", scope="municipal", awarded_on="2018-01-05", points=3)
    add("housing", "under-review", **home | {"kind": "castle"}, registered_on="2018-02-01")
    add("detentions", "below", decided_on="2019-07-01")
    add("honours", "below", title="model_worker_provincial", awarded_on="2013-05-01")
    add("criminal_records", "not-eligible", sentenced_on="2012-01-01")
    found["sanctions"].append({"subject_id": IDS["not-eligible"], "found_on": "2018-05-01"})
    for code, name in FIRMS.items():
        found["employers"].append(
            {"employer_id": code, "name": name, "district": 110105, "high_tech": "true",
             "tech_sme": "false", "registered_in_beijing": "true", "tax_registered": "true",
             "tax_paying": "false" if code == POOR_FIRM else "true"}
        )  # fmt: skip
    return found


def notified(folder: Path) -> ARound:
    """The round, run on its feeds; nothing is in its ledger."""
    data = folder / "data"
    shutil.copytree(DATA, data)
    edited(data / "rounds" / f"{YEAR}.toml", "\nquota = 6000\n", f"\nquota = {QUOTA}\n")
    for feed, some in rows().items():
        rows_file(folder / "feeds" / feed / "part.csv", feed, some)
    found = ARound(folder / "w", data, folder / "feeds")
    run(Order(YEAR, found.feeds, found.warehouse, found.data, max_rejects="1"))
    return found


class Reading(HTMLParser):
    """A page line by line, the cells of a row side by side, as a person reads it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.lines: list[str] = [""]
        self.tags: list[str] = []
        self.skipped = False
        self.feed(page)
        lines = (" ".join(each.split()).strip(" |") for each in self.lines)
        self.text = "\n".join(filter(None, lines)) + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.skipped |= tag in {"style", "title"}
        if tag in CELLS:
            self.lines[-1] += " | "
        elif tag in TEXT_OF_A_ROW:
            self.lines.append("- " if tag == "li" else "")
        if tag in {"h2", "caption"}:
            self.lines[-1] += "## " if tag == "h2" else "### "

    def handle_endtag(self, tag: str) -> None:
        if tag in {"style", "title"}:
            self.skipped = False
        if tag in TEXT_OF_A_ROW:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.lines[-1] += data
