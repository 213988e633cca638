"""Models as declared are the models pandera checks with: the same columns, of the same types."""

import polars as pl

from schemas.feeds import FEEDS
from schemas.models import columns
from schemas.results import PUBLISHED, REGISTERS, TABLES


def test_what_is_declared_is_what_pandera_checks() -> None:
    models = {feed: delivery.model for feed, delivery in FEEDS.items()}
    for name, model in {**models, **TABLES, **PUBLISHED, **REGISTERS}.items():
        declared, checked = columns(model), model.to_schema().columns
        assert list(declared) == list(checked), name
        for column, about in declared.items():
            found = checked[column]
            same = found.dtype.type == about.type or (
                isinstance(about.type, pl.Categorical) and found.dtype.type == pl.Categorical
            )
            assert same, (name, column)
            assert (found.nullable, found.metadata) == (about.nullable, about.metadata)


def test_checks_of_a_model_are_those_it_declares() -> None:
    named = {check.name for check in FEEDS["applications"].schema().columns["person_id"].checks}
    assert "id_number" in named
    assert FEEDS["education"].schema().columns["has_diploma"].checks
