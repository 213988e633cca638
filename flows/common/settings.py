"""Where things are: the policy folder, a round and its edition, the version of the code."""

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
PREFECT_PORT = 4200  # where `luohu server` listens, and `luohu serve` looks for it


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
        try:
            share = Fraction(self.max_rejects)
        except (ValueError, ZeroDivisionError):
            share = Fraction(-1)
        if not 0 <= share <= 1:
            raise BadUsage(f"max_rejects: expected a share from 0 to 1, found {self.max_rejects}")
        return share


def luohu_version() -> str:
    """The installed version of luohu."""
    try:
        return version("luohu")
    except PackageNotFoundError:
        return "unknown"
