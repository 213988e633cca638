"""`luohu audit`, `capsule` and `diff`: whether a run still holds, and what two runs differ in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.arguments import RunId, Warehouse
from flows.cli.messages import one_message, print_json, shown
from flows.cli.streams import print_message, show, work_is_done
from flows.common.failures import BadUsage
from flows.common.settings import WAREHOUSE

if TYPE_CHECKING:
    from flows.kept.known_code import Trust

TrustCode = Annotated[
    bool,
    typer.Option(
        "--trust-code",
        help="Run the Python code pinned with a run also where it is not known here: as you,"
        " with all that you may do, not in a sandbox.",
    ),
]


def trusted(warehouse: Path, *, whatever: bool) -> "Trust":
    """Which pinned code may be run; what is run on the user's word alone is reported on stderr."""
    from flows.kept.known_code import trust_of

    return trust_of(warehouse, whatever=whatever, say=print_message)


def capsule(
    year: Annotated[int, typer.Argument(metavar="ROUND", help="Application year, e.g. 2020.")],
    out: Annotated[Path, typer.Option(help="New file, say 2020.capsule.")],
    warehouse: Warehouse = WAREHOUSE,
    run_id: RunId = None,
    public: Annotated[
        bool,
        typer.Option("--public", help="Leave out every row about a person but the public list."),
    ] = False,
) -> None:
    """Pack a run into one file that `luohu audit FILE` verifies on any machine, offline.

    Exit status: 0 packed; 1 the run is not as it was published; 2 nothing to pack, or no room.
    Without --public it holds names and ID numbers: hand it to an auditor, not to anybody.

    [bold]Examples[/]

      luohu capsule 2020 --out 2020.capsule
      luohu capsule 2020 --out 2020-public.capsule --public
      luohu audit 2020.capsule                         anywhere, without warehouse or network
    """
    from flows.audit.capsule.pack import pack
    from flows.audit.capsule.page import packed_lines

    with one_message():
        with shown():
            packed = pack(year, warehouse, out, run_id, public=public)
        work_is_done()
        show(packed_lines(packed))


def audit(
    what: Annotated[
        str, typer.Argument(metavar="ROUND|FILE", help="Application year, or a capsule.")
    ],
    warehouse: Warehouse = WAREHOUSE,
    run_id: RunId = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    own_code: Annotated[
        bool,
        typer.Option("--with-its-own-code", help="Repeat it with the code it pinned, not today's."),
    ] = False,
    trust_code: TrustCode = False,
) -> None:
    """Repeat a past run from what it pinned, and compare every table with what was written then.

    The run is one of a warehouse, or the one in a capsule, which needs no warehouse.  Today's code
    repeats the run.  A feed, an indicator or a column that the run did not have yet is no difference, and
    differences that may come from a change of code are reported as such.  The code it pinned is run only
    where this installation or the warehouse's database knows it, unless you --trust-code.

    Exit status: 0 all the same; 1 something differs or was tampered with; 2 nothing to audit.

    [bold]Examples[/]

      luohu audit 2020
      luohu audit 2020 --warehouse /srv/luohu --run 0123456789abcdef
      luohu audit 2020 --json | jq .findings
      luohu audit 2020 --with-its-own-code
      luohu audit 2020.capsule
    """
    from flows.cli.round_or_capsule import audit_any

    with one_message():
        if trust_code and not own_code:
            raise BadUsage(
                "--trust-code goes with --with-its-own-code: today's code needs no trust"
            )
        with shown():
            trust = trusted(warehouse, whatever=trust_code) if own_code else None
            passed, page, machine = audit_any(what, warehouse, run_id, trust)
        if as_json:
            print_json(machine)
        else:
            show(page)
    raise typer.Exit(0 if passed else 1)


def diff(
    run_a: Annotated[
        str,
        typer.Argument(
            metavar="RUN_A", help="Run id, its first 6 characters or more, or a run directory."
        ),
    ],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="The run to compare with it.")],
    warehouse: Warehouse = WAREHOUSE,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    everyone: Annotated[
        bool, typer.Option("--all", help="List everybody who moved, not the first 20.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write every share of everybody to a .parquet or .csv file.")
    ] = None,
    trust_code: TrustCode = False,
) -> None:
    """Compare two runs: who moved, by how much, across the line or not, and why.

    The causes are data, policy, decision (the round file) and code.  Where several differ, mixed
    combinations are recomputed, so that no cause is guessed; what only causes together bring about
    is reported as such.  Exit status 0, whatever differs; 2 when a run is not there.

    A run may come from elsewhere.  Its code is run only if this installation or the warehouse's
    database knows it; if not, what code does is reported as the remainder, unless you --trust-code.

    [bold]Examples[/]

      luohu diff 5094d8 2b125d
      luohu diff 5094d8 2b125d --warehouse /srv/luohu --all
      luohu diff old/runs/2020/5094d8613434d365 new/runs/2020/2b125db61427b371 --out moved.csv
      luohu diff 5094d8 2b125d --json | jq .causes
    """
    from flows.audit.diff import diff as compared
    from flows.audit.diff.moves import FIRST, require_writable, write
    from flows.audit.diff.moves import as_json as for_machines
    from flows.audit.diff.page import lines

    first = None if everyone else FIRST
    with one_message():
        if out:
            require_writable(out)
        trust = trusted(warehouse, whatever=trust_code)
        with shown():
            found = compared(run_a, run_b, warehouse, trust)
        if out:
            write(found, out)
            work_is_done()
        if as_json:
            print_json(for_machines(found, first))
        else:
            show(lines(found, first))
