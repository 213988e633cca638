"""What an audit of a capsule prints: one page that ends in a verdict."""

from collections.abc import Iterator
from typing import Any

from flows.audit import as_json as audit_as_json
from flows.audit.capsule.contents import FULL, PUBLIC
from flows.audit.capsule.pack import Packed
from flows.audit.capsule.verify import CapsuleAudit
from flows.audit.page import counted, differences, summary, table_lines
from flows.kept.integrity import other_versions, short
from flows.kept.manifest import code_digest, environment
from flows.kept.salts import SALTED

REACHES = {
    FULL: "not shown: that the accepted rows are those the departments delivered: of the deliveries"
    " a capsule holds digests",
    PUBLIC: "not shown: that the points are those the records give, and that nobody is missing from"
    " the list: that takes the full capsule",
}


def lines(found: CapsuleAudit) -> Iterator[str]:
    """What was packed, what made it then and audits it now, what came out, and the verdict."""
    contents, manifest = found.contents, found.past.manifest
    yield f"{found.file.path}: a {contents['kind']} capsule of {found.file.size:,} bytes"
    yield f"sha256 {found.file.sha256}"
    yield f"Round {found.past.year}, run {found.past.run_id}, luohu {manifest['code'].get('version')}"
    yield from packed(contents)
    yield ""
    yield from then_and_now(manifest)
    yield ""
    if found.repeated:
        yield from table_lines(found.repeated)
    receipts = contents["receipts"]  # the root in full, to be held against the one announced
    yield (
        f"{'receipts root':20}{receipts['receipts']:>12,}  {receipts['root']}  {found.root_result}"
    )
    if "public_manifest" in contents:
        yield f"{'public manifest':34}{contents['public_manifest']}"
    for check in found.checks:
        yield f"{'holds' if check.holds else 'FAILS'}  {check.what}"
        for failure in check.failures:
            yield f"       {failure}"
    for file, message in found.findings:
        yield f"found: {file}: {message}"
    if found.repeated:
        yield from differences(found.repeated)
    yield ""
    yield from verdict(found)
    yield REACHES[contents["kind"]]


def packed(contents: dict[str, Any]) -> Iterator[str]:
    """Files and rows in it, delivered files by digest, and what was left out."""
    members, delivered = contents["members"].values(), contents["delivered"]
    files = [each for feed in delivered.values() for each in feed.values()]
    yield f"holds      {rows_of(members)}"
    digest = "salted digest" if SALTED in next(iter(files), {}) else "digest"
    yield f"delivered  {rows_of(files)} of {len(delivered)} feeds, by {digest}"
    if contents["left_out"]:
        yield f"left out   {rows_of(contents['left_out'].values())} about people, by {digest}"


def rows_of(files: Any) -> str:
    """Files and the rows in them."""
    rows = sum(each["rows"] for each in files if isinstance(each["rows"], int))
    return f"{counted(len(files), 'file')}, {counted(rows, 'row')}"


def then_and_now(manifest: dict[str, Any]) -> Iterator[str]:
    """Code, lock, Python and libraries of the run and of this audit."""
    then, now = manifest["environment"], environment()
    libraries = then.get("libraries")
    known = libraries if isinstance(libraries, dict) else {}
    yield f"{'':12}{'then':18}now"
    for name, old, new in (
        ("code", short(manifest["code"].get("digest")), short(code_digest())),
        ("lock", short(then.get("lock")), short(now["lock"])),
        ("python", then.get("python"), now["python"]),
        *((name, known.get(name), new) for name, new in now["libraries"].items()),
    ):
        verdict = "same" if old == new else "other"
        yield f"{name:12}{old!s:18}{new!s:18}{verdict}"
    for name, old, new in other_versions(manifest):
        if name not in now["libraries"] and name != "python":
            yield f"{name}: {old} then, {new} now"


def verdict(found: CapsuleAudit) -> Iterator[str]:
    """Counts, then one sentence: what this capsule has shown."""
    if found.contents["kind"] == FULL and found.repeated:
        message = summary(found.repeated)
        shown = (
            "repeated from the rows and the policy in it, every published table comes out the same"
        )
    else:
        holding = sum(each.holds for each in found.checks)
        message = (
            f"audit {'passed' if found.passed else 'FAILED'}: {holding} of {len(found.checks)}"
            f" checks hold, {counted(len(found.findings), 'finding')}"
        )
        shown = "what is published fits together, and fits policy, round and manifest"
    if not found.passed:
        shown = "what is packed is NOT what this round's run published, or it cannot be shown"
    yield message
    yield f"verdict: round {found.past.year}, run {found.past.run_id}: {shown}"


def as_json(found: CapsuleAudit) -> dict[str, Any]:
    """The audit for machines."""
    repeated = audit_as_json(found.repeated) if found.repeated else {}
    return {
        **repeated,
        "capsule": {
            "file": str(found.file.path),
            "bytes": found.file.size,
            "sha256": found.file.sha256,
            "kind": found.contents["kind"],
        },
        "receipts": {**found.contents["receipts"], "told": found.root_result},
        "round": found.past.year,
        "run_id": found.past.run_id,
        "passed": found.passed,
        "notes": found.repeated.notes if found.repeated else found.files.notes,
        "findings": [each._asdict() for each in found.findings],
        "checks": [{**each._asdict(), "holds": each.holds} for each in found.checks],
    }


def packed_lines(packed: Packed) -> Iterator[str]:
    """What `luohu capsule` prints."""
    file = packed.file
    yield f"Round {packed.past.year}, run {packed.past.run_id}: {counted(packed.members, 'file')} packed"
    yield f"{file.path}: a {packed.kind} capsule of {file.size:,} bytes"
    yield f"sha256 {file.sha256}"
    yield f"receipts root {packed.receipts['root']}"
    yield f"public manifest {packed.public_manifest}"
    if packed.kind == FULL:
        yield "It holds names and ID numbers: hand it to an auditor, not to anybody."
    else:
        yield f"left out: {counted(len(packed.left_out), 'file')} about people, kept by salted digest"
    for note in packed.notes:
        yield f"note: {note}"
    yield f"try: luohu audit {file.path}"
