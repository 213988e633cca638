"""The letters of a round, or one of them: read, put together, and put where they were asked for."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from flows.common.access import OWN_FOLDER
from flows.common.appearing import appearing, naming_place, require_outside
from flows.common.files import written_aside
from flows.common.messages import message_without_values
from flows.common.progress import report
from flows.explain.receipts.applicants import Applicants, everybody, only
from flows.explain.receipts.compose import CHUNK, texts
from flows.explain.receipts.material import material
from flows.explain.receipts.source import Source, source
from flows.process.applications import require_application_no
from flows.process.places.bar import bars as bars_of
from flows.process.read import looked_at
from flows.public.letters.addressees import addressees
from flows.public.letters.batches import Batch, pages, write, written
from flows.public.letters.common import Common, common
from flows.public.letters.folder import file_of, holds_letters, require_place
from flows.public.letters.round_state import Standing, standing

STAGE = "letters"


@dataclass(frozen=True)
class Written:
    """What was written: the run, how many letters, whether the result is official."""

    run_id: str
    letters: int
    state: str


def write_letters(
    warehouse: Path,
    year: int,
    out: Path,
    *,
    data: Path,
    application_no: str | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Written:
    """Write the letters of the current run of a round to a folder, or the one of an application.

    One letter goes into a folder that has letters of the round already, beside the others.
    Raises a Failure that says what is wrong; nothing half is left.
    """
    if application_no is not None:
        require_application_no(application_no)
    out = Path(os.path.abspath(out))  # noqa: PTH100 (links are not followed)
    require_outside(out, warehouse)
    require_place(out, year)  # before a minute is spent
    with message_without_values(STAGE):
        state = looked_at(warehouse, data, year, say=say)
        report("reading the run", 0, 1)
        of_round = replace(standing(warehouse, year), bars=bars_of(state, warehouse, data, year))
        run = source(warehouse, year, of_round.run_id)
        people = everybody(run) if application_no is None else only(run, application_no)
        shared = common(run, of_round, data, rehearsal=state.rehearsal)
        some = batches(run, people, of_round)
        with naming_place(STAGE, out):
            if application_no is not None and holds_letters(out):
                add_one(some, shared, out)
            else:
                with appearing(out, lambda: require_place(out, year), OWN_FOLDER) as folder:
                    write_all(some, shared, folder, people.rows.height)
    return Written(run.run_id, people.rows.height, of_round.state)


def batches(run: Source, people: Applicants, of_round: Standing) -> Iterator[Batch]:
    """Receipts with what else letters of them say, some at a time, in the order of `people`."""
    if people.rows.is_empty():
        return
    coming = iter(addressees(run, people))
    for chunk in texts(material(people), run):
        to = list(islice(coming, chunk.len()))
        numbers = {each.application_no for each in to}
        appeals = {number: of_round.appeals[number] for number in numbers & of_round.appeals.keys()}
        bars = {number: of_round.bars[number] for number in numbers & of_round.bars.keys()}
        yield Batch(chunk.to_list(), to, appeals, of_round.places, bars)


def write_all(some: Iterator[Batch], shared: Common, folder: Path, expected: int) -> None:
    """Write every letter; a few in this process, which is quicker than to start others."""
    counts = (
        (write(each, shared, folder) for each in some)
        if expected <= CHUNK
        else written(some, shared, folder)
    )
    done = 0
    for count in counts:
        done += count
        report(STAGE, done, expected)


def add_one(some: Iterator[Batch], shared: Common, out: Path) -> None:
    """Put one letter beside others of the round, complete or not at all."""
    ((number, content),) = (one for each in some for one in pages(each, shared))
    out.chmod(OWN_FOLDER)
    with written_aside(out / file_of(number), private=True) as file:
        file.write(content)
