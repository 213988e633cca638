"""What may be done when, what is due when, what a decision may rest on (`data/process.toml`), checked.

A data folder without such a file has the one that luohu comes with: it holds no value of a round.
"""

from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from flows.common.failures import BadUsage
from flows.common.settings import DATA
from schemas.feeds import FEEDS
from schemas.results import CONDITIONS, INDICATORS
from transforms.phases import CODES
from transforms.policy import PolicyError, message_with_place, read_toml, require_keys
from transforms.units import STRICT, Flag, Several, Text, one_of, whole

NAME = "process.toml"
OPTIONAL = {"approvers"}

PhaseCode: TypeAlias = Annotated[str, one_of("phase", CODES)]
Feed: TypeAlias = Annotated[str, one_of("feed", FEEDS)]
Names: TypeAlias = Annotated[int, whole("names", 0, 2)]
Until: TypeAlias = Literal["publication", "always"] | None
Edge: TypeAlias = Literal["start", "end"]
StepName: TypeAlias = Literal["phase", "feeds", "run", "alarm", "lapse"]
ExpectedName: TypeAlias = Literal["feeds", "appeals", "run", "list", "overridden"]


class Title(TypedDict):
    """What a phase is called."""

    title: Text
    title_zh: Text


class Tables(TypedDict):
    """Which parts of the file are tables, before their keys are looked at."""

    operations: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    expected: list[dict[str, Any]]
    subjects: dict[str, dict[str, Any]]


@dataclass(frozen=True, config=STRICT)
class Operation:
    """When an operation may be done, and how many names it needs; without phases always."""

    name: Text
    phases: Annotated[list[PhaseCode], Several("list", at_least=0)]
    names: Names
    cite: Text
    kind: Text | None = None
    kind_zh: Text | None = None
    in_gap: Flag = True
    retract: Until = None


@dataclass(frozen=True, config=STRICT)
class Subject:
    """The feeds that an indicator or a condition rests on."""

    feeds: Annotated[list[Feed], Several("list")]
    cite: Text


@dataclass(frozen=True, config=STRICT)
class DueStep:
    """What is due by itself, at the start or the end of each of its phases.

    `daily`: each day from then on; `anew`: also where what was made before then lacks nothing.
    """

    name: StepName
    title: Text
    phases: Annotated[list[PhaseCode], Several("list")]
    at: Edge
    cite: Text
    anew: Flag = False
    daily: Flag = False


@dataclass(frozen=True, config=STRICT)
class Expected:
    """What may be missing: from the start of a phase on, or always; and from which on it is late."""

    name: ExpectedName
    title: Text
    cite: Text
    since: PhaseCode | None = None
    late: PhaseCode | None = None


@dataclass(frozen=True, config=STRICT)
class Rules:
    """The whole file."""

    phases: dict[PhaseCode, Title]
    operations: Annotated[list[Operation], Several("list")]
    steps: Annotated[list[DueStep], Several("list")]
    expected: Annotated[list[Expected], Several("list")]
    subjects: dict[str, Subject]
    approvers: Annotated[list[Text], Several("list", at_least=0)] = field(default_factory=list)

    def of(self, operation: str) -> list[Operation]:
        """The rows of an operation, one a kind."""
        return [each for each in self.operations if each.name == operation]

    def subject(self, name: str) -> Subject:
        """An indicator or condition; raises BadUsage that lists those there are."""
        if name not in self.subjects:
            raise BadUsage(f"expected one of {', '.join(self.subjects)}, found another subject")
        return self.subjects[name]

    def titled(self, code: str) -> str:
        """A phase by its code and its Chinese name."""
        return f"{code} {self.phases[code]['title_zh']}"


LISTS: dict[str, type[Any]] = {"operations": Operation, "steps": DueStep, "expected": Expected}


def rules(data: Path = DATA) -> Rules:
    """The rules of a data folder; raises PolicyError that names the key."""
    path = data / NAME
    return load(path if path.is_file() else DATA / NAME)


@cache
def load(path: Path) -> Rules:
    """The rules in a file, read once."""
    text = read_toml(path)
    require_keys(NAME, set(text), set(Tables.__annotations__) | {"phases"} | OPTIONAL, OPTIONAL)
    with message_with_place(NAME):
        TypeAdapter(Tables).validate_python({name: text[name] for name in Tables.__annotations__})
    for name, kind in LISTS.items():
        for place, each in enumerate(text[name]):
            with message_with_place(NAME, f"{name}[{place}]"):
                text[name][place] = kind(**each)
    for name, each in text["subjects"].items():
        with message_with_place(NAME, f"subjects.{name}"):
            text["subjects"][name] = Subject(**each)
    with message_with_place(NAME):
        found = Rules(**text)
    keys = [(each.name, each.kind) for each in found.operations]
    if repeated := [name for name, kind in keys if keys.count((name, kind)) > 1]:
        raise PolicyError(f"{NAME}: operations: expected each once, found {repeated[0]} again")
    require_keys(f"{NAME}: phases", set(found.phases), set(CODES))
    require_keys(f"{NAME}: subjects", set(found.subjects), {*INDICATORS, *CONDITIONS})
    return found
