"""The round and the policy a run pinned, in whatever form they had then.

A rule may come to say its values in another way.  Then what it said before is put into today's form
here, by the name of the rule; a file that has all of today's values is in today's form already.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flows.common.settings import Order
from transforms.editions import edition
from transforms.policy import Edition
from transforms.units import types_of

Text = Mapping[str, Any]


def homes(*, registered: bool) -> Callable[[Text], Text]:
    """Residence before its kinds of home were a list: a rate of own homes and one of all others."""
    kinds = (
        ("own", False, "held"),
        ("dormitory", registered, "never"),
        ("rent", registered, "default"),
    )

    def as_a_list(text: Text) -> Text:
        rates = {own: text[f"centipoints_per_year_{own}"] for own in ("own", "other")}
        dated = {each["date"]: each for of in rates.values() for each in of["from"]}

        def rate(kind: str, day: Any) -> Any:
            past = rates["own" if kind == "own" else "other"]["from"]
            return [each["value"] for each in past if each["date"] <= day][-1]

        entries = [
            {
                **dated[day],
                "value": [
                    {
                        "kind": kind,
                        "centipoints_per_year": rate(kind, day),
                        "registered": asked,
                        "early": early,
                    }
                    for kind, asked, early in kinds
                ],
            }
            for day in sorted(dated)
        ]
        kept = {name: each for name, each in text.items() if not name.startswith("centipoints_")}
        return {**kept, "kinds": {**rates["own"], "from": entries}}

    return as_a_list


FORMER: dict[str, Callable[[Text], Text]] = {
    "residence": homes(registered=True),
    "residence_unregistered": homes(registered=False),
}


def as_today(make: type, name: str, text: Text) -> Text:
    """What a policy file says, as the rule wants it today."""
    if name not in FORMER or text.keys() >= types_of(make).keys():
        return text
    return FORMER[name](text)


class Pinned(Order):
    """A run of before as an order: its round and its policy are the ones pinned in its directory."""

    def edition(self) -> Edition:
        """The edition in force on the round's policy date."""
        return edition(self.data / "policy", self.round().policy_date, as_today)


def pinned(directory: Path, year: int, *, recheck: bool = False) -> Pinned:
    """The order of a run that lies in a directory."""
    return Pinned(year, directory, directory, directory / "pinned", recheck=recheck)
