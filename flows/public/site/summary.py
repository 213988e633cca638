"""`summary.json`: what a round came to, for programs; figures, dates and digests, and nobody.

Points are text with two decimals.  Fewer than twenty people who are not on the list are `<20`, and
figures from which their number would follow are null.
"""

from collections.abc import Mapping
from typing import Any

from flows.common.points import in_text
from flows.public.rounds.shown_round import ShownRound

FEW = "<20"


def summary(this_round: ShownRound, files: Mapping[str, str]) -> dict[str, Any]:
    """The figures of a round, and the digests of its files."""
    published = this_round.published_at
    return {
        "round": this_round.year,
        "edition": this_round.edition,
        "policy_date": this_round.policy_date.isoformat(),
        "reference_date": this_round.reference_date.isoformat(),
        "published_on": published and published.date().isoformat(),
        "rehearsal": this_round.rehearsal,
        "run_id": this_round.run_id,
        "manifest_sha256": this_round.manifest_sha256,
        "quota": this_round.quota,
        "applications": this_round.outside.applications,
        "eligible": this_round.outside.eligible,
        "settled": this_round.settled,
        "not_settled": FEW if this_round.outside.below is None else this_round.outside.below,
        "cutoff": in_points(this_round.line),
        "tied_at_cutoff": this_round.tied,
        "highest": in_points(this_round.highest),
        "segments": [
            {"place": place, "total": in_text(total)} for place, total in this_round.segments
        ],
        "files": {name: {"sha256": digest} for name, digest in files.items()},
    }


def in_points(centipoints: int | None) -> str | None:
    """Points as text; none where there are none."""
    return None if centipoints is None else in_text(centipoints)
