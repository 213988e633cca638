"""A year in one warehouse whose commands are killed, come in twos or find a full disk, and what must be so after.

After each, whatever was acknowledged is there and the ledger holds together; once an operation is done, it
was done once, nothing is left over, and the tables are those made from nothing.
"""

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
from commands import here
from deciding import YEAR, ARound
from killing import Killed, Standby

from flows.common.database import DATABASE
from flows.kept.run_files import is_complete
from flows.ledger.entries import LEDGER
from flows.ledger.file import read
from flows.ledger.seen_in_database import shown_by
from flows.ledger.state import State
from flows.ledger.verify import verified
from flows.process.tables import rebuilt
from flows.run.make_current import make_current

EACH = 8  # times an operation is disturbed at most; then it may end
ALONE, TWO, FULL = "alone", "two at once", "disk full"
TIMES_MORE = {"run", "run as known"}  # of all else the second time is recognised or refused
ALL = "(all)"

Tables = dict[str, list[tuple[Any, ...]]]


class KilledYear:
    """The warehouse, and how often what was killed."""

    def __init__(self, of: ARound, seed: int) -> None:
        self.of, self.warehouse = of, of.warehouse
        self.chance = random.Random(seed)
        self.counts = Counter[tuple[str, str]]()
        self.seconds: dict[str, float] = {}  # that an operation takes, as far as is known
        self.standby = Standby()

    @property
    def state(self) -> State:
        return read(self.warehouse)

    @property
    def kills(self) -> int:
        return self.counts[ALL, "killed"]

    def last(self, operation: str) -> Any:
        """The last entry of an operation that stands."""
        return list(self.state.standing(operation, YEAR))[-1]

    def do(
        self, kind: str, command: str, at: str, is_done: Callable[[State], bool] | None = None
    ) -> None:
        """Disturb a command until it is done after all, or was disturbed often enough."""
        words = [*command.split(), *self.of.options(at)]
        first = self.state.seq
        is_done = is_done or (lambda state: state.seq > first)
        ways = (self.killed, self.one_of_two, self.without_room)
        for _ in range(EACH):
            self.chance.choices(ways, (8, 1, 1))[0](kind, words)
            if is_done(self.state):
                break
        else:
            done = self.begun(words).ended()
            require_answer(kind, done)
            assert is_done(self.state), (kind, done)
        before = self.state.seq
        again = here(*words)
        assert again.returncode in {0, 2}, again.stderr
        assert kind in TIMES_MORE or self.state.seq == before, f"{kind} was done twice"
        self.nothing_left()

    def begun(self, words: Sequence[object], room: int | None = None) -> Standby:
        """The process that stood by works on a command, and another one comes up meanwhile."""
        working, self.standby = self.standby, Standby()
        working.begin(*words, room=room)
        return working

    # --- three ways to be disturbed ---

    def killed(self, kind: str, words: Sequence[object]) -> None:
        before, ledger = self.state, self.ledger_bytes()
        self.look(kind, before, ledger, self.kill(kind, self.begun(words), len(ledger)), ALONE)

    def kill(self, kind: str, working: Standby, size: int) -> Killed:
        """At any moment of the time it takes, or at the moment when its entry is written."""
        if self.chance.random() < 0.3:
            later = self.chance.choice((0, 0, 0.001, 0.01))
            return working.kill_once(lambda: self.ledger_size() != size, later)
        long = self.seconds.setdefault(kind, 0.5)
        done = working.kill_after(long * self.chance.random())
        self.seconds[kind] = 1.25 * long if done.status < 0 else max(done.seconds, 0.05)
        return done

    def one_of_two(self, kind: str, words: Sequence[object]) -> None:
        """Two clerks give the same command; one is killed, and the other waits and is answered."""
        before, ledger = self.state, self.ledger_bytes()
        both = [self.begun(words), self.begun(words)]
        done = self.kill(kind, both[0], len(ledger))
        require_answer(kind, both[1].ended())
        self.look(kind, before, ledger, done, TWO)
        own = [json.dumps(each.body, sort_keys=True) for each in self.state.entries[before.seq :]]
        assert kind in TIMES_MORE or len(set(own)) == len(own), f"{kind} was done twice"

    def without_room(self, kind: str, words: Sequence[object]) -> None:
        """On a full disk it is refused and nothing is recorded, or it is done and says so."""
        before, ledger = self.state, self.ledger_bytes()
        largest = (self.warehouse / DATABASE).stat().st_size
        near = len(ledger) + self.chance.randrange(2_000)
        room = self.chance.choice((0, near, self.chance.randrange(largest)))
        done = self.begun(words, room).ended()
        assert not any("Traceback" in line for line in done.errors), done
        assert self.ledger_bytes() == ledger or self.state.seq > before.seq
        self.look(kind, before, ledger, done, FULL)

    # --- what must be so ---

    def look(self, kind: str, before: State, ledger: bytes, done: Killed, how: str) -> None:
        """What stood before stands, and so does what was acknowledged now."""
        assert self.ledger_bytes().startswith(ledger)
        state = verified(self.warehouse)  # with every file that its entries name
        assert state.entries[: before.seq] == before.entries
        heads = {each.sha256 for each in state.entries}
        for line in done.said:
            word, _, rest = line.partition(" ")
            assert word != "head" or rest in heads, f"{kind}: acknowledged, and lost"
        for entry in state.made("run", YEAR):
            assert is_complete(self.warehouse / "runs" / f"{YEAR}" / entry.body["id"])
        shown = shown_by(self.warehouse)
        assert shown is None or shown.seq <= state.seq
        if done.status < 0:
            when = "after" if state.seq > before.seq else "before"
            self.counts[kind, f"killed {when} the entry"] += 1
            self.counts[ALL, f"killed, {how}"] += 1
            self.counts[ALL, "killed"] += 1
            self.counts[ALL, "torn lines"] += not self.ledger_bytes().endswith(b"\n")
        elif how == FULL:
            self.counts[kind, f"disk full, {'refused' if done.status else 'done'}"] += 1
        else:
            self.counts[kind, "ended before its kill"] += 1

    def nothing_left(self) -> None:
        """No work folder, no file that no entry names; and the tables are those made from nothing."""
        state, shown = self.state, shown_by(self.warehouse)
        assert not list(self.warehouse.glob(".work/*"))
        named = {name for each in state.entries for name in each.body.get("files", {})}
        kept = {f"deliveries/{each.name}" for each in (self.warehouse / "deliveries").iterdir()}
        assert kept == {name for name in named if name.startswith("deliveries/")}
        assert shown
        assert shown.seq == state.seq
        assert tables(self.warehouse) == self.tables_anew()

    def tables_anew(self) -> Tables:
        """Those of a copy of the warehouse that lost its database."""
        anew = self.of.copy(self.warehouse.with_name("anew")).warehouse
        current = self.of.rows(f"SELECT run_id FROM rounds WHERE round = {YEAR}")
        (anew / DATABASE).unlink()
        (anew / LEDGER).rename(anew / "ledger")  # of a published round nobody changes the run
        for each in current:
            make_current(YEAR, each["run_id"], anew)
        (anew / "ledger").rename(anew / LEDGER)
        rebuilt(anew, self.of.data)
        found = tables(anew)
        shutil.rmtree(anew.parent)
        return found

    def ledger_bytes(self) -> bytes:
        return (self.warehouse / LEDGER).read_bytes()

    def ledger_size(self) -> int:
        return (self.warehouse / LEDGER).stat().st_size


def require_answer(kind: str, done: Killed) -> None:
    """It was done, or refused in one line since another did it."""
    said = [line for line in done.errors if not line.startswith("luohu: rehearsal")]
    assert done.status in {0, 2}, (kind, done)
    assert not any("Traceback" in line for line in said), done
    assert done.status == 0 or len(said) == 1, (kind, said)


def tables(warehouse: Path) -> Tables:
    """All that a database holds."""
    with duckdb.connect(str(warehouse / DATABASE), read_only=True) as database:
        names = database.execute("SELECT table_name FROM duckdb_tables ORDER BY ALL").fetchall()
        return {
            name: database.execute(f'FROM "{name}" ORDER BY ALL').fetchall() for (name,) in names
        }
