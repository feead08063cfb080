"""Scheduler: the loop that plans what is due, runs it, tells of it, and looks after the rest.

Any number of schedulers may run on one registry. None of them holds anything in memory that matters: what is due, who does
it and what came of it stand in the registry, and whoever starts takes up from there.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa

from driftline.errors import DriftlineError, printable
from driftline.monitor.planning import captures_for, find_late, forget_erased, look_after_alerts, plan_due
from driftline.monitor.running import Place, Stopped, run
from driftline.monitor.schedule import duration_us
from driftline.monitor.turn import SECOND, Settings, Tick
from driftline.registry import baselines, executions
from driftline.registry.database import RegistryError
from driftline.registry.executions import Execution, Finding
from driftline.registry.ids import new_id
from driftline.registry.store import SYSTEM, Registry, Tx
from driftline.registry.tables import leases, schedulers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from driftline.baselines.protocol import AnyBaseline

    Runner = Callable[..., Finding]

    class Poster(Protocol):
        """What sends, or feeds; without waiting for answers, or only some at a time, where `wait` is false."""

        def __call__(self, registry: Registry, owner: str, *, wait: bool = True) -> int: ...


__all__ = ["Scheduler", "Settings", "Tick"]

_log = logging.getLogger("driftline.scheduler")


@dataclass
class _Held:
    """An execution that this process runs."""

    execution: Execution
    deadline: float  # by the monotonic clock: what a process must not do after this moment
    limit: float  # when its time is over
    lost: str | None = None
    stopping: bool = False
    started: float = field(default_factory=time.monotonic)


class Scheduler:
    """One scheduler process.

    Parameters
    ----------
    registry : Registry
    place : Place
    settings : Settings, optional
    runner : callable, optional
        Runs one execution; :func:`driftline.monitor.running.run` where not given.
    post : callable, optional
        Sends what the outbox holds and returns how many were sent; nothing is sent where it is not given.
    feed : callable, optional
        Brings what was found to the model cards and returns how much; nothing is brought where it is not given.

    Attributes
    ----------
    turned : float
        When the loop last looked at what is due, by the monotonic clock.
    """

    def __init__(
        self,
        registry: Registry,
        place: Place,
        settings: Settings | None = None,
        *,
        runner: Runner = run,
        post: Poster | None = None,
        feed: Poster | None = None,
    ) -> None:
        self.registry = registry
        self.place = place
        self.settings = settings or Settings()
        self.id = f"{socket.gethostname()[:40]}-{os.getpid()}-{new_id()[-8:]}"
        self._runner = runner
        self._post = post
        self._feed = feed
        self._stop = threading.Event()
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()
        self._baselines: dict[tuple[str, str], AnyBaseline] = {}
        self._next_late = 0.0
        self.turned = time.monotonic()
        self._next_chores = 0.0
        self._next_beat = 0.0
        self._next_seen = 0.0
        self._next_sweep = time.monotonic() + self.settings.sweep_every / 1e6
        self._beating: threading.Thread | None = None

    # --- the loop -----------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Ask the loop to end: runs in progress are finished, no new ones begun. For signal handlers and threads."""
        self._stop.set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    def run_forever(self) -> None:
        """Do what is due until :meth:`stop` is called."""
        self._announce()
        keeper = threading.Thread(target=self._keep_leases, name="driftline-leases", daemon=True)
        keeper.start()
        beside = [
            threading.Thread(target=self._keep_on, args=(action, what), name=f"driftline-{name}", daemon=True)
            for name, what, action in (
                ("post", "send notifications", self._post),
                ("feed", "feed the model cards", self._feed),
            )
            if action is not None
        ]
        for one in beside:
            one.start()
        try:
            with ThreadPoolExecutor(self.settings.workers, "driftline-run") as pool:
                running: set[Future[bool]] = set()
                while not self._stop.is_set():
                    pause = self.settings.poll / 1e6
                    try:
                        self._turn(pool, running)
                        if running:
                            pause = min(pause, 0.2)
                    except DriftlineError as error:
                        # The database is away or busy: what is running goes on for as long as its lease allows.
                        _log.warning("cannot look at what is due: %s", error)
                        pause = max(pause, 1.0)
                    except Exception:  # noqa: BLE001
                        # A fault in one look must not take the scheduler from all monitors; the next is made.
                        _log.exception("a look at what is due failed")
                        pause = max(pause, 1.0)
                    if len(running) >= self.settings.workers:
                        wait(running, timeout=pause, return_when=FIRST_COMPLETED)
                    else:
                        self._stop.wait(pause * random.uniform(0.8, 1.0))  # noqa: S311
                _log.info("ending: %d runs in progress", len(running))
        finally:
            self._stop.set()
            keeper.join(5)
            for one in beside:
                one.join(5)
            self._farewell()

    def _turn(self, pool: ThreadPoolExecutor, running: set[Future[bool]]) -> None:
        self.turned = time.monotonic()
        self._seen()
        plan_due(self.registry)
        # However much is due, the rest is looked after now and then.
        until = time.monotonic() + max(1.0, self.settings.poll / 1e6)
        while not self._stop.is_set() and time.monotonic() < until:
            _collect(running)
            if len(running) >= self.settings.workers:
                break
            taken = self.claim(self.settings.workers - len(running))
            if not taken:
                break
            running |= {pool.submit(self._run_one, execution) for execution in taken}
            wait(running, timeout=0.05, return_when=FIRST_COMPLETED)
        self._chores()
        self._beat()

    def tick(self) -> Tick:
        """Do all that is due now, one after the other, and return what was done. For tests, demos and cron."""
        planned, skipped = plan_due(self.registry)
        late = 0
        if time.monotonic() >= self._next_late:
            self._put_off("late")
            late = find_late(self.registry, self.place)
        ran = 0
        with self._keeping():
            while taken := self.claim(1):
                for execution in taken:
                    ran += self._run_one(execution)
        if self._lease("alerts"):
            self._look_after_alerts()
        self._beat()
        sent = 0 if self._post is None else self._post(self.registry, self.id)
        fed = 0 if self._feed is None else self._feed(self.registry, self.id)
        return Tick(planned, skipped, ran, late, sent, fed)

    def drain(self, *, most: int = 10_000) -> Tick:
        """Go on until nothing is due any more."""
        total = Tick()
        for _ in range(most):
            done = self.tick()
            total = Tick(
                total.planned + done.planned,
                total.skipped + done.skipped,
                total.ran + done.ran,
                total.late + done.late,
                total.sent + done.sent,
                total.fed + done.fed,
            )
            if not (done.planned or done.ran or done.late or done.sent or done.fed):
                break
        return total

    # --- running ------------------------------------------------------------------------------------------------------

    def claim(self, limit: int, *, execution: str | None = None) -> list[Execution]:
        """Take on executions whose time has come."""
        lease = self.settings.lease
        # The lease counts from before it is asked for: a pause in between must not make it seem longer.
        asked = time.monotonic()
        taken = self.registry.act(
            lambda tx: executions.claim(tx, self.id, lease=lease, limit=limit, execution=execution),
            who=SYSTEM,
        )
        with self._lock:
            for one in taken:
                self._held[one.id] = _Held(one, asked + lease / 1e6 * 2 / 3, asked + _limit(one) / 1e6)
        return taken

    def run_now(self, execution: str) -> Execution:
        """Run one execution at once, in this thread, and return what came of it.

        Where another process runs it already, or another window of its schedule, that is waited for.
        """
        with self._keeping():
            while True:
                taken = self.claim(1, execution=execution)
                for one in taken:
                    self._run_one(one)
                with self.registry.read() as tx:
                    found = executions.get(tx, execution)
                if taken or found.has_ended:
                    return found
                time.sleep(min(0.5, self.settings.poll / 1e6))

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        """Renew the leases of what is run meanwhile."""
        stop = threading.Event()
        keeper = threading.Thread(
            target=self._keep_leases, args=(stop,), name="driftline-leases", daemon=True
        )
        keeper.start()
        try:
            yield
        finally:
            stop.set()
            keeper.join(5)

    def _run_one(self, execution: Execution) -> bool:
        held = self._held.get(execution.id)
        if held is None or held.execution.token != execution.token:
            return False

        def heartbeat() -> None:
            now = time.monotonic()
            if held.lost is not None:
                raise Stopped(held.lost)
            if now > held.deadline:
                raise Stopped("its lease could not be renewed in time")
            if held.stopping:
                raise Stopped("stopped by hand")
            if now > held.limit:
                raise Stopped("max_runtime")

        try:
            try:
                baseline, version = self._baseline_of(execution)
                with self.registry.read() as tx:
                    now = tx.now
                    captures = captures_for(tx, self.place, execution.endpoint)
                finding = self._runner(
                    execution,
                    self.place,
                    baseline,
                    captures=captures,
                    now=now,
                    heartbeat=heartbeat,
                    threads=self.settings.threads,
                )
                finding = replace(finding, baseline_version=version)
                heartbeat()
            except Stopped as reason:
                ended = _stopped(execution, str(reason))
                if ended is None:
                    _log.warning("execution %s is given up: %s", execution.id, reason)
                    return False
                finding = ended
            except DriftlineError as error:
                finding = Finding(
                    "Failed",
                    str(error),
                    error.code,
                    passing=error.code in ("E-BUSY", "E-REGISTRY", "E-STORE"),
                )
            except Exception as error:  # noqa: BLE001
                # As with the run itself: told, and no reason to wait for the lease to end.
                _log.exception("execution %s failed", execution.id)
                what = f"{type(error).__name__}: {printable(error, 300)}"
                finding = Finding("Failed", what, "E-INTERNAL")
            pause = min(3600, 30 * 4 ** (execution.attempts - 1)) * SECOND
            return self._finish(execution, finding, pause)
        except DriftlineError as error:
            # Nothing took effect; whoever claims it next does it again.
            _log.warning("execution %s could not be ended: %s", execution.id, error)
            return False
        finally:
            with self._lock:
                # This process may have taken it on again, after a lease that it could not renew.
                if self._held.get(execution.id) is held:
                    del self._held[execution.id]

    def _finish(self, execution: Execution, finding: Finding, pause: int) -> bool:
        try:
            return self.registry.act(
                lambda tx: executions.finish(tx, execution, finding, retry_after=pause), who=SYSTEM
            )
        except RegistryError:
            raise
        except Exception as error:  # noqa: BLE001
            # What the registry cannot hold it cannot hold the next time either.
            _log.exception("what came of execution %s could not be written", execution.id)
            what = f"its result could not be written: {type(error).__name__}: {printable(error, 300)}"
            failed = Finding("Failed", what, "E-INTERNAL")
            return self.registry.act(lambda tx: executions.finish(tx, execution, failed), who=SYSTEM)

    def _baseline_of(self, execution: Execution) -> tuple[AnyBaseline | None, int | None]:
        if execution.baseline is None:
            return None, None
        with self.registry.read() as tx:
            current = baselines.find_current(tx, execution.baseline)
        if current is None:
            return None, None
        key = (current.path, current.digest)
        if key not in self._baselines:
            if len(self._baselines) >= 32:
                self._baselines.pop(next(iter(self._baselines)))
            self._baselines[key] = self.place.baseline(current.path, current.digest)
        return self._baselines[key], current.version

    def _keep_leases(self, stop: threading.Event | None = None) -> None:
        """Renew what is held, every third of the lease; what cannot be renewed is given up before the lease ends."""
        ended = stop or self._stop
        pause = self.settings.lease / 3e6
        while not ended.wait(pause) or self._held:
            if ended.is_set():
                time.sleep(min(pause, 0.5))
            with self._lock:
                mine = list(self._held.values())
            for held in mine:
                asked = time.monotonic()
                try:
                    status = self.registry.act(
                        lambda tx, one=held.execution: executions.renew(tx, one, lease=self.settings.lease),  # type: ignore[misc]
                        who=SYSTEM,
                        seconds=pause,
                    )
                except Exception as error:  # noqa: BLE001
                    # Whatever it is, the others are to be renewed, and this one may be next time.
                    _log.warning("the lease of %s could not be renewed: %s", held.execution.id, error)
                    continue
                if status is None:
                    held.lost = "another process has taken it over"
                else:
                    held.deadline = asked + self.settings.lease / 1e6 * 2 / 3
                    held.stopping = status == "Stopping"

    # --- chores -------------------------------------------------------------------------------------------------------

    def _put_off(self, what: str) -> None:
        now = time.monotonic()
        if what == "late":
            self._next_late = now + self.settings.late_every / 1e6
        elif what == "sweep":
            self._next_sweep = now + self.settings.sweep_every / 1e6
        else:
            self._next_chores = now + self.settings.chores_every / 1e6

    def _chores(self) -> None:
        """Look for late data and after alerts, where it is time and nobody else does; one that fails keeps no other."""
        for is_time, name, action in (
            (time.monotonic() >= self._next_late, "late", self._look_for_late),
            (time.monotonic() >= self._next_chores, "alerts", self._look_after_alerts),
            (time.monotonic() >= self._next_sweep, "sweep", self._sweep),
        ):
            if is_time:
                try:
                    if self._lease(name):
                        self._put_off(name)
                        action()
                except DriftlineError as error:
                    _log.warning("cannot look after %s: %s", name, error)
                except Exception:  # noqa: BLE001
                    _log.exception("looking after %s failed", name)

    def _look_for_late(self) -> None:
        find_late(self.registry, self.place)

    def _sweep(self) -> None:
        forget_erased(self.registry, self.place)

    def _look_after_alerts(self) -> None:
        look_after_alerts(self.registry, self.settings.stale_after)

    def _beat(self) -> None:
        """Send a sign of life, so that somebody outside notices when there are none."""
        config = self.settings.heartbeat
        if not config or self._post is None or time.monotonic() < self._next_beat:
            return
        self._next_beat = time.monotonic() + duration_us(str(config.get("every") or "PT5M")) / 1e6
        if self._beating is not None and self._beating.is_alive():
            # The last one is still on its way: no second thread for a receiver that hangs.
            return
        from driftline.monitor.post import beat

        self._beating = threading.Thread(
            target=beat, args=(config, self.id), name="driftline-beat", daemon=True
        )
        self._beating.start()

    def _keep_on(self, action: Poster, what: str) -> None:
        """Send, or feed, in a thread of its own: a receiver that is slow keeps no run waiting."""
        while not self._stop.is_set():
            done = 0
            try:
                done = action(self.registry, self.id, wait=False)
            except DriftlineError as error:
                _log.warning("cannot %s: %s", what, error)
            except Exception:  # noqa: BLE001
                _log.exception("could not %s", what)
            if not done:
                self._stop.wait(min(self.settings.poll / 1e6, 1.0))

    def _lease(self, name: str) -> bool:
        """Take on a chore that one process at a time does."""

        def take(tx: Tx) -> bool:
            epoch, clock = tx.lease_clock()
            row = tx.one(sa.select(leases).where(leases.c.name == name))
            if row is not None and row.owner != self.id and row.epoch == epoch and row.until > clock:
                return False
            token = 1 if row is None else row.token + 1
            tx.insert(
                leases,
                "update",
                name=name,
                owner=self.id,
                token=token,
                epoch=epoch,
                until=clock + self.settings.lease,
            )
            return True

        return self.registry.act(take, who=SYSTEM)

    def _announce(self) -> None:
        def write(tx: Tx) -> None:
            tx.insert(
                schedulers,
                "update",
                id=self.id,
                host=socket.gethostname(),
                pid=os.getpid(),
                started=tx.now,
                seen=tx.now,
                stopped=None,
            )
            tx.emit("scheduler.started", f"schedulers/{self.id}", {"scheduler": self.id})

        self.registry.act(write, who=SYSTEM)

    def _seen(self) -> None:
        # While something runs the loop turns five times a second: too often to write each time.
        if time.monotonic() < self._next_seen:
            return
        self._next_seen = time.monotonic() + min(self.settings.poll, 5 * SECOND) / 1e6
        self.registry.act(
            lambda tx: tx.execute(
                sa.update(schedulers).where(schedulers.c.id == self.id).values(seen=tx.now)
            ),
            who=SYSTEM,
        )

    def _farewell(self) -> None:
        def write(tx: Tx) -> None:
            with self._lock:
                left = list(self._held.values())
            for held in left:
                executions.give_back(tx, held.execution)
            tx.execute(
                sa.update(schedulers).where(schedulers.c.id == self.id).values(stopped=tx.now, seen=tx.now)
            )
            tx.execute(sa.delete(leases).where(leases.c.owner == self.id))
            tx.emit("scheduler.stopped", f"schedulers/{self.id}", {"scheduler": self.id})

        try:
            self.registry.act(write, who=SYSTEM, seconds=5)
        except DriftlineError as error:
            _log.warning("left without a farewell: %s", error)


def _collect(running: set[Future[bool]]) -> None:
    """Take out what is done. Nothing comes out of a run but what it told the registry; a fault on the way there is told."""
    for future in [future for future in running if future.done()]:
        running.discard(future)
        fault = future.exception()
        if fault is not None:
            _log.error("a run could not be ended", exc_info=fault)


def _limit(execution: Execution) -> int:
    """Return how long a run may take; an hour where its configuration, which planning refuses then, makes no sense."""
    try:
        return duration_us(str(execution.config.get("max_runtime") or "PT1H"), field="max_runtime")
    except DriftlineError:
        return 3600 * SECOND


def _stopped(execution: Execution, reason: str) -> Finding | None:
    """Return what a run that was stopped comes to; None where it is somebody else's to say."""
    if reason == "stopped by hand":
        return Finding("Stopped", reason)
    if reason == "max_runtime":
        told = str(execution.config.get("max_runtime") or "PT1H")
        return Finding("Failed", f"ran longer than its max_runtime of {told}", "E-RUNTIME")
    return None
