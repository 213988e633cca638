"""Shares add up to the difference, whatever the results of the combinations are."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.audit.diff.attribution import FLAGS, POINTS, Effect, Results, Span, attribution


@st.composite
def cases(draw: st.DrawFn) -> tuple[Span, list[Effect]]:
    """Any results at all of up to four causes."""
    rows = draw(st.integers(1, 4))

    def results() -> Results:
        flags = np.array(draw(st.lists(st.booleans(), min_size=rows * 2, max_size=rows * 2)))
        present = np.array([[there] for there in here])
        return Results(
            np.array(
                draw(st.lists(st.integers(-300, 300), min_size=rows * 11, max_size=rows * 11))
            ).reshape(rows, 11),
            np.hstack([present, flags.reshape(rows, 2)]),
        )

    here = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    start = results()
    then = draw(st.sampled_from([start, results()]))
    here = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    end = results()
    now = draw(st.sampled_from([end, results()]))
    names = draw(st.sampled_from([["data"], ["data", "policy"], ["data", "policy", "code"]]))
    effects = (
        [Effect(names[0], end, start)]
        if len(names) == 1
        else [Effect(name, results(), results()) for name in names]
    )
    return Span(then, start, end, now, "aside"), effects


@settings(max_examples=150, deadline=None)
@given(cases())
def test_shares_add_up_whatever_the_results(case: tuple[Span, list[Effect]]) -> None:
    span, effects = case
    found = attribution(span, effects)
    sums = {
        (place, measure): amount
        for place, measure, amount in found.group_by("application", "measure")
        .agg(pl.col("amount").sum())
        .iter_rows()
    }
    both = span.then.flags[:, 0] & span.now.flags[:, 0]
    for place, name, before, after in cells(span):
        counted = both[place] or name in {"present", "settled"}
        assert sums.get((place, name), 0) == (after - before if counted else 0), name
    flags_told = found.filter(pl.col("measure").is_in(FLAGS))
    assert not flags_told.select("application", "measure").is_duplicated().any()
    assert (flags_told["amount"].abs() == 1).all()
    assert (found["amount"] != 0).all()
    if len(effects) == 1 and span.then is span.start and span.end is span.now:
        assert set(found["cause"]) <= {"data"}


def cells(span: Span) -> Iterator[tuple[int, str, int, int]]:
    for place in range(len(span.then.points)):
        for column, name in enumerate(POINTS):
            yield (
                place,
                name,
                int(span.then.points[place, column]),
                int(span.now.points[place, column]),
            )
        for column, name in enumerate(FLAGS):
            yield (
                place,
                name,
                int(span.then.flags[place, column]),
                int(span.now.flags[place, column]),
            )
