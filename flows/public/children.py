"""Until which round a child can come along (随迁子女): an age the notice of publication sets."""

import tomllib
from functools import lru_cache
from pathlib import Path

from flows.common.settings import DATA
from flows.public.written_rows import to_day


@lru_cache(maxsize=8)
def oldest(data: Path = DATA) -> int:
    """The most years a child may have completed."""
    known = tomllib.loads((data / "children.toml").read_text(encoding="utf-8"))
    return int(known["most_age"]["from"][-1]["value"])


def last_round(born_on: str, data: Path = DATA) -> int | None:
    """The last round in which a child born on a day can come along; nothing for no day.

    Age is counted on 1 January of the year before the round, and a birthday on that very day is not
    completed: so the year of birth decides, as it does for the applicant.
    """
    day = to_day(born_on)
    return day.year + oldest(data) + 2 if day else None
