"""How policy and round files of earlier versions stated their values.

A run keeps the policy it was made with and is repeated, explained and compared by the code of today:
what its files say stays as it is, and a rule gets it in the form of today.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from pydantic.dataclasses import dataclass

from transforms.units import STRICT, Centipoints, Month

Values: TypeAlias = dict[str, Any]


class Form(NamedTuple):
    """The values a file stated then, and the same as the rule's `Params` want them."""

    stated: type
    as_now: Callable[[Values], Values]


@dataclass(frozen=True, config=STRICT)
class OwnAndOther:
    """Residence by two rates: own homes, and dormitories and rented homes."""

    first_month: Month
    filed_from: Month
    centipoints_per_year_own: Centipoints
    centipoints_per_year_other: Centipoints


def by_kind(*, registered: bool) -> Callable[[Values], Values]:
    """Residence as a table of kinds of home, all but the own home registered or not."""

    def as_now(stated: Values) -> Values:
        values = dict(stated)
        own = values.pop("centipoints_per_year_own")
        other = {
            "centipoints_per_year": values.pop("centipoints_per_year_other"),
            "registered": registered,
        }
        kinds = [
            {"kind": "own", "centipoints_per_year": own, "registered": False, "early": "held"},
            {"kind": "dormitory", **other, "early": "never"},
            {"kind": "rent", **other, "early": "default"},
        ]
        return {**values, "kinds": kinds}

    return as_now


FORMS: Mapping[str, Form] = {
    "residence": Form(OwnAndOther, by_kind(registered=True)),
    "residence_unregistered": Form(OwnAndOther, by_kind(registered=False)),
}


def form_of(rule: str, keys: set[str]) -> Form | None:
    """The earlier form whose values a file of a rule states; none where it is already today's."""
    form = FORMS.get(rule)
    return form if form and keys == set(form.stated.__annotations__) else None


def are_earlier_phases(value: object) -> bool:
    """Whether a round file of an earlier version lists its phases: by names, not by codes."""
    keys = {"name", "name_zh", "from"}
    return isinstance(value, list) and all(
        isinstance(each, dict) and keys <= set(each) <= keys | {"to"} for each in value
    )
