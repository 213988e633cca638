"""Where a run's directory goes: what is named by its content is there, or is put there whole.

A complete directory is not touched when the same run comes again.  What may differ between two runs
of one id (versions, lock, a page) is kept beside, in a file named by its own digest.
"""

from pathlib import Path

from flows.common.access import OWN_FILE, OWN_FOLDER, close
from flows.common.by_name import read_table
from flows.common.failures import CheckFailed
from flows.common.files import put_in_place, sha256, written_aside
from flows.kept.past_run import MANIFEST, published, read_manifest
from flows.kept.run_files import SHORT, is_complete
from schemas.results import TABLES


def there_already(directory: Path, warehouse: Path, year: int) -> bool:
    """Whether a run is there, complete, and with the manifest it was published with."""
    if not is_complete(directory):
        return False
    registered = published(warehouse, year).manifests.get(directory.name)
    return registered in (None, sha256(directory / MANIFEST))


def place(work: Path, directory: Path) -> Path:
    """Put a described work folder where its run belongs, for its owner only."""
    for folder in (directory.parent.parent, directory.parent):
        folder.mkdir(mode=OWN_FOLDER, exist_ok=True)
    close(work)
    put_in_place(work, directory)
    return directory


def keep_beside(work: Path, directory: Path) -> Path:
    """Keep the manifest of the same run again where it says something new; returns the directory."""
    require_same_results(work, directory)
    digest = sha256(work / MANIFEST)
    if digest != sha256(directory / MANIFEST):
        beside = directory.with_name(f"{directory.name}.{digest[:SHORT]}.json")
        if not beside.exists():
            with written_aside(beside, private=True) as file:
                file.write((work / MANIFEST).read_bytes())
            beside.chmod(OWN_FILE)
    return directory


def require_same_results(work: Path, directory: Path) -> None:
    """Raise CheckFailed when the same inputs came to other rows: libraries differ, or a file was made."""
    outputs = [read_manifest(folder / MANIFEST)["outputs"] for folder in (work, directory)]
    for table in TABLES:
        file = f"{table}.parquet"
        if outputs[0][file]["sha256"] == outputs[1][file]["sha256"]:
            continue
        one, other = (read_table(folder / file) for folder in (work, directory))
        if not one.equals(other):
            raise CheckFailed(
                f"{directory / file}: expected the rows this run came to again, found others, from"
                " the same delivery, policy, options and code; nothing was published: luohu audit"
                " says what differs"
            )
