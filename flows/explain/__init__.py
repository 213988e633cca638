"""Why an applicant has their points, for a person: the receipt of a run as a page, in two languages.

The receipt says what counted; `flows.explain.what_if` says what the smallest single change would have been.
"""

from pathlib import Path
from typing import Any

from flows.common.languages import Language
from flows.common.messages import message_without_values
from flows.explain.law import law
from flows.explain.page import show
from flows.explain.receipts import receipt_in
from flows.explain.receipts.source import source_of, vouched_run
from flows.explain.still_possible import show_still_possible
from flows.explain.what_if import nearest
from flows.explain.what_if.accepted_rows import numbered_person, records
from flows.explain.what_if.as_json import as_json
from flows.explain.words import Words


def explain(warehouse: Path, year: int, application_no: str, language: Language) -> None:
    """Print the page of one application of the published run of a round.

    Raises NotFound that says what there is, CheckFailed when the run was tampered with.
    """
    with message_without_values("receipt"):
        past = vouched_run(warehouse, year)
        run = source_of(past)
        found = receipt_in(run, application_no)
    words = Words(language)
    with message_without_values("explain"):
        own = records(past.directory, [numbered_person(past.directory, application_no)])
        show(found, nearest(past, application_no, own), law(run.edition, words), words)
        if not found["standing"]["settled"]:
            show_still_possible(past, own, words)


def what_if(warehouse: Path, year: int, application_no: str) -> dict[str, Any]:
    """What would have been enough, for machines; raises as `explain` does."""
    with message_without_values("receipt"):
        past = vouched_run(warehouse, year)
        receipt_in(source_of(past), application_no)
    with message_without_values("explain"):
        return as_json(nearest(past, application_no))
