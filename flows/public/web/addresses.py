"""Where pages lie and what they call each other: on the server, and in a folder of files.

A template asks `at` and never writes an address, so that both have the same pages.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Addresses:
    """The addresses as one page writes them."""

    home: str
    calculator: str | None
    asset: Callable[[str], str]
    of_round: str  # with {year}
    of_list: str
    of_csv: str
    of_xlsx: str
    served: bool = True  # whether somebody answers questions there

    def round(self, year: int) -> str:
        """The announcement of a round."""
        return self.of_round.format(year=year)

    def list(self, year: int) -> str:
        """Its list."""
        return self.of_list.format(year=year)

    def csv(self, year: int) -> str:
        """Its list as CSV."""
        return self.of_csv.format(year=year)

    def xlsx(self, year: int) -> str:
        """Its list as XLSX."""
        return self.of_xlsx.format(year=year)


@cache
def static() -> dict[str, bytes]:
    """Style and script by name."""
    return {path.name: path.read_bytes() for path in sorted(STATIC.iterdir())}


@cache
def digest(name: str) -> str:
    """What changes whenever the file does, so that a browser may keep it."""
    return hashlib.sha256(static()[name]).hexdigest()[:12]


def served(name: str) -> str:
    """The address of style or script on the server."""
    return f"/static/{name}?v={digest(name)}"


SERVER = Addresses(
    home="/",
    calculator="/calculator",
    asset=served,
    of_round="/rounds/{year}",
    of_list="/rounds/{year}/list",
    of_csv="/rounds/{year}/list.csv",
    of_xlsx="/rounds/{year}/list.xlsx",
)


def in_folder(depth: int, calculator: str | None, asked: set[str] | None = None) -> Addresses:
    """The addresses in a folder of files, for a page so many folders below it; all are relative.

    What a page loads is added to `asked`.
    """
    up = "../" * depth

    def asset(name: str) -> str:
        if asked is not None:
            asked.add(name)
        return f"{up}{name}"

    return Addresses(
        home=f"{up}index.html",
        calculator=calculator,
        asset=asset,
        of_round=f"{up}{{year}}/index.html",
        of_list=f"{up}{{year}}/list.html",
        of_csv=f"{up}{{year}}/list.csv",
        of_xlsx=f"{up}{{year}}/list.xlsx",
        served=False,
    )
