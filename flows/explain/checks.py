"""Why a condition is not met: each check that failed, the same one of several insurances together."""

from typing import Any

from flows.explain.words import Words

OF_INSURANCE = ("months_back_paid", "months")


def failed(rule: dict[str, Any], words: Words) -> list[str]:
    """The failed checks of a condition in sentences."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for check in rule["checks"]:
        if not check["holds"]:
            name, insurance = kind_of(check["check"])
            asked = {key: value for key, value in check.items() if key != "check"}
            groups.setdefault((name, tuple(asked.items())), []).append(insurance)
    return [
        words.say(
            "check",
            name,
            **dict(asked),
            insurances=words.listed(words.shown("insurance", each) for each in of if each),
        )
        for (name, asked), of in groups.items()
    ]


def kind_of(check: str) -> tuple[str, str]:
    """The name of a check without the insurance it is about, and the insurance."""
    for prefix in OF_INSURANCE:
        if check.startswith(f"{prefix}_"):
            return prefix, check.removeprefix(f"{prefix}_")
    return check, ""
