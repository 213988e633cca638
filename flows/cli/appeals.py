"""`luohu appeal`: what applicants contest (复查, 申诉), who decides, and what a decision would do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.arguments import Data, Warehouse
from flows.cli.messages import one_message, print_json, shown
from flows.cli.process_arguments import AsJson, Given, Year, in_phase, operation, with_head
from flows.cli.streams import print_message, show
from flows.common.failures import BadUsage
from flows.common.settings import DATA, WAREHOUSE
from flows.ledger.operations import APPEAL_DECIDE, APPEAL_FILE, APPEAL_WITHDRAW

if TYPE_CHECKING:
    from flows.process.appeals.standing import Appeal

appeal = typer.Typer(
    name="appeal",
    help="Appeals (复查, 申诉): file, decide, withdraw, list.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The appeal, e.g. 2021-appeal-0001.")]


@appeal.command("file")
@operation(in_phase)
def file(
    year: Year,
    application_no: Annotated[
        str | None, typer.Argument(metavar="[APPLICATION_NO]", help="Whose appeal it is.")
    ] = None,
    subject: Annotated[
        str | None,
        typer.Argument(metavar="[SUBJECT]", help="An indicator or a condition, e.g. residence."),
    ] = None,
    claim: Annotated[
        str | None, typer.Option(help="What is claimed, without names or ID numbers.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Many: a CSV file with application_no, subject, claim."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="review or appeal, where --override leaves it open.")
    ] = None,
    *,
    given: Given,
) -> None:
    """Enter an appeal; its first line is the appeal's id.  The kind follows from the phase.

    One pending appeal on a matter, one decided of a kind; a list is entered whole or not at all.

    [bold]Examples[/]

      luohu appeal file 2021 202100009124 residence --claim "住房登记缺 2019 年" --by 李明
      luohu appeal file 2021 --from appeals.csv --by 李明
    """
    from flows.process.appeals.filing import Claim, claims_in, file_appeals

    with one_message():
        asked = given.asked(APPEAL_FILE, year, kind=kind)
        if source is not None:
            if application_no or subject or claim is not None:
                raise BadUsage("--from: expected no APPLICATION_NO, SUBJECT or --claim beside it")
            claims = claims_in(source)
        elif application_no is None or subject is None or claim is None:
            raise BadUsage("expected APPLICATION_NO, SUBJECT and --claim, or --from FILE.csv")
        else:
            claims = [Claim(application_no, subject, claim)]
        done = file_appeals(asked, claims, source)
        ids = [each.body["id"] for each in done.recorded]
        given.show(done, [f"appeal {each}" for each in ids], {"appeals": ids})


@appeal.command("decide")
@operation(in_phase)
def decide(
    appeal_id: Id,
    result: Annotated[str, typer.Argument(metavar="RESULT", help="upheld, partly_upheld, refused")],
    reason: Annotated[str, typer.Option(help="Why, without names or ID numbers.")],
    deliveries: Annotated[
        list[str] | None,
        typer.Option("--delivery", metavar="D", help="A delivery it rests on; may be repeated."),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what it would do; nothing is recorded.")
    ] = False,
    *,
    given: Given,
) -> None:
    """Decide a pending appeal, once, by two people; upheld ones name the deliveries they rest on.

    Whoever filed the appeal or entered a delivery it names may not decide it.

    [bold]Examples[/]

      luohu appeal decide 2021-appeal-0001 upheld --delivery 2021-housing-0004 --reason "产权证已核" --preview
      luohu appeal decide 2021-appeal-0001 upheld --delivery 2021-housing-0004 --reason "产权证已核"
        --by 王芳 --and-by 张伟
      luohu appeal decide 2021-appeal-0002 refused --reason "无新材料" --by 王芳 --and-by 张伟
    """
    from flows.process.appeals.deciding import decide as decide_it
    from flows.process.appeals.deciding import decision_of

    with one_message():
        decision = decision_of(appeal_id, result, reason, deliveries or [])
        asked = given.asked(APPEAL_DECIDE)
        if preview:
            from flows.process.appeals.preview import preview as looked_ahead
            from flows.process.displacement.page import as_content, lines

            with shown():
                state, found = looked_ahead(asked, decision)
            if given.as_json:
                print_json(with_head(state, {"preview": True, "displacement": as_content(found)}))
            else:
                show([f"preview of {appeal_id} {result}: nothing was recorded", *lines(found)])
            return
        done = decide_it(asked, decision)
        lines_ = [f"{appeal_id} {result}"]
        given.show(done, lines_, {"appeal": appeal_id, "result": result})


@appeal.command("withdraw")
@operation(in_phase)
def withdraw(
    appeal_id: Id,
    *,
    given: Given,
) -> None:
    """Record that a pending appeal was given up; it may be filed again.

    [bold]Examples[/]

      luohu appeal withdraw 2021-appeal-0001 --by 李明
    """
    from flows.process.appeals.withdrawing import withdraw as give_up

    with one_message():
        asked = given.asked(APPEAL_WITHDRAW)
        done = give_up(asked, appeal_id)
        given.show(done, [f"{appeal_id} withdrawn"], {"appeal": appeal_id})


@appeal.command("list")
def list_(
    year: Year,
    pending: Annotated[bool, typer.Option("--pending", help="Only those not decided.")] = False,
    warehouse: Warehouse = WAREHOUSE,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """List every appeal of a round, first filed first, or every one that is pending.

    [bold]Examples[/]

      luohu appeal list 2021 --pending
      luohu appeal list 2021 --json | jq .appeals
    """
    from flows.process.appeals.standing import PENDING, appeals
    from flows.process.read import looked_at
    from transforms.rounds import load_round

    with one_message():
        load_round(data / "rounds", year)
        state = looked_at(warehouse, data, year, say=print_message)
        found = [
            each for each in appeals(state, year).values() if not pending or each.status == PENDING
        ]
        if as_json:
            print_json(with_head(state, {"appeals": [content(each) for each in found]}))
            return
        waiting = sum(each.status == PENDING for each in found)
        show([*map(line, found), f"appeals: {len(found):,}, pending: {waiting:,}"])


def line(each: "Appeal") -> str:
    """An appeal as a line of the list."""
    when = f"{each.filed.at[:10]}"
    if each.decision:
        names = ", ".join(each.decision.body["deliveries"])
        when += f"  decided {each.decision.at[:10]}{f' on {names}' if names else ''}"
    return f"{each.id}  {each.application_no}  {each.subject}  {each.kind}  {each.status}  {when}"


def content(each: "Appeal") -> dict[str, object]:
    """An appeal for machines, with the texts that reach no analysts' table."""
    return {
        "appeal_id": each.id,
        "application_no": each.application_no,
        "subject": each.subject,
        "kind": each.kind,
        "status": each.status,
        "claim": each.filed.body["claim"],
        "filed_at": each.filed.at,
        "filed_by": each.filed.by,
        "decided_at": each.decision.at if each.decision else None,
        "reason": each.decision.body["reason"] if each.decision else None,
        "deliveries": each.decision.body["deliveries"] if each.decision else [],
    }
