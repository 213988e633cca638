"""Where things are: the policy folder, a round and its edition, the version of the code."""

import re
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flows.common.failures import BadUsage
from transforms.policy import Edition, edition
from transforms.rounds import Round, load_round

HOME = Path(__file__).parents[2]
DATA = HOME / "data"
WAREHOUSE = Path("warehouse")
MAX_REJECTS = "0.05"
SHARE = re.compile(r"[0-9](\.[0-9]{1,18})?")


@dataclass(frozen=True)
class Order:
    """One run as asked for: small values only, so that Prefect shows a form and stores no frames."""

    year: int
    feeds: Path
    warehouse: Path = WAREHOUSE
    data: Path = DATA
    max_rejects: str = MAX_REJECTS
    recheck: bool = True

    def round(self) -> Round:
        """The round's file; raises PolicyError when there is none."""
        return load_round(self.data / "rounds", self.year)

    def edition(self) -> Edition:
        """The edition in force on the round's policy date."""
        return edition(self.data / "policy", self.round().policy_date)

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
