"""Tables as earlier versions wrote them, read under the names of today."""

from collections.abc import Collection, Iterable

# table -> column of today -> its name before
RENAMED = {
    "rejects": {"row_number": "row", "column_name": "column", "check_name": "check"},
}


def selected(table: str, wanted: Iterable[str], there: Collection[str]) -> str:
    """The columns of today for a SELECT from a table of any version; what it lacks is null."""
    return ", ".join(f'{source(table, name, there)} AS "{name}"' for name in wanted)


def source(table: str, name: str, there: Collection[str]) -> str:
    """Where a column of today stands in a table of any version."""
    known = (name, RENAMED.get(table, {}).get(name))
    return next((f'"{each}"' for each in known if each in there), "NULL")
