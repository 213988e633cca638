"""Prove that the validator is switched on, before any row is accepted.

Known-bad rows go through the same schema objects and the same function as the feeds; one that
passes stops the run.  This catches pandera switched off by its environment variables, a lazy frame
slipped in (pandera then looks at names and types only), and an upgrade that changed a check.
"""

import tomllib
from typing import Any

import polars as pl
from pandera.config import ValidationDepth, get_config_global

from flows.common.failures import ValidatorBroken
from flows.common.settings import DATA
from flows.run.check_rows import failures
from schemas.feeds import FEEDS

CANARIES = DATA / "canaries.toml"


def require_armed() -> None:
    """Raise ValidatorBroken when pandera is switched off or set to look less closely."""
    config = get_config_global()
    if not config.validation_enabled:
        raise ValidatorBroken(
            "pandera is switched off: expected PANDERA_VALIDATION_ENABLED unset or True"
        )
    if config.validation_depth not in (None, ValidationDepth.SCHEMA_AND_DATA):
        raise ValidatorBroken(
            f"pandera checks only {config.validation_depth.value}:"
            " expected PANDERA_VALIDATION_DEPTH unset or SCHEMA_AND_DATA"
        )


def prove_validator() -> None:
    """Raise ValidatorBroken when a known-bad row passes, or pandera is set to look less closely."""
    require_armed()
    canaries = tomllib.loads(CANARIES.read_text(encoding="utf-8"))
    for feed in FEEDS:
        release(feed, canaries[feed])


def release(feed: str, canary: dict[str, Any]) -> None:
    """Send the good row and every bad one of a feed through its schema."""
    schema = FEEDS[feed].schema()
    bad = canary["bad"] + [
        {"column": name, "expected": "not_null", "value": None}
        for name, column in schema.columns.items()
        if not column.nullable
    ]
    types = {name: column.dtype.type for name, column in schema.columns.items()}
    # a categorical starts as text
    written = {n: pl.String if isinstance(t, pl.Categorical) else t for n, t in types.items()}
    good_and_bad = [canary["good"], *(spoilt(canary["good"], each) for each in bad)]
    rows = pl.DataFrame(good_and_bad, schema=written).cast(types)
    caught = set(failures(rows, schema).select("index", "column_name", "check_name").iter_rows())
    if any(index == 0 for index, _, _ in caught):
        raise ValidatorBroken(f"{feed}: a good row was refused by the validator")
    for index, each in enumerate(bad, start=1):
        if (index, each["column"], each["expected"]) not in caught:
            raise ValidatorBroken(
                f"{feed}: a known-bad row passed the validator:"
                f" {each['column']} against {each['expected']}"
            )


def spoilt(good: dict[str, Any], bad: dict[str, Any]) -> dict[str, Any]:
    """The good row with one value spoilt, or without some columns."""
    if "without" in bad:
        return {name: value for name, value in good.items() if name not in bad["without"]}
    return good | {bad["column"]: bad["value"]}
