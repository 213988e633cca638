"""The bounds of the changes that are tried: the values of `data/what_if.toml`."""

from datetime import date

from pydantic.dataclasses import dataclass

from flows.common.settings import DATA
from transforms.policy import params, rule
from transforms.units import STRICT, District, Years


@dataclass(frozen=True, config=STRICT)
class Bounds:
    """The age from which somebody may be employed, and a district outside the six."""

    youngest_worker_years: Years
    district_outside: District


def bounds(on: date) -> Bounds:
    """The bounds in force on a date."""
    return params(Bounds, rule(Bounds, DATA, "what_if", on))
