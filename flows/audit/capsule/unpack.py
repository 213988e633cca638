"""Unpack a capsule's archive and nothing else: a file that comes from outside may be made to harm.

Its digest shows that nobody damaged it, not who made it.  So names that lead elsewhere, members
nobody listed, other sizes than listed and archives that would fill the disk are refused.
"""

import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from flows.audit.capsule.container import CHUNK, Whole, refused
from flows.common.failures import CapsuleRefused
from flows.common.limits import MOST_JSON

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")  # no .., no /x
MOST_MEMBERS = 10_000
MOST_DEFLATED = 64 << 20  # so much may the deflated members unpack to together


def read(whole: Whole, archive: zipfile.ZipFile, name: str) -> bytes:
    """One small deflated member."""
    with refused(whole.path):
        try:
            info = archive.getinfo(name)
        except KeyError:
            raise CapsuleRefused(f"{whole.path}: expected {name} in it, found none") from None
        if info.file_size > MOST_JSON:
            raise CapsuleRefused(
                f"{whole.path}: {name}: expected at most {MOST_JSON:,} bytes, found"
                f" {info.file_size:,}"
            )
        with archive.open(info) as member:
            return member.read(info.file_size + 1)


def unpack(
    whole: Whole, archive: zipfile.ZipFile, sizes: dict[str, int], folder: Path
) -> dict[str, str]:
    """Unpack exactly these members into a folder; returns their digests.

    Refuses names that lead elsewhere, members nobody declared, other sizes than declared, and
    archives that would fill the disk.
    """
    with refused(whole.path):
        members = archive.infolist()
        for problem in problems(members, sizes, whole.size):
            raise CapsuleRefused(f"{whole.path}: {problem}; nothing was unpacked")
        try:
            return {each.filename: unpack_one(archive, each, folder) for each in members}
        except OSError as error:
            need = sum(sizes.values())
            raise CapsuleRefused(
                f"{whole.path}: cannot unpack {need:,} bytes into {folder.parent}:"
                f" {error.strerror}; TMPDIR names another folder"
            ) from None


def problems(
    members: list[zipfile.ZipInfo], sizes: dict[str, int], most_stored: int
) -> Iterator[str]:
    """Why an archive is not to be unpacked."""
    if len(members) > MOST_MEMBERS:
        yield f"expected at most {MOST_MEMBERS:,} files, found {len(members):,}"
    for each in members:
        if not NAME.fullmatch(each.filename):
            yield f"expected names of files below a folder, found {each.filename[:80]!r}"
    names = [each.filename for each in members]
    if sorted(names) != sorted(sizes):
        odd = sorted(set(names) ^ set(sizes)) or sorted(
            name for name, times in Counter(names).items() if times > 1
        )
        yield f"expected each file it lists once and no other, found otherwise: {odd[0][:80]!r}"
    for each in members:
        if each.file_size != sizes.get(each.filename):
            expected = sizes.get(each.filename)
            yield f"{each.filename}: expected {expected} bytes, found {each.file_size:,}"
    stored = [each for each in members if each.compress_type == zipfile.ZIP_STORED]
    deflated = [each for each in members if each.compress_type == zipfile.ZIP_DEFLATED]
    if len(stored) + len(deflated) < len(members):
        yield "expected members that are stored or deflated, found another way of packing"
    if (
        sum(each.file_size for each in stored) > most_stored
        or sum(each.file_size for each in deflated) > MOST_DEFLATED
    ):
        yield (
            "its members would unpack to more than a capsule holds: as many bytes as it has and"
            f" {MOST_DEFLATED:,} of packed ones"
        )


def unpack_one(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> str:
    """Write one member below the folder, never more than its size; returns its digest."""
    target = folder / info.filename
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hashed, left = hashlib.sha256(), info.file_size
    with archive.open(info) as source, target.open("xb") as copy:
        while chunk := source.read(min(CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            hashed.update(chunk)
            copy.write(chunk)
    if left:
        raise ValueError(f"{info.filename}: another size than declared")
    return hashed.hexdigest()
