"""Forge capsules: take one apart, change what is in it, and seal it again as a careful forger would."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from flows.audit.capsule.container import FIRST_LINE_BYTES, Member, write
from flows.audit.capsule.contents import INDEX, RUN, index
from flows.common.files import json_bytes, sha256_of
from schemas.results import TABLES

Members = dict[str, bytes]
OF_FACTS = [name for name in TABLES if name not in ("rejects", "feeds", "rounds")]


def taken_apart(capsule: Path) -> Members:
    with zipfile.ZipFile(capsule) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sealed(target: Path, archive: bytes, format_: int = 1) -> Path:
    """The first line that makes a capsule of any bytes."""
    told = f"luohu capsule {format_:08d} {FIRST_LINE_BYTES + len(archive):020d}".encode()
    digest = hashlib.sha256(told + archive).hexdigest().encode()
    target.write_bytes(told + b" " + digest + b"\n" + archive)
    return target


def put_together(target: Path, members: Members) -> Path:
    """Seal members as they are, the table of contents included."""
    write(target, [Member(name, data) for name, data in members.items()], private=True)
    return target


def forged(
    capsule: Path, target: Path, how: Callable[[Members], object], *, manifest: bool = True
) -> Path:
    """Change members, then every digest that is kept of them: contents, and manifest unless told."""
    members = taken_apart(capsule)
    how(members)
    contents = json.loads(members.pop(INDEX))
    told = json.loads(members[f"{RUN}/manifest.json"])
    if manifest:
        for name, each in told["outputs"].items():
            if f"{RUN}/{name}" in members:
                data = members[f"{RUN}/{name}"]
                rows = pl.scan_parquet(data).select(pl.len()).collect().item()
                each.update(sha256=hashlib.sha256(data).hexdigest(), rows=rows)
        told["result_digest"] = sha256_of(
            {name: told["outputs"][f"{name}.parquet"]["sha256"] for name in OF_FACTS}
        )
        members[f"{RUN}/manifest.json"] = json_bytes(told)
    listed = {name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in members.items()}
    members[INDEX] = json_bytes(index(contents["kind"], 2020, told, listed, contents["receipts"]))
    return put_together(target, members)


def archive_of(*members: tuple[str, bytes], deflated: bool = False) -> bytes:
    """A zip archive with any names, also repeated ones, as bytes."""
    made = io.BytesIO(b" " * FIRST_LINE_BYTES)
    made.seek(FIRST_LINE_BYTES)
    way = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(made, "w", way) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, way)
    return made.getvalue()[FIRST_LINE_BYTES:]
