"""The table `settlements`."""

import polars as pl

from flows.process.tables.view import View, frame


def table(of: View) -> pl.DataFrame:
    """One row a place of each published list."""
    return frame(
        "settlements",
        (
            {
                "round": year,
                "serial": place.serial,
                "status": place.status,
                "since": place.since,
                "children": place.children,
            }
            for year, found in of.places.items()
            for place in found.values()
        ),
    )
