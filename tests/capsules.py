"""Forge capsules: take one apart, change what is in it, and seal it again as a careful forger would."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from flows.audit.capsule.container import FIRST_LINE_BYTES, Member, write
from flows.audit.capsule.contents import INDEX, PUBLIC, RUN, index
from flows.audit.capsule.itself import AS_PACKED
from flows.audit.capsule.public_manifest import public_manifest
from flows.common.files import json_bytes, sha256_of
from flows.kept.salts import LABEL, PEOPLE, Salts
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
        if "delivery" not in told:  # a public one has not the tables it is of
            told["result_digest"] = sha256_of(
                {name: told["outputs"][f"{name}.parquet"]["sha256"] for name in OF_FACTS}
            )
        members[f"{RUN}/manifest.json"] = json_bytes(told)
    listed = {name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in members.items()}
    packed = {name: contents[name] for name in AS_PACKED if name in contents}
    own = "public_manifest" if contents["kind"] == PUBLIC and "delivery" in told else "manifest"
    packed[own] = listed[f"{RUN}/manifest.json"][0]
    if own == "manifest" and "public_manifest" in packed:
        key = hashlib.sha256(LABEL + members[f"{RUN}/{PEOPLE}"]).digest()
        made = json_bytes(public_manifest(told, Salts(key)))
        packed["public_manifest"] = hashlib.sha256(made).hexdigest()
    members[INDEX] = json_bytes(index(packed, 2020, told, listed))
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
