"""What the database says of a round beside its run: state, appeals, and what became of places."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from flows.common.database import DATABASE, message_of_database, open_read_only
from flows.process.places.bar import Bar

PUBLISHED, PRELIMINARY = "published", "preliminary"
PENDING = "pending"
ENTITLED, REGISTERED, CANCELLED = "entitled", "registered", "cancelled"
QUESTIONS = (
    "SELECT run_id, state, published_at::DATE FROM rounds WHERE round = ?",
    (
        "SELECT application_no, appeal_id, subject, kind, status, filed_at::DATE, decided_at::DATE"
        " FROM appeals WHERE round = ? ORDER BY application_no, filed_at, appeal_id"
    ),
    "SELECT serial, status, since::DATE FROM settlements WHERE round = ?",
)


class Appeal(NamedTuple):
    """A 复查 or 申诉 of an applicant, and what came of it."""

    application_no: str
    appeal_id: str
    subject: str
    kind: str
    status: str
    filed_on: date
    decided_on: date | None


class Place(NamedTuple):
    """What became of a place of the published list."""

    status: str
    since: date


@dataclass(frozen=True)
class Standing:
    """A round as it stands: its current run, whether that is the official result, and what was contested."""

    run_id: str | None = None
    published_on: date | None = None
    appeals: dict[str, tuple[Appeal, ...]] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    bars: Mapping[str, Bar] = field(default_factory=dict)  # by application number

    @property
    def state(self) -> str:
        """Published or preliminary."""
        return PRELIMINARY if self.published_on is None else PUBLISHED


def standing(warehouse: Path, year: int) -> Standing:
    """How a round stands, all of it as the database showed it at one moment."""
    with open_read_only(warehouse) as database, message_of_database(warehouse / DATABASE):
        rounds, filed, places = (database.execute(each, [year]).fetchall() for each in QUESTIONS)
    run_id, state, published_on = rounds[0] if rounds else (None, PRELIMINARY, None)
    by_number = groupby((Appeal(*each) for each in filed), attrgetter("application_no"))
    return Standing(
        run_id,
        published_on if state == PUBLISHED else None,
        {number: tuple(each) for number, each in by_number},
        {serial: Place(status, since) for serial, status, since in places},
    )
