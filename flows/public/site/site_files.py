"""Every file of the site by its address: the same rounds give the same bytes, wherever and whenever."""

import hashlib
from collections.abc import Iterator

from flows.common.files import json_bytes
from flows.common.progress import report
from flows.public.rounds.listed import list_csv, list_xlsx
from flows.public.rounds.shown_round import Shown, ShownRound
from flows.public.site.summary import summary
from flows.public.web.addresses import in_folder, static
from flows.public.web.home_page import home_page
from flows.public.web.list_page import list_html
from flows.public.web.round_page import round_page

INDEX, SUMS = "index.html", "SHA256SUMS"

Files = Iterator[tuple[str, bytes]]


def files(shown: Shown, calculator: str | None) -> Files:
    """Address and bytes of each file, the digests of all others last."""
    digests: dict[str, str] = {}
    asked: set[str] = set()
    for address, content in whole(shown, calculator, asked):
        digests[address] = hashlib.sha256(content).hexdigest()
        yield address, content
    lines = (f"{digest}  {address}\n" for address, digest in sorted(digests.items()))
    yield SUMS, "".join(lines).encode()


def whole(shown: Shown, calculator: str | None, asked: set[str]) -> Files:
    """The files without their digests: pages, what belongs to each round, and what pages load."""
    yield INDEX, page(home_page(shown, in_folder(0, calculator, asked)))
    for done, this_round in enumerate(shown.values()):
        report(f"round {this_round.year}", done, len(shown))
        yield from of_round(this_round, calculator, asked)
    for name in sorted(asked):
        yield name, static()[name]


def of_round(this_round: ShownRound, calculator: str | None, asked: set[str]) -> Files:
    """The files of a round."""
    at = in_folder(1, calculator, asked)
    lists = {"list.csv": list_csv(this_round), "list.xlsx": list_xlsx(this_round)}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in lists.items()}
    for name, content in {
        INDEX: page(round_page(this_round, at)),
        "list.html": page(list_html(this_round, at)),
        **lists,
        "summary.json": json_bytes(summary(this_round, digests)),
    }.items():
        yield f"{this_round.year}/{name}", content


def page(text: str) -> bytes:
    """A page as it is written."""
    return f"{text}\n".encode()
