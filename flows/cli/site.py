"""`luohu site`: the published rounds as a folder of files."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from flows.cli.arguments import Warehouse
from flows.cli.messages import one_message, shown
from flows.cli.streams import show, work_is_done
from flows.common.failures import BadUsage
from flows.common.settings import WAREHOUSE

LONGEST_SHOWN = 60


def site(
    out: Annotated[
        Path, typer.Option(help="The folder; a new one, or an earlier site, which is replaced.")
    ],
    warehouse: Warehouse = WAREHOUSE,
    calculator: Annotated[
        str | None,
        typer.Option(help="Where the calculator is (http:// or https://); without it, no link."),
    ] = None,
) -> None:
    """Write the published rounds as one folder of pages that needs no server.

    It works from a disk, a USB stick or any web server, without script too (searching needs script), and
    its addresses never change:

      index.html           the rounds, year by year
      2020/index.html      the announcement
      2020/list.html       公示名单, the whole list; also list.csv and list.xlsx
      2020/summary.json    figures, dates and digests for programs; nobody is in it
      SHA256SUMS           of every file: sha256sum -c SHA256SUMS

    The same rounds give the same bytes.  A round that is not published is nowhere in it.  The folder is
    complete or absent: it is written aside and takes its place in one step.

    Exit status: 0 written; 2 no round is published, or the folder holds something else.

    [bold]Examples[/]

      luohu site --out site
      luohu site --out /srv/www/luohu --warehouse /srv/luohu --calculator https://example.org/calculator
    """
    from flows.public.site.write import write_site

    with one_message():
        address = web_address(calculator)
        with shown():
            done = write_site(warehouse, out, address)
        work_is_done()
        show(
            [
                str(done.out / "index.html"),
                f"rounds: {', '.join(map(str, done.rounds))}",
                f"files:  {done.files:,}; `sha256sum -c SHA256SUMS` in the folder checks them",
            ]
        )


def web_address(text: str | None) -> str | None:
    """The address of a page on the web; raises BadUsage for another text."""
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        fits = False
    if not fits or not text.isascii() or not text.isprintable() or set(text) & set(" \"'<>\\"):
        found = ascii(text[:LONGEST_SHOWN])[1:-1]
        raise BadUsage(
            f"--calculator: expected an address that begins with http:// or https://, found {found}"
        )
    return text
