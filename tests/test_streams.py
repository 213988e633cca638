"""Rows on their way to a bucket are the rows that left, and nobody takes them for other people's."""

import multiprocessing
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flows.common.failures import StageFailed
from flows.run.buckets.layout import OF_BUCKETS
from flows.run.buckets.sent_rows import received, send, sent, types
from schemas.columns import PersonId

EXAMPLES: dict[type[pl.DataType], list[object]] = {
    pl.Boolean: [True, False, None],
    pl.String: ["一", "", None],
    pl.Int32: [110108, 0, None],
    pl.Int64: [1, -1, None],
    pl.UInt32: [0, 1, 2**32 - 1],
}


def rows_of(feed: str) -> pl.DataFrame:
    """Three rows, the last of them without most values."""
    return pl.DataFrame(
        [
            pl.Series(name, values(kind), strict=False).cast(kind)
            for name, kind in types(feed).items()
        ]
    )


def values(kind: pl.DataType) -> list[object]:
    """Values a column may have."""
    if isinstance(kind, pl.Categorical):
        return ["10000019800101001A", "91110000TESTTEST0X", None]
    if isinstance(kind, pl.Enum):
        return [*kind.categories[:1], *kind.categories[-1:], None]
    return EXAMPLES.get(type(kind), [0, 20_000, None])


@pytest.mark.parametrize("as_texts", [True, False])
@pytest.mark.parametrize("feed", OF_BUCKETS)
def test_rows_arrive_as_they_left(feed: str, as_texts: bool, tmp_path: Path) -> None:
    rows = rows_of(feed)
    send(rows, tmp_path / "0.arrow", as_texts=as_texts)
    assert_frame_equal(received(tmp_path / "0.arrow", feed), rows)
    send(rows.clear(), tmp_path / "1.arrow", as_texts=as_texts)
    assert_frame_equal(received(tmp_path / "1.arrow", feed), rows.clear())


def test_numbers_stay_those_of_the_people_whose_rows_were_let_go(tmp_path: Path) -> None:
    """polars gives codes to others once there is no column with codes; and a run that failed is forgotten."""
    kind = types("tax")["person_id"]
    for people in (["a", "b"], ["c", "d"]):
        rows = rows_of("tax")[:2].with_columns(pl.Series("person_id", people).cast(kind))
        send(rows, tmp_path / f"{people[0]}.arrow", as_texts=False)
        del rows
    for people in (["a", "b"], ["c", "d"]):
        path = tmp_path / f"{people[0]}.arrow"
        assert received(path, "tax")["person_id"].cast(pl.String).to_list() == people
        path.unlink()
    sent.forget_gone()
    assert [each for each in sent.paths if each.is_relative_to(tmp_path)] == []
    assert (sent.held is None) == (not sent.paths)


def send_from_elsewhere(folder: Path) -> None:
    """Send rows by a process that knows other numbers for the same people."""
    known = pl.Series(["somebody else", "and another"]).cast(PersonId)
    for as_texts in (True, False):
        send(rows_of("tax"), folder / str(as_texts) / "0.arrow", as_texts=as_texts)
    assert known.len()


def test_numbers_of_another_process_are_refused(tmp_path: Path) -> None:
    other = multiprocessing.get_context("spawn").Process(
        target=send_from_elsewhere, args=(tmp_path,)
    )
    other.start()
    other.join()
    assert other.exitcode == 0
    assert_frame_equal(received(tmp_path / "True" / "0.arrow", "tax"), rows_of("tax"))
    with pytest.raises(StageFailed, match="tax: expected ID numbers as texts, found those of"):
        received(tmp_path / "False" / "0.arrow", "tax")
