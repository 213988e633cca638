"""What two runs were made from, and in which of the four causes they differ: by digest, not by guess.

data      what the departments delivered, as the rows accepted of it
policy    the rule files: editions, values, clauses
decision  the round file: quota, dates, what else the authority decides for the year
code      the source files

Options and libraries are reported too: options move nobody, libraries are measured apart.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from flows.kept import pinned_code
from flows.kept.integrity import short
from flows.kept.named_run import NamedRun
from flows.kept.run_files import CODE as ARCHIVE
from transforms.policy import read_toml

DATA, POLICY, DECISION, CODE = CAUSES = ("data", "policy", "decision", "code")
OPTION, LIBRARIES = "option", "libraries"
ACCEPTED = "accepted/"
ADMITS = "received_on"  # the one value of a round file that decides which rows are accepted
NONE = "none"


class Change(NamedTuple):
    """One thing that differs, under the cause it counts as."""

    cause: str
    what: str
    then: str
    now: str


class Causes(NamedTuple):
    """The causes that differ, what differs in each, and which of them brings its accepted rows along.

    `rows_with` is the data, unless the delivery is the same: then it is the code or the decision, whichever
    let other rows in.
    """

    differing: tuple[str, ...]
    rows_with: tuple[str, ...]
    changes: list[Change]
    notes: list[str]


def causes(a: NamedRun, b: NamedRun) -> Causes:
    """Compare what two runs were made from; their pinned files must be as the manifests have them."""
    changes = {
        DATA: list(of_delivery(a, b)),
        POLICY: [
            change
            for name in sorted({*a.manifest["policy"], *b.manifest["policy"]})
            for change in of_file(POLICY, a, f"policy/{name}", b, f"policy/{name}")
        ],
        DECISION: list(of_file(DECISION, a, round_file(a), b, round_file(b))),
        CODE: list(of_code(a, b)),
    }
    rows_with: tuple[str, ...] = (DATA,)
    notes = []
    rows = [name for name in accepted(a, b) if a.expected.get(name) != b.expected.get(name)]
    admits = [CODE] * bool(changes[CODE])
    admits += [DECISION] * any(each.what.endswith(f" {ADMITS}") for each in changes[DECISION])
    if rows and not changes[DATA]:
        rows_with = tuple(admits) or (DATA,)
        notes.append(
            "the delivery is the same, the rows accepted of it are not: they count as"
            f" {' with '.join(rows_with)}"
        )
    elif rows and admits:
        notes.append(
            f"rows that {' or '.join(admits)} let in or kept out count as data: deliveries are not"
            " kept, so that the two cannot be distinguished"
        )
    elif changes[DATA] and not rows:
        notes.append("the delivery differs, the rows accepted of it do not: it moves nobody")
    moving = {
        **{cause: bool(changes[cause]) for cause in CAUSES},
        DATA: bool(rows) and DATA in rows_with,
    }
    return Causes(
        tuple(cause for cause in CAUSES if moving[cause]),
        rows_with,
        [
            *(change for each in changes.values() for change in each),
            *of_values(OPTION, *({**run.manifest["options"], **run.manifest["codes"]} for run in (a, b))),
            *of_values(LIBRARIES, libraries(a.manifest["environment"]), libraries(b.manifest["environment"])),
        ],
        notes,
    )  # fmt: skip


def accepted(*runs: NamedRun) -> list[str]:
    """The files of accepted rows of runs."""
    return sorted({name for run in runs for name in run.expected if name.startswith(ACCEPTED)})


def round_file(run: NamedRun) -> str:
    """The one round a run is pinned to."""
    return f"rounds/{run.year}.toml"


def of_delivery(a: NamedRun, b: NamedRun) -> Iterator[Change]:
    """The feeds whose delivered files differ; what a file is called does not matter.

    A feed differs as well where other rows of it were replaced, or other findings added.
    """
    one, other = (run.manifest["feeds"] for run in (a, b))
    for feed in dict.fromkeys([*one, *other]):
        if came(one.get(feed, {})) != came(other.get(feed, {})):
            yield Change(DATA, feed, rows_of(a, feed), rows_of(b, feed))


def came(counts: dict[str, Any]) -> list[Any]:
    """What came of a feed: the digests of its files, and what was known beside them."""
    files = sorted(str(each["sha256"]) for each in counts.get("files", {}).values())
    return [files, counts.get("replaced"), counts.get("findings")]


def rows_of(run: NamedRun, feed: str) -> str:
    """Digest and number of the rows accepted of a feed."""
    found = run.manifest["outputs"].get(f"{ACCEPTED}{feed}.parquet")
    return f"{short(found['sha256'])} ({found['rows']:,} rows)" if found else NONE


def of_file(cause: str, a: NamedRun, one: str, b: NamedRun, other: str) -> Iterator[Change]:
    """A pinned TOML file that differs, then the values in it that do."""
    digests = [run.expected.get(f"pinned/{name}") for run, name in ((a, one), (b, other))]
    if digests[0] == digests[1]:
        return
    name = Path(other).name
    yield Change(cause, name, short(digests[0]), short(digests[1]))
    values = [
        flat(read_toml(run.directory / "pinned" / file)) if digest else {}
        for run, file, digest in ((a, one, digests[0]), (b, other, digests[1]))
    ]
    for each in of_values(cause, *values):
        yield each._replace(what=f"{name} {each.what}")


def of_values(cause: str, then: dict[str, Any], now: dict[str, Any]) -> Iterator[Change]:
    """The values that differ, by name."""
    for name in dict.fromkeys([*then, *now]):
        if then.get(name) != now.get(name):
            yield Change(cause, name, str(then.get(name, NONE)), str(now.get(name, NONE)))


def flat(value: Any, name: str = "") -> dict[str, str]:
    """Every value of a TOML file as text, by its path; the entries of a list by their date or name."""
    if isinstance(value, dict):
        parts = {f"{name}.{key}" if name else key: each for key, each in value.items()}
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        keys = [each.get("date", each.get("name", place)) for place, each in enumerate(value)]
        parts = {f"{name}[{key}]": each for key, each in zip(keys, value, strict=True)}
    else:
        return {name: str(value)}
    return {path: text for key, each in parts.items() for path, text in flat(each, key).items()}


def of_code(a: NamedRun, b: NamedRun) -> Iterator[Change]:
    """The source files that differ; only that some do, where a run is older than kept code."""
    if ARCHIVE in a.expected and ARCHIVE in b.expected:
        if a.expected[ARCHIVE] != b.expected[ARCHIVE]:
            files = [pinned_code.contents(run.directory / ARCHIVE) for run in (a, b)]
            for each in of_values(CODE, *files):
                yield each._replace(then=short(each.then), now=short(each.now))
        return
    digests = [str(run.manifest["code"].get("digest")) for run in (a, b)]
    if digests[0] != digests[1]:
        yield Change(CODE, "all source files", short(digests[0]), short(digests[1]))


def libraries(environment: dict[str, Any]) -> dict[str, str]:
    """Python and library versions of an environment, by name."""
    known = environment.get("libraries")
    return {
        "python": str(environment.get("python")),
        **({name: str(each) for name, each in known.items()} if isinstance(known, dict) else {}),
    }
