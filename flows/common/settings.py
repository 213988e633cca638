"""Where things are: the policy folder, a round and its edition, the version of the code."""

import re
import tomllib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from flows.common.failures import BadUsage
from schemas.identifiers import characters
from transforms.editions import edition
from transforms.policy import Edition
from transforms.rounds import Round, load_round

HOME = Path(__file__).parents[2]
DATA = HOME / "data"
WAREHOUSE = Path("warehouse")
MAX_REJECTS = "0.05"
LONGEST_REASON = 200
LIKE_AN_ID = re.compile("[0-9]{15}")  # so many digits in a row, whatever stands between them
PREFECT_PORT = 4200  # where `luohu server` listens, and `luohu serve` looks for it
WEB_PORT = 8080  # where `luohu web` listens
SHARE = re.compile(r"[0-9](\.[0-9]{1,18})?")


@cache
def of_buckets() -> dict[str, Any]:
    """How a large round is worked on; read when asked for, since a run keeps code without its data."""
    return tomllib.loads((DATA / "buckets.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Order:
    """One run as asked for: small values only, so that Prefect shows a form and stores no frames."""

    year: int
    feeds: Path
    warehouse: Path = WAREHOUSE
    data: Path = DATA
    max_rejects: str = MAX_REJECTS
    recheck: bool = True
    keep: bool = False  # the run is kept, and is not made current
    anyway: str | None = None  # why to publish what would be refused
    known: Path | None = None  # what comes beside feeds put together from deliveries

    def round(self) -> Round:
        """The round's file; raises PolicyError when there is none."""
        return load_round(self.data / "rounds", self.year)

    def edition(self) -> Edition:
        """The edition in force on the round's policy date."""
        return edition(self.data / "policy", self.round().policy_date)

    def reason(self) -> str | None:
        """Why to publish what would be refused; raises BadUsage for one that says nothing."""
        if self.anyway is None:
            return None
        words = self.anyway.strip()
        if not words or len(words) > LONGEST_REASON or not words.isprintable():
            raise BadUsage(
                f"--anyway: expected a reason in one line of 1 to {LONGEST_REASON} characters,"
                f" found {len(words)} characters{'' if words.isprintable() else ', not all printable'}"
            )
        if LIKE_AN_ID.search(characters(words)):
            raise BadUsage("--anyway: expected a reason without an ID number: it is published")
        return words

    def share(self) -> Fraction:
        """The largest share of bad rows a feed may have, exactly."""
        # digits only: Fraction takes 1e999999999 as well, and a year to write it out
        plain = SHARE.fullmatch(self.max_rejects)
        if not plain or Fraction(self.max_rejects) > 1:
            raise BadUsage(f"max_rejects: expected a share from 0 to 1, found {self.max_rejects}")
        return Fraction(self.max_rejects)


def luohu_version() -> str:
    """The installed version of luohu."""
    try:
        return version("luohu")
    except PackageNotFoundError:
        return "unknown"
