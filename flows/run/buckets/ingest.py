"""Ingest in buckets: one exchange, then every bucket its own rows, then what is about everybody.

Applications, and what is about employers, are screened whole: an `application_no` may stand in two
buckets, and an employer's row is about people of all.  What `flows/run/ingest.py` leaves is left
here, the same bytes.
"""

from fractions import Fraction
from pathlib import Path

import polars as pl

from flows.common.by_name import read_table, schema_of
from flows.common.failures import FeedRefused
from flows.common.files import write_json, write_parts
from flows.kept.tables import NEEDS_REVIEW
from flows.run.buckets.accept import Accepted, accept_bucket, of_each
from flows.run.buckets.exchange import NONE_GONE, exchange, no_repeats, require_few
from flows.run.buckets.exchange_elsewhere import Exchanged, exchange_all
from flows.run.buckets.layout import OF_BUCKETS, WHOLE, complete, conflicting, prepare
from flows.run.buckets.merge import Ascending, merged
from flows.run.buckets.numbering import numbered, numbers, share_people
from flows.run.buckets.refused import by_share, every_refusal
from flows.run.buckets.sent_rows import sent
from flows.run.buckets.store import lend
from flows.run.buckets.tasks import elsewhere, of_buckets
from flows.run.buckets.whose import Whose
from flows.run.canaries import require_armed
from flows.run.drop_repeats import Repeats
from flows.run.ingest import (
    Counts,
    accept_feed,
    add_findings,
    all_refused,
    folders_of,
    keep_names,
    note_known,
    record_of,
    screen_all,
    write_rejects,
)
from flows.run.known import NO_BAR, findings_in, replaced_in
from flows.run.number_people import LARGEST, resolve, restrict
from flows.run.screening import Screened, screen, together
from schemas.feeds import accepted
from transforms.rounds import Round

DELIVERED = ("delivered/*/*.arrow", "keys/*.parquet")  # what a bucket accepts its rows from


def ingest_in_buckets(
    feeds: Path,
    this_round: Round,
    out: Path,
    buckets: int,
    *,
    max_rejects: Fraction,
    known: Path | None = None,
    bars: pl.Expr = NO_BAR,
) -> Path:
    """Accepted rows of all and of every bucket, rejects and the restricted tables below `out`."""
    require_armed()
    sent.forget_gone()
    folders = folders_of(feeds)
    whose, places = Whose(buckets), prepare(out, buckets)
    others = Exchanged({}, {}, {})  # what other processes did of it
    if elsewhere():
        others = exchange_all(folders, feeds, out, this_round.received_on, known, buckets)
    done = others.done

    def screen_one(feed: str) -> Screened:
        asked = (feed, folders[feed].parts, this_round.received_on)
        replaced = replaced_in(known, feed)
        if feed in WHOLE:
            return screen(*asked, max_rejects, replaced)
        if feed in others.refused:
            raise FeedRefused(others.refused[feed])
        if feed not in done:
            done[feed] = exchange(
                *asked, replaced=replaced, folders=places, whose=whose, as_texts=elsewhere()
            )
        require_few(feed, done[feed], max_rejects)
        return together(feed, done[feed], no_repeats(done[feed]))

    try:
        screened, delivered = screen_all(folders, screen_one, others.looked)
    except FeedRefused as failure:
        whole = {feed: done[feed] for feed in done if feed not in others.refused}
        raise every_refusal(failure, whole, places, max_rejects) from None
    added = add_findings(screened, findings_in(known), bars)
    keys = resolve(screened)
    applications = screened["applications"].rows
    restrict(applications, keys, out)
    keep_names(folders, out)
    counts = {feed: accept_feed(screened[feed], keys, out) for feed in WHOLE}
    share_people(keys, places, whose)
    share_out(out, keys.employers, places)
    by_bucket = of_buckets("buckets accepted", "accept", accept_bucket, places, takes=DELIVERED)
    sent.forget_gone()
    for feed in OF_BUCKETS:
        screened[feed] = together(feed, done[feed], repeats(feed, places, by_bucket))
    if late := by_share({feed: screened[feed] for feed in OF_BUCKETS}, max_rejects):
        raise all_refused(late)
    counts |= of_each(lambda feed: gather(feed, places, by_bucket, out))
    write_rejects(screened, applications, keys, this_round, out)
    share_table(out, Path("accepted") / f"{NEEDS_REVIEW}.parquet", places)
    record = record_of(screened, folders, delivered, counts)
    note_known(record, known, added)
    write_json(record, out / "delivery.json")
    return out / "delivery.json"


def share_out(out: Path, employers: pl.DataFrame, places: list[Path]) -> None:
    """Give every bucket what is about its people, and all that is about employers."""
    for place in places:
        complete([employers], place / "keys" / "employers.parquet")
    for feed in sorted(WHOLE):
        share_table(out, Path("accepted") / f"{feed}.parquet", places)
    share_table(out, Path("restricted") / "people.parquet", places)


def share_table(out: Path, path: Path, places: list[Path]) -> None:
    """Give every bucket the rows of a table about its people, and those about nobody."""
    if "person" not in schema_of(out / path):
        for place in places:
            lend(out / path, place / path)
        return
    rows = read_table(out / path)
    for place in places:
        complete([numbered(rows, place)], place / path)


def repeats(feed: str, places: list[Path], by_bucket: list[dict[str, Accepted]]) -> Repeats:
    """The repeats that the buckets found: how many, and the rows that contradict each other."""
    rows = pl.concat(read_table(conflicting(place, feed)) for place in places)
    return Repeats(NONE_GONE, sum(each[feed]["duplicates"] for each in by_bucket), rows)


def gather(
    feed: str, places: list[Path], by_bucket: list[dict[str, Accepted]], out: Path
) -> Counts:
    """The accepted rows of all buckets as one table, in its order."""
    path = Path("accepted") / f"{feed}.parquet"
    key = "row" if feed == LARGEST else "person"
    tables = [
        Ascending(place / path, key, numbers(place), by_number=key == "person") for place in places
    ]
    written = write_parts(merged(tables, columns=list(accepted(feed))), out / path)
    return Counts(written, sum(each[feed]["strangers"] for each in by_bucket))
