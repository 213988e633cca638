"""One person's facts, read from JSON: everything wrong with them is reported at once.

Nothing names the person: no ID number, no name.  What is left out and what it then means stands in
`written_rows.py`; what a row must be is asked of the feeds' models in `row_checks.py`.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.common.rounds import edition_of, is_assumed, round_of
from flows.common.settings import DATA
from flows.public.faults import BadFacts, Fault, key, shown
from flows.public.json_text import WHOLE, parsed
from flows.public.row_checks import failed, repeated
from flows.public.written_rows import Column, Row, Written, columns, expected_of, whole, written
from schemas.feeds import FEEDS
from transforms.policy import Edition, PolicyError
from transforms.rounds import Round

MOST_ROWS = 5_000
APPLICATION = {
    "birth_date": True,
    "retirement_class": True,
    "claims_education": False,
    "employer_id": False,
}
ON_RECORD = [feed for feed in FEEDS if feed != "applications"]
GOOD = ("registered_in_beijing", "tax_registered", "tax_paying")


@dataclass(frozen=True)
class Facts:
    """One person, who need not exist, and the round they are scored in.

    rows: every feed, as accepted but for the number of the person; an employer by its code, or none
    for the one nobody named.
    """

    this_round: Round
    rows: dict[str, list[Row]]
    data: Path = DATA

    @property
    def assumed(self) -> bool:
        """Whether the round has no file yet."""
        return is_assumed(self.this_round.year, self.data)

    @property
    def edition(self) -> Edition:
        """The edition in force in the round."""
        return edition_of(self.this_round.policy_date, self.data)

    @property
    def application(self) -> Row:
        """What the application says."""
        return self.rows["applications"][0]


def read_facts(text: bytes | str, data: Path = DATA) -> Facts:
    """Facts from JSON; raises BadFacts with every fault found."""
    return facts_of(parsed(text), data)


def facts_of(value: Any, data: Path = DATA) -> Facts:
    """Facts from what JSON stands for; raises BadFacts with every fault found."""
    if not isinstance(value, dict):
        raise BadFacts([Fault(WHOLE, "an object", shown(value))])
    faults = unknown(value, ("round", "application", "feeds"), "")
    this_round = None
    try:
        this_round = year_asked(value, data)
    except BadFacts as bad:
        faults += bad.faults
    feeds, of_feeds = lists_of(value.get("feeds", {}))
    faults += of_feeds
    require_few(feeds)
    rows = {
        feed: [written(feed, f"feeds.{feed}[{n}]", each) for n, each in enumerate(given)]
        for feed, given in feeds.items()
    }
    require_few(feeds, sum(each.rows for given in rows.values() for each in given))
    rows["applications"] = [application(value)]
    received_on = this_round.received_on if this_round else None
    made: dict[str, list[Row]] = {feed: [] for feed in FEEDS}
    for feed, given in rows.items():
        made[feed], found = checked(feed, given, received_on)
        faults += found
    if faults or this_round is None:
        raise BadFacts(faults)
    return Facts(this_round, defaulted(made, feeds, this_round), data)


def year_asked(value: dict[str, Any], data: Path) -> Round:
    """The round; raises BadFacts where there is none."""
    year = value.get("round")
    if type(year) is not int:
        came = shown(year) if "round" in value else "nothing"
        raise BadFacts([Fault("round", "a year", came)])
    try:
        return round_of(year, data)
    except PolicyError as error:
        expected, _, _ = str(error).removeprefix("expected ").partition(", found")
        raise BadFacts([Fault("round", expected, shown(year))]) from None


def lists_of(value: Any) -> tuple[dict[str, list[Any]], list[Fault]]:
    """The feeds that are given, a list each."""
    if not isinstance(value, dict):
        return {}, [Fault("feeds", "an object", shown(value))]
    faults = unknown(value, ON_RECORD, "feeds.")
    feeds = {}
    for feed in ON_RECORD:
        if isinstance(given := value.get(feed, []), list):
            feeds.update({feed: given} if feed in value else {})
        else:
            faults.append(Fault(f"feeds.{feed}", "a list", shown(given)))
    return feeds, faults


def unknown(value: dict[str, Any], names: Any, path: str) -> list[Fault]:
    """Keys that mean nothing."""
    expected = f"one of {', '.join(names)}"
    return [
        Fault(f"{path}{key(name)}", expected, "a key of no meaning")
        for name in value
        if name not in names
    ]


def require_few(feeds: dict[str, list[Any]], rows: int | None = None) -> None:
    """Raise BadFacts for more rows than anybody has; months of a range count one by one."""
    found = sum(map(len, feeds.values())) if rows is None else rows
    if found > MOST_ROWS:
        raise BadFacts(
            [Fault("feeds", f"at most {MOST_ROWS:,} rows, months counted", f"{found:,}")]
        )


def application(value: dict[str, Any]) -> Written:
    """The application: who claims what, and which employer files."""
    given = value.get("application")
    if not isinstance(given, dict):
        came = shown(given) if "application" in value else "nothing"
        return Written("application", {}, [Fault("application", "an object", came)])
    faults = unknown(given, APPLICATION, "application.")
    own = {name: each for name, each in given.items() if name in APPLICATION}
    made = written("applications", "application", own)
    needed = {f"application.{name}" for name, must in APPLICATION.items() if must or name in given}
    return made._replace(faults=[*faults, *(each for each in made.faults if each.path in needed)])


def checked(
    feed: str, given: list[Written], received_on: date | None
) -> tuple[list[Row], list[Fault]]:
    """The rows of a feed made whole, and what is wrong with them."""
    faults = [fault for each in given for fault in each.faults]
    pairs = [(row, each.path) for each in given if not each.faults for row in whole(feed, each.row)]
    rows, places = [row for row, _ in pairs], [place for _, place in pairs]
    if rows:
        faults += failed(feed, rows, places, received_on)
        faults += repeated(feed, rows, places)
    once = FEEDS[feed].keys and feed != "applications"
    return (list({tuple(row.values()): row for row in rows}.values()) if once else rows), faults


def defaulted(
    rows: dict[str, list[Row]], given: dict[str, list[Any]], this_round: Round
) -> dict[str, list[Row]]:
    """The rows with what stands for a feed that was left out."""
    filed = rows["applications"][0]
    if filed["claims_education"] is None:
        filed["claims_education"] = True
    if "residence_permits" not in given:
        rows["residence_permits"] = [{"valid_from": this_round.permit_date, "valid_to": None}]
    register = {row["employer_id"] for row in rows["employers"]}
    if "employers" not in given:  # the employer that files meets every condition
        rows["employers"] = [in_order(filed["employer_id"])]
    elif rows["employers"] and None not in register:
        rows["employers"].append(in_order(None))
    return rows


def in_order(employer_id: str | None) -> Row:
    """An employer that meets every condition and is in no class that earns anything."""
    column: dict[str, Column] = columns("employers")
    flags = {
        name: name in GOOD for name, each in column.items() if expected_of(each) == "true or false"
    }
    return {"employer_id": employer_id, "name": "", "district": None, **flags}
