"""Why an applicant has their points, for a person: the receipt of a run as a page, in two languages.

The receipt says what counted; `flows.explain.what_if` says what the smallest single change would have been.
"""

from pathlib import Path
from typing import Any

from flows.common.languages import Language
from flows.common.messages import told_without_values
from flows.explain.law import law
from flows.explain.page import show
from flows.explain.receipts import receipt
from flows.explain.still_possible import show_still_possible
from flows.explain.what_if import nearest
from flows.explain.what_if.as_json import as_json
from flows.explain.words import Words
from flows.kept.past_run import past_run, pinned


def explain(warehouse: Path, year: int, application_no: str, language: Language) -> None:
    """Print the page of one application of the published run of a round.

    Raises NotFound that says what there is, CheckFailed when the run was tampered with.
    """
    found = receipt(warehouse, year, application_no)
    past = past_run(warehouse, year, found["run_id"])
    words = Words(language)
    in_force = law(pinned(past.directory, year).edition(), words)
    with told_without_values("explain"):
        show(found, nearest(past, application_no), in_force, words)
        if not found["standing"]["settled"]:
            show_still_possible(past, application_no, words)


def what_if(warehouse: Path, year: int, application_no: str) -> dict[str, Any]:
    """What would have been enough, for machines; raises as `explain` does."""
    run_id = receipt(warehouse, year, application_no)["run_id"]
    with told_without_values("explain"):
        return as_json(nearest(past_run(warehouse, year, run_id), application_no))
