"""luohu site: one folder of the published rounds, complete or absent, the same bytes each time."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from commands import here
from deciding import YEAR, ARound

from flows.common.failures import BadUsage, Failure
from flows.public.letters.write import write_letters
from flows.public.site import write
from flows.public.site.write import write_site

OF_ROUND = {"index.html", "list.html", "list.csv", "list.xlsx", "summary.json"}


@pytest.fixture(scope="module")
def site(announced_published: ARound, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    out = tmp_path_factory.mktemp("out") / "site"
    return write_site(announced_published.warehouse, out, "https://example.org/?a=1&b=2").out


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_file_is_there_with_its_digest(site: Path) -> None:
    found = files(site)
    assert {f"{YEAR}/{name}" for name in OF_ROUND} <= found.keys()
    told = dict(line.split("  ")[::-1] for line in found.pop("SHA256SUMS").decode().splitlines())
    assert told == {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    if checker := shutil.which("sha256sum"):
        done = subprocess.run([checker, "--quiet", "-c", "SHA256SUMS"], cwd=site, check=False)
        assert done.returncode == 0
    modes = {path.stat().st_mode & 0o111 for path in site.rglob("*") if path.is_file()}
    assert modes == {0}


def test_every_link_names_a_file(site: Path) -> None:
    """Of a folder on a disk no server makes `index.html`; and nothing is loaded from elsewhere."""
    linked = set()
    for name, content in files(site).items():
        if name.endswith(".html"):
            text = content.decode()
            assert not re.search(r'\b(src|href|action)="(/|[a-z]+:)(?!/example)(?!//example)', text)
            for link in re.findall(r'\b(?:src|href)="([^"#]+)"', text):
                if not link.startswith("https://example.org/"):
                    assert (site / name).parent.joinpath(unescape(link)).is_file(), (name, link)
                    linked.add(((site / name).parent / unescape(link)).resolve())
            assert "https://example.org/?a=1&amp;b=2" in text
    unlinked = {path.resolve() for path in site.rglob("*") if path.is_file()} - linked
    assert {path.name for path in unlinked} <= {"SHA256SUMS", "summary.json"}


def test_the_summary_has_figures_and_nobody(site: Path, announced_published: ARound) -> None:
    (row,) = announced_published.rows("FROM rounds")
    summary = json.loads((site / f"{YEAR}/summary.json").read_bytes())
    for name in ("edition", "run_id", "quota", "settled", "tied_at_cutoff", "eligible"):
        assert summary[name] == row[name], name
    assert summary["cutoff"] == str(row["cutoff"])
    assert summary["published_on"] == "2021-07-12"
    digest = hashlib.sha256((site / f"{YEAR}/list.csv").read_bytes()).hexdigest()
    assert summary["files"]["list.csv"]["sha256"] == digest
    names = [each["name"] for each in announced_published.rows("SELECT name FROM public_list")]
    text = (site / f"{YEAR}/summary.json").read_text(encoding="utf-8")
    assert [each for each in names if each in text] == []


def test_the_same_rounds_give_the_same_bytes(
    site: Path, announced_published: ARound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = announced_published.copy(tmp_path)
    (other.warehouse / "luohu.duckdb").touch()
    monkeypatch.setenv("TZ", "America/New_York")
    monkeypatch.chdir(tmp_path)
    later = time.time() + 400 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    found = write_site(other.warehouse, Path("elsewhere"), "https://example.org/?a=1&b=2")
    assert files(found.out) == files(site)


def test_an_unpublished_round_is_nowhere(announced: ARound, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="expected a published round, found none"):
        write_site(announced.warehouse, tmp_path / "site", None)
    with pytest.raises(
        Failure, match="expected a warehouse, found no folder"
    ):  # a typo, most likely
        write_site(tmp_path / "no warehouse", tmp_path / "site", None)
    assert list(tmp_path.iterdir()) == []


def test_without_a_calculator_there_is_no_link_to_one(
    announced_published: ARound, tmp_path: Path
) -> None:
    found = write_site(announced_published.warehouse, tmp_path / "site", None)
    assert [name for name, each in files(found.out).items() if "计算器".encode() in each] == []


def a_file(site: Path) -> None:
    (site / "notes.txt").write_text("mine")


def a_link(site: Path) -> None:
    (site / f"{YEAR}" / "mine").symlink_to("/etc/passwd")


def no_mark(site: Path) -> None:
    (site / "index.html").write_text("<p>mine</p>")


def no_sums(site: Path) -> None:
    (site / "SHA256SUMS").unlink()


@pytest.mark.parametrize("change", [a_file, a_link, no_mark, no_sums])
def test_what_is_no_earlier_site_stays(
    change: Callable[[Path], None], site: Path, announced_published: ARound, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(site, tmp_path / "site"))
    change(out)
    before = files(out)
    with pytest.raises(BadUsage, match="--out: expected a new or empty folder, or an earlier site"):
        write_site(announced_published.warehouse, out, None)
    assert files(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_files_and_links_are_no_folder(announced_published: ARound, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("file", "link", "none/below"):
        with pytest.raises(BadUsage, match="--out: expected a folder"):
            write_site(announced_published.warehouse, tmp_path / name, None)


@pytest.mark.parametrize("place", ["runs", "runs/site", f"runs/{YEAR}/site", "deliveries/site", "link/site"])  # fmt: skip
def test_nothing_is_put_among_the_runs_of_a_warehouse(
    place: str, announced_published: ARound, tmp_path: Path
) -> None:
    found = announced_published.copy(tmp_path)
    (found.warehouse / "link").symlink_to(found.warehouse / "runs")
    before = sorted(found.warehouse.rglob("*"))
    out = found.warehouse / place
    with pytest.raises(BadUsage, match="--out: expected a folder outside"):
        write_site(found.warehouse, out, None)
    with pytest.raises(BadUsage, match="--out: expected a folder outside"):
        write_letters(found.warehouse, YEAR, out, data=found.data)
    assert sorted(found.warehouse.rglob("*")) == before


def test_an_earlier_site_and_an_empty_folder_are_replaced(
    site: Path, announced_published: ARound, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(site, tmp_path / "site"))
    (out / f"{YEAR}/list.csv").write_bytes(b"damaged")
    (tmp_path / "empty").mkdir()
    for name in ("site", "empty"):
        write_site(announced_published.warehouse, tmp_path / name, "https://example.org/?a=1&b=2")
        assert files(tmp_path / name) == files(site)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "site"]


def test_one_that_fails_half_way_leaves_nothing(
    site: Path, announced_published: ARound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Path(shutil.copytree(site, tmp_path / "site"))
    real = write.files

    def failing(*given: object) -> object:
        yield from list(real(*given))[:3]  # type: ignore[arg-type]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "files", failing)
    with pytest.raises(BadUsage, match=r"cannot write the site to .*: No space left on device"):
        write_site(announced_published.warehouse, out, None)
    assert files(out) == files(site)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_one_that_is_killed_leaves_nothing_half(
    site: Path, announced_published: ARound, tmp_path: Path
) -> None:
    """Killed at its first file; the next command removes what it left."""
    out = tmp_path / "site"
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "site", "--out", str(out), "--warehouse", str(announced_published.warehouse)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and not list(tmp_path.glob(".site.*.partial/index.html")):
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists() or files(out).keys() == files(site).keys()
    write_site(announced_published.warehouse, out, "https://example.org/?a=1&b=2")
    assert files(out) == files(site)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize(
    "text",
    ["", "example.org", "ftp://example.org/", "javascript:alert(1)", "http://", "https://a b/", 'http://x/"',
     "http://x:99999999/", "http://[::1/", "//example.org", "http://x/\n", "http://计算器/"],
)  # fmt: skip
def test_a_calculator_is_an_address(text: str, announced_published: ARound, tmp_path: Path) -> None:
    options = ("--out", tmp_path / "site", "--warehouse", announced_published.warehouse)
    done = here("site", *options, "--calculator", text)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("luohu: --calculator: expected an address that begins with http://")
    assert list(tmp_path.iterdir()) == []


def test_the_command(site: Path, announced_published: ARound, tmp_path: Path) -> None:
    options = ("--out", tmp_path / "site", "--warehouse", announced_published.warehouse)
    done = here("site", *options, "--calculator", "https://example.org/?a=1&b=2")
    assert (done.returncode, done.stdout.splitlines()[1]) == (0, f"rounds: {YEAR}")
    assert files(tmp_path / "site") == files(site)
    assert "SHA256SUMS" in here("site", "--help").stdout
