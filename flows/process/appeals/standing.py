"""What stands of the appeals of a round: who contested what, and what came of it."""

from dataclasses import dataclass

from flows.common.failures import ProcessRefused
from flows.ledger.entries import Entry
from flows.ledger.operations import APPEAL_DECIDE, APPEAL_FILE, APPEAL_WITHDRAW
from flows.ledger.state import State
from flows.process.ids import no_such, year_of

KIND_OF_ID = "appeal"
PENDING, WITHDRAWN = "pending", "withdrawn"
UPHELD, PARTLY, REFUSED = "upheld", "partly_upheld", "refused"
RESULTS = (UPHELD, PARTLY, REFUSED)
GRANTED = (UPHELD, PARTLY)


@dataclass(frozen=True)
class Appeal:
    """An appeal that was not retracted."""

    filed: Entry
    decision: Entry | None = None
    withdrawal: Entry | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.filed.body["id"])

    @property
    def application_no(self) -> str:
        """Whose it is."""
        return str(self.filed.body["application_no"])

    @property
    def subject(self) -> str:
        """The indicator or condition that is contested."""
        return str(self.filed.body["subject"])

    @property
    def kind(self) -> str:
        """`review` or `appeal`."""
        return str(self.filed.body["kind"])

    @property
    def status(self) -> str:
        """What came of it."""
        if self.withdrawal:
            return WITHDRAWN
        return str(self.decision.body["result"]) if self.decision else PENDING

    @property
    def deliveries(self) -> list[str]:
        """The deliveries the decision names."""
        return list(self.decision.body["deliveries"]) if self.decision else []

    @property
    def matter(self) -> tuple[str, str]:
        """What only one pending appeal may be about."""
        return self.application_no, self.subject


def appeals(state: State, year: int) -> dict[str, Appeal]:
    """By id, the appeals of a round that count, in the order they were filed."""
    decided = {each.body["appeal"]: each for each in state.standing(APPEAL_DECIDE, year)}
    withdrawn = {each.body["appeal"]: each for each in state.standing(APPEAL_WITHDRAW, year)}
    return {
        each.body["id"]: Appeal(each, decided.get(each.body["id"]), withdrawn.get(each.body["id"]))
        for each in state.standing(APPEAL_FILE, year)
    }


def pending(state: State, year: int) -> list[Appeal]:
    """Every appeal of a round nobody has decided on, first filed first."""
    return [each for each in appeals(state, year).values() if each.status == PENDING]


def granted(state: State, year: int) -> list[Appeal]:
    """Every appeal of a round that was upheld, at least partly, in the order of the decisions."""
    found = [each for each in appeals(state, year).values() if each.status in GRANTED]
    return sorted(found, key=lambda each: each.decision.seq if each.decision else 0)


def appeal_of(state: State, name: str) -> Appeal:
    """The appeal of an id; raises a Failure where there is none, or it was retracted."""
    year = year_of(name, KIND_OF_ID)
    found = appeals(state, year).get(name)
    if found is None:
        raise no_such(state, APPEAL_FILE, name, KIND_OF_ID)
    return found


def require_pending(appeal: Appeal) -> None:
    """Raise ProcessRefused for an appeal that something came of: it is decided once."""
    done = appeal.withdrawal or appeal.decision
    if done:
        raise ProcessRefused(
            f"{appeal.id}: expected a pending appeal, found one that is {appeal.status}, by entry"
            f" {done.seq} of {done.at[:10]}"
        )
