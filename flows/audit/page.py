"""What an audit prints: a line a table, then what was found, then every difference with its cause."""

from collections.abc import Iterator

from flows.audit import AS_DELIVERED, AS_WRITTEN, BUT_FOR, OTHER_CODE, Audit, TableAudit
from flows.kept.run_files import SHORT

HEADINGS = ("table", "application", "column", "then", "now", "cause")
NOT_SHOWN = (
    "not shown: that the accepted rows are those the departments delivered, and that the rejected rows"
    " were bad: of the delivered files a run has digests only"
)
WIDEST = 32  # a longer cell pushes its own row only


def lines(found: Audit) -> Iterator[str]:
    """The audit for people; fields are parted by two blanks or more, for grep and awk."""
    code = found.past.manifest["code"]
    yield (
        f"Round {found.past.year}, run {found.past.run_id}, luohu {code.get('version')},"
        f" code {str(code.get('digest'))[:SHORT]}, repeated with"
        f" {'the code it pinned' if found.own_code else 'the code of today'}"
    )
    yield from table_lines(found)
    for note in found.notes:
        yield f"note: {note}"
    for file, message in found.findings:
        yield f"found: {file}: {message}"
    yield from differences(found)
    yield summary(found)
    yield f"verdict: round {found.past.year}, run {found.past.run_id}: {verdict(found)}"
    yield NOT_SHOWN


def verdict(found: Audit) -> str:
    """What an audit has shown, in a sentence."""
    if found.passed and any(each.remark == AS_WRITTEN for each in found.tables):
        return (
            "the tables that its own code repeats by itself come out the same; of the others it is shown"
            " that they are as written"
        )
    if found.passed and any(each.remark.startswith(BUT_FOR) for each in found.tables):
        return "repeated by another version of the code, all that both versions know is the same"
    if found.passed:
        return "repeated from the rows and the policy it kept, every table comes out the same"
    if not found.findings and all(each.same or each.cause == OTHER_CODE for each in found.tables):
        return (
            "the code of today gives other tables; nothing of the run was found changed."
            "  --with-its-own-code repeats it with the code it pinned"
        )
    return "its tables are NOT what its rows and its policy give, or it cannot be shown"


def table_lines(found: Audit) -> Iterator[str]:
    """A line a table: rows, digest, whether it came out the same."""
    for each in found.tables:
        rows = "-" if each.rows is None else f"{each.rows:,}"
        how = f" ({each.remark})" if each.remark else ""
        verdict = f"same{how}" if each.same else f"DIFFERS  {why(each)}"
        digest = (each.sha256 or "absent")[:SHORT]
        yield f"{each.name:20}{rows:>12}  {digest:16}  {verdict}".rstrip()


def why(table: TableAudit) -> str:
    """How much of a table differs."""
    if table.name == AS_DELIVERED:
        return "not what the manifest names"
    count = table.compared.differences
    return counted(count, "difference") if count else "in bytes, not in rows"


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def differences(found: Audit) -> Iterator[str]:
    """The first differences of every table, aligned; then how many more there are."""
    shown = [HEADINGS]
    for each in found.tables:
        shown += [(*difference, each.cause) for difference in each.compared.first]
    if len(shown) == 1:
        return
    columns = range(len(HEADINGS))
    widths = [min(max(len(row[column]) for row in shown), WIDEST) for column in columns]
    for row in shown:
        cells = zip(row, widths, strict=True)
        yield "  ".join(f"{cell:{width}}" for cell, width in cells).rstrip()
    for each in found.tables:
        more = each.compared.differences - len(each.compared.first)
        if more > 0:
            rows = counted(each.compared.rows, "row")
            yield f"{each.name}: {counted(more, 'more difference')}, on {rows} in all"


def summary(found: Audit) -> str:
    """One sentence to end with."""
    differing = [each for each in found.tables if not each.same]
    total = sum(each.compared.differences for each in differing)
    causes = "; ".join(sorted({each.cause for each in differing if each.cause}))
    return (
        f"audit {'passed' if found.passed else 'FAILED'}:"
        f" {len(found.tables) - len(differing)} of {len(found.tables)} tables the same,"
        f" {counted(total, 'difference')}, {counted(len(found.findings), 'finding')}"
        + (f"; cause: {causes}" if causes else "")
    )
