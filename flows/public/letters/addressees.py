"""Whom letters go to: name and employer of each applicant, from the restricted tables of the run."""

from typing import NamedTuple

import polars as pl

from flows.common.by_name import scan_table
from flows.common.shapes import visible
from flows.explain.receipts.applicants import Applicants
from flows.explain.receipts.source import Source
from flows.kept.salts import PEOPLE


class Addressee(NamedTuple):
    """An applicant as a letter calls them; no employer where none is registered."""

    application_no: str
    name: str
    employer: str | None


def addressees(run: Source, people: Applicants) -> list[Addressee]:
    """Everybody who gets a letter, in the order of `people`."""
    names = scan_table(run.directory / PEOPLE).select("application_no", "name")
    filed = run.feed("applications").select("application_no", "employer")
    firms = run.feed("employers").select("employer", firm="name")
    rows = (
        people.rows.lazy()
        .select("application_no")
        .join(names, on="application_no", maintain_order="left", validate="1:1")
        .join(filed, on="application_no", how="left", maintain_order="left", validate="1:1")
        .join(firms, on="employer", how="left", maintain_order="left", validate="m:1")
        .select("application_no", pl.col("name", "firm").cast(pl.String))
        .collect()
    )
    return [
        Addressee(number, shown(name), None if firm is None else shown(firm))
        for number, name, firm in rows.iter_rows()
    ]


def shown(text: str) -> str:
    """A name on one line, without what could steer a page."""
    return visible(" ".join(text.split()))
