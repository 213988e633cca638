"""What a database must not lack: reported where it is read, since a page would find it too late."""

import polars as pl

from schemas import models
from schemas.results import INDICATORS, PUBLISHED, REGISTERS

MONTH = r"^\d{4}-\d{2}$"


def require_values(table: str, found: pl.DataFrame) -> pl.DataFrame:
    """The rows; raises ValueError where a column has a null that its model does not allow."""
    columns = models.columns({**REGISTERS, **PUBLISHED}[table])
    always = [name for name in found.columns if name in columns and not columns[name].nullable]
    if any(found[name].null_count() for name in always):
        raise ValueError(table)
    return found


def require_months(born: pl.Series) -> None:
    """Raise ValueError where a month of birth is not a month."""
    if not born.str.contains(MONTH).all():
        raise ValueError(born.name)


def require_titles(titled: pl.Series, people: pl.DataFrame) -> None:
    """Raise ValueError where an indicator with points has no title, or a title belongs to no indicator."""
    there = {name for name in INDICATORS if people[name].count()}
    if not titled.len() or not there <= set(titled) <= set(INDICATORS):
        raise ValueError(titled.name)
