"""Four FCGI workers under mixed load while project and rules are rewritten and workers killed.

Every answer must be the one that is right for its caller under a policy that lay on the disk while
it was made, or at most a stated time before. Afterwards: one log line per request, and no growth of
memory in the workers that lived through it all.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import soak_world as world  # noqa: E402 (the path is set above)
from benchmarks.farm import Farm, memory_mb  # noqa: E402
from benchmarks.load import Answer, Connection, request_bytes  # noqa: E402

WORKERS = 4
MORTAL = (2, 3)
"""The workers that are killed again and again; the others live through the whole run."""
CLIENTS = 6
GRACE = 5.0
"""Seconds after which nobody may be answered by rules or a project that were replaced."""
GROWTH_MB = 24.0
"""How much a worker may grow between the end of the first third and the end."""
BROKEN = (502, 504)
SEED: dict[str, Any] = {"QT_HASH_SEED": "0"}
"""Qt writes the attributes of XML in an order of chance otherwise, other in each process."""
WARM = {"X-Request-ID": "warm-up"}
Expected = dict[tuple[world.State, str, str], tuple[int, bytes, bytes]]


@dataclass
class Run:
    """What is counted while the load runs."""

    folder: Path
    farm: Farm
    expected: Expected
    seconds: float
    began: float = field(default_factory=time.monotonic)
    history: list[tuple[float, world.State]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    stalest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    memory: dict[int, list[float]] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self.began > self.seconds or len(self.wrong) > 20

    def put(self, state: world.State) -> None:
        """Put a state on the disk and remember since when."""
        now = time.monotonic()
        if not self.history or self.history[-1][1].project != state.project:
            world.put_project(self.folder, state.project)
        if not self.history or self.history[-1][1].rules != state.rules:
            world.put_rules(self.folder, state.rules)
        with self.lock:
            self.history.append((now, state))

    def judge(self, caller: str, name: str, sent: float, answer: Answer) -> None:
        """Compare an answer with those that were right while it was made."""
        found = world.told(answer.status, answer.head, answer.body, self.farm.port)
        got = time.monotonic()
        with self.lock:
            self.counts[name] += 1
            self.statuses[answer.status] += 1
            history = list(self.history)
        ages = [
            max(0.0, sent - until)
            for since, until, state in _spans(history)
            if since <= got and found == self.expected[state, caller, name]
        ]
        age = min(ages, default=None)
        with self.lock:
            if age is None or age > GRACE:
                why = "of no policy" if age is None else f"of a policy gone for {age:.1f} s"
                self.wrong.append(
                    f"{caller}, {name}: an answer {why}: {found[0]} {found[2][:300]!r}"
                )
            else:
                self.stalest = max(self.stalest, age)


def _spans(history: list[tuple[float, world.State]]) -> list[tuple[float, float, world.State]]:
    ends = [since for since, _ in history[1:]] + [float("inf")]
    return [(since, until, state) for (since, state), until in zip(history, ends)]


def learn(folder: Path) -> Expected:
    """Return the right answers: those of a fresh worker that never saw another policy."""
    expected: Expected = {}
    targets = world.targets(folder / "town.qgs")
    for state in world.STATES:
        world.put(folder, state)
        with Farm(1, with_plugin=True, **SEED) as farm:
            connection = Connection(farm.port)
            for caller, headers in world.CALLERS.items():
                for name, target in targets.items():
                    answer = connection.ask(request_bytes(target, headers))
                    found = world.told(answer.status, answer.head, answer.body, farm.port)
                    expected[state, caller, name] = found
            connection.close()
    _hold_against_the_policies(expected)
    return expected


def _hold_against_the_policies(expected: Expected) -> None:
    """Stop when even a quiet server tells what it must not, or does not tell what it may."""
    for (state, caller, name), (status, _, body) in expected.items():
        told = set(world.CANARY.findall(body))
        if not told <= world.allowed(state, caller):
            raise SystemExit(f"{state}, {caller}, {name}: {told - world.allowed(state, caller)}")
        if name in ("features", "items") and status == 200:
            count = body.count(b"CNname")
            if count != world.expected_features(state, caller):
                raise SystemExit(f"{state}, {caller}, {name}: {count} parcels")
        if name == "salaries" and (b"CNpay" in body) is not world.sees_salaries(state, caller):
            raise SystemExit(f"{state}, {caller}: salaries: {body[:300]!r}")
    kinds = {name: {expected[key] for key in expected if key[2] == name} for *_, name in expected}
    same = [name for name, found in kinds.items() if len(found) < 2]
    if same:
        raise SystemExit(f"the policies make no difference to {same}")


def warm_up(farm: Farm) -> None:
    """Wait until every worker has loaded QGIS and the plugin, and answers."""
    limit = time.monotonic() + 120
    pids: set[int] = set()
    while len(pids) < WORKERS and time.monotonic() < limit:
        connections = [Connection(farm.port) for _ in range(WORKERS)]
        threads = [
            threading.Thread(
                target=c.ask, args=(request_bytes("/?SERVICE=ACCESS&REQUEST=Health", WARM),)
            )
            for c in connections
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = farm.log.read_bytes().splitlines()
        pids = {json.loads(line)["pid"] for line in lines}
    if len(pids) < WORKERS:
        raise SystemExit(f"only {len(pids)} of {WORKERS} workers answer")


def client(run: Run, number: int) -> None:
    """Send random requests until the time is over."""
    dice = random.Random(number)
    targets = list(world.targets(run.folder / "town.qgs").items())
    connection = Connection(run.farm.port)
    sequence = 0
    while not run.is_over:
        caller = dice.choice(list(world.CALLERS))
        name, target = dice.choice(targets)
        sequence += 1
        headers = {**world.CALLERS[caller], "X-Request-ID": f"soak-{number}-{sequence}"}
        sent = time.monotonic()
        try:
            answer = connection.ask(request_bytes(target, headers))
        except OSError:
            # nginx hangs up when a worker dies in the middle of an answer.
            with run.lock:
                run.counts["cut off"] += 1
            connection = Connection(run.farm.port)
            continue
        if answer.status in BROKEN:
            with run.lock:
                run.counts["lost with a killed worker"] += 1
        else:
            run.judge(caller, name, sent, answer)
    connection.close()


def disturb(run: Run) -> None:
    """Rewrite the project and the rules, and kill workers."""
    dice = random.Random(1)
    next_kill = time.monotonic() + 3
    while not run.is_over:
        time.sleep(dice.uniform(0.3, 1.2))
        state = run.history[-1][1]
        if dice.random() < 0.4:
            state = world.State(dice.choice(list(world.PROJECTS)), state.rules)
        else:
            state = world.State(state.project, dice.choice(list(world.RULES)))
        if state != run.history[-1][1]:
            run.put(state)
            run.counts["rewritten"] += 1
        if time.monotonic() > next_kill:
            run.farm.kill_worker(dice.choice(MORTAL))
            run.counts["killed"] += 1
            next_kill = time.monotonic() + dice.uniform(3, 8)
        for number in set(range(WORKERS)) - set(MORTAL):
            process = run.farm.workers[number]
            if process.poll() is not None:
                run.wrong.append(f"a worker ended by itself with {process.returncode}")
                return
            run.memory.setdefault(process.pid, []).append(memory_mb(process.pid))


def settle(run: Run) -> None:
    """After the last change and the time of grace every worker gives the last policy's answers."""
    time.sleep(GRACE)
    state = run.history[-1][1]
    for name, target in world.targets(run.folder / "town.qgs").items():
        for caller, headers in world.CALLERS.items():
            for turn in range(WORKERS):
                connection = Connection(run.farm.port)
                request_id = f"settled-{caller}-{name}-{turn}".replace(" ", "-")
                named = {**headers, "X-Request-ID": request_id}
                answer = connection.ask(request_bytes(target, named))
                connection.close()
                found = world.told(answer.status, answer.head, answer.body, run.farm.port)
                run.counts["settled"] += 1
                if found != run.expected[state, caller, name]:
                    run.wrong.append(f"{caller}, {name}: not the last policy's: {found[2][:300]!r}")


def hold_logs_together(run: Run) -> dict[str, int]:
    """Return how the log's lines and nginx's own agree, request by request."""
    ours: Counter[str] = Counter()
    statuses: dict[str, int] = {}
    torn = 0
    for line in run.farm.log.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            torn += 1
            continue
        ours[entry["request_id"]] += 1
        statuses[entry["request_id"]] = entry["status"]
    del ours[WARM["X-Request-ID"]]
    theirs = {}
    for told in run.farm.access_log.read_text(encoding="utf-8").splitlines():
        status, _, request_id = told.split(" ")
        theirs[request_id] = int(status)
    del theirs[WARM["X-Request-ID"]]
    whole = {i: s for i, s in theirs.items() if s not in (*BROKEN, 499)}
    cut = {i for i in whole if i in ours and statuses[i] != whole[i]}
    return {
        "requests": len(theirs),
        "lines": sum(ours.values()),
        "torn": torn,
        "without a line": sum(1 for i in whole if ours[i] == 0),
        "with two lines": sum(1 for count in ours.values() if count > 1),
        "with another status": len(cut),
        "of nobody": sum(1 for i in ours if i not in theirs),
    }


def verdict(run: Run, logs: dict[str, int]) -> list[str]:
    """Print what was counted and return what was wrong."""
    wrong = list(run.wrong)
    cut = run.counts["cut off"]
    print(f"  answers: {sum(run.statuses.values())} judged, by status {dict(run.statuses)}")
    print(f"  {run.counts['settled']} more after the end; every request was made at least "
          f"{min(run.counts[name] for name in world.targets(Path()))} times")  # fmt: skip
    print(f"  {run.counts['rewritten']} rewrites, {run.counts['killed']} workers killed, "
          f"{run.counts['lost with a killed worker']} requests lost with one, {cut} cut off")  # fmt: skip
    print(f"  oldest policy in an answer: {run.stalest:.2f} s after it was replaced")
    print(f"  log: {logs}")
    allowance = {"without a line": cut, "with another status": cut}
    for name in ("torn", "without a line", "with two lines", "with another status", "of nobody"):
        if logs[name] > allowance.get(name, 0):
            wrong.append(f"log: {logs[name]} {name}")
    for pid, values in run.memory.items():
        third = len(values) // 3
        growth = max(values[-3:]) - max(values[third : third + 3] or values)
        print(f"  memory of worker {pid}: {values[0]:.0f} MB at first, {values[third]:.0f} after a "
              f"third, {values[-1]:.0f} at the end, growth {growth:+.1f} MB")  # fmt: skip
        if growth > GROWTH_MB:
            wrong.append(f"worker {pid} grew by {growth:.1f} MB")
    return wrong


def soak(seconds: float) -> list[str]:
    """Run it all and return what was wrong."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        world.make(folder)
        print("Learning the right answers", flush=True)
        expected = learn(folder)
        settings: dict[str, Any] = {"ACCESS_FILTER_LOG_DEFAULT": "always", **SEED}
        with Farm(WORKERS, with_plugin=True, access_log=True, **settings) as farm:
            world.put(folder, world.STATES[0])
            warm_up(farm)
            run = Run(folder, farm, expected, seconds)
            run.put(world.STATES[0])
            print(f"{seconds:.0f} seconds of load", flush=True)
            threads = [threading.Thread(target=client, args=(run, n)) for n in range(CLIENTS)]
            threads.append(threading.Thread(target=disturb, args=(run,)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            settle(run)
            time.sleep(1.0)
            wrong = verdict(run, hold_logs_together(run))
            if wrong:
                text = farm.qgis_log
                place = text.find("Traceback")
                print(f"QGIS's log has: {text[max(0, place - 300) : place + 5000]}")
            return wrong


def main() -> int:
    """Soak, print the verdict, and return 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="script/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args()
    # Ended from outside, the servers are ended as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wrong = soak(options.minutes * 60)
    for line in wrong[:20]:
        print(f"WRONG: {line}")
    print("passed" if not wrong else f"FAILED: {len(wrong)} things were wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
