"""What `rounds` has beside what a run says: state and counts of what came after the publication."""

from collections import Counter
from typing import Any

import polars as pl

from flows.process.places.standing import CANCELLED, LAPSED, REGISTERED, WITHDRAWN
from flows.process.publication.official import official
from flows.process.tables.view import View, frame, in_table
from schemas.process import PRELIMINARY

COUNTED = (CANCELLED, WITHDRAWN, LAPSED, REGISTERED)


def table(of: View) -> pl.DataFrame:
    """One row a round that has a current run."""
    return frame(
        "rounds",
        ({"round": year, **PRELIMINARY, **state(of, year)} for year in sorted(of.current)),
    )


def state(of: View, year: int) -> dict[str, Any]:
    """What a published round has; nothing for one that is not published."""
    result = official(of.state, year)
    if result is None:
        return {}
    found = of.places.get(year, {}).values()
    by_status = Counter(each.status for each in found)
    return {
        "state": "published",
        "published_at": in_table(result.entry.moment),
        **{name: by_status[name] for name in COUNTED},
        "children": sum(each.children or 0 for each in found if each.status == REGISTERED),
    }
