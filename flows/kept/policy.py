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

    def kinds(text: Text) -> Text:
        own, other = (text[f"centipoints_per_year_{kind}"] for kind in ("own", "other"))
        rows = [
            {"kind": kind, "centipoints_per_year": rate, "registered": asked, "early": early}
            for kind, rate, asked, early in (
                ("own", own["from"][-1]["value"], False, "held"),
                ("dormitory", other["from"][-1]["value"], registered, "never"),
                ("rent", other["from"][-1]["value"], registered, "default"),
            )
        ]
        kept = {name: each for name, each in text.items() if not name.startswith("centipoints_")}
        return {**kept, "kinds": {**own, "from": [{**own["from"][-1], "value": rows}]}}

    return kinds


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
