"""The last section of explain looks ahead, with the points the same person would score by their facts."""

import json
from pathlib import Path

import polars as pl
import pytest
from people import facts_of

from flows.common.languages import Language
from flows.explain import explain
from flows.explain.words import Words
from flows.public.facts import read_facts
from flows.public.forward import forward
from flows.run.stages import Outcome


def applicant(run: Path, *, settled: bool) -> str:
    """Somebody who settled, or who may not apply."""
    held = pl.read_parquet(run / "eligibility.parquet")
    return str(held.filter(eligible=settled)["application_no"][1])


@pytest.mark.parametrize("language", Language)
def test_what_can_still_be_done(
    language: Language,
    small: Path,
    small_published: tuple[Path, Outcome],
    capsys: pytest.CaptureFixture[str],
) -> None:
    warehouse, outcome = small_published
    words = Words(language)
    heading = words.say("forward", "heading")
    number = applicant(Path(outcome.directory), settled=False)
    explain(warehouse, 2020, number, language)
    before, _, section = capsys.readouterr().out.partition(f"\n{heading}\n")
    assert words.say("page", "made_from") in before  # apart from all that looks back
    person = read_facts(json.dumps(facts_of(small, 2020)[number]))
    years = forward(person, years=12)["years"]
    rows = [line.split() for line in section.splitlines() if line.split()[0].isdigit()]
    assert [row[:2] for row in rows] == [[str(year["year"]), year["total"]] for year in years[1:]]
    settled = applicant(Path(outcome.directory), settled=True)
    explain(warehouse, 2020, settled, language)
    assert heading not in capsys.readouterr().out.splitlines()
