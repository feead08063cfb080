"""Contests: which processes are measured against which, on what data. The first contender of each is driftline."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.files import LONG, SNAPPY, ZSTD, Variant, workload_file
from benchmarks.pairs import BenchmarkError, Command, Contender

__all__ = ["INSIDE", "START", "WHOLE", "Contest", "Place", "baselines", "contests"]

WHOLE = ("wall", "cpu", "peak")
"""Quantities of whole processes."""

INSIDE = ("first", "warm")
"""Quantities that a process measures itself: seconds of the first call, and of the best of the calls after it."""

START = ("wall", "cpu")
"""Quantities of processes that hold no more than the one that measures them."""

CALLS = 5
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Contest:
    """Contenders that are run in turn.

    Attributes
    ----------
    name : str
    title : str
        What is done, for people.
    contenders : tuple of Contender
        driftline, or the variant of it that is looked at, first.
    files : tuple of Path
        What they read.
    workloads : tuple of str
        The workloads those files belong to.
    baselines : tuple of (str, Variant)
        The workloads whose saved baseline they read.
    quantities : tuple of str
        :data:`WHOLE`, :data:`START` or :data:`INSIDE`.
    brief : bool
        The processes take well under a second: three times as many rounds cost nothing and steady the median.
    """

    name: str
    title: str
    contenders: tuple[Contender, ...]
    files: tuple[Path, ...] = ()
    workloads: tuple[str, ...] = ()
    baselines: tuple[tuple[str, Variant], ...] = ()
    quantities: tuple[str, ...] = WHOLE
    brief: bool = False

    def rounds(self, asked: int) -> int:
        """Return how many rounds to run where `asked` rounds are usual."""
        return 3 * asked if self.brief else asked


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies.

    Attributes
    ----------
    data : Path
        Folder of the workloads.
    work : Path
        Folder for baselines, reports and compiled loops; private to one run.
    scale : float
    """

    data: Path
    work: Path
    scale: float

    def file(self, name: str, side: str, variant: Variant = SNAPPY) -> Path:
        """Return a workload's file."""
        return workload_file(self.data, name, side, variant, self.scale)

    @property
    def cache(self) -> dict[str, str]:
        """The environment with a cache of compiled loops that belongs to this run."""
        return {"DRIFTLINE_CACHE_DIR": str(self.work / "cache")}

    def compile(self) -> Command:
        """Return the command that compiles the loops, which small data would never do by themselves."""
        code = "from driftline.kernels.compiled import kernel; kernel('fold_doubles')"
        return Command((sys.executable, "-c", code), self.cache)

    def baseline(self, name: str, variant: Variant = SNAPPY) -> Command:
        """Return the command that makes the saved baseline of a workload."""
        return self._baseline(self.file(name, "baseline", variant), self.kept(name, variant))

    def kept(self, name: str, variant: Variant = SNAPPY) -> Path:
        """Return the folder of a workload's saved baseline."""
        return self.work / f"baseline-{name.lower()}-{variant.codec}"

    def _baseline(self, data: Path, folder: Path) -> Command:
        words = ("-m", "driftline", "baseline", str(data), "-o", str(folder), "-q")
        return Command((sys.executable, *words), self.cache, (folder,))

    def _check(self, data: Path, baseline: Path, changes: dict[str, str] | None = None) -> Command:
        report = self.work / "report"
        words = ("check", str(data), "--baseline", str(baseline), "-o", str(report), "-q", "--exit-zero")
        return Command((sys.executable, "-m", "driftline", *words), self.cache | (changes or {}), (report,))

    def check(self, name: str, variant: Variant = SNAPPY, changes: dict[str, str] | None = None) -> Command:
        """Return the command that holds the live file of a workload to its saved baseline."""
        return self._check(self.file(name, "current", variant), self.kept(name, variant), changes)

    def both(self, name: str) -> tuple[Command, ...]:
        """Return the commands that start from the two files alone."""
        folder = self.work / "baseline-anew"
        return (
            self._baseline(self.file(name, "baseline"), folder),
            self._check(self.file(name, "current"), folder),
        )

    def scan(self, name: str, variant: Variant = SNAPPY, changes: dict[str, str] | None = None) -> Command:
        """Return the process that folds the live file :data:`CALLS` times over."""
        words = ("scan", str(self.file(name, "current", variant)), str(self.kept(name, variant)), str(CALLS))
        script = str(_HERE / "inside.py")
        return Command((sys.executable, script, *words), self.cache | (changes or {}), tells=True)


def rival(script: str, *files: Path) -> Command:
    """Return one of the scripts in ``rivals``."""
    return Command((sys.executable, str(_HERE / "rivals" / f"{script}.py"), *map(str, files)))


def _read_inside(file: Path) -> Command:
    return Command(
        (sys.executable, str(_HERE / "inside.py"), "read_table", str(file), str(CALLS)), tells=True
    )


def _driftline_script() -> str:
    script = Path(sys.executable).with_name("driftline")
    if not script.exists():
        raise BenchmarkError(f"there is no {script}: install driftline into this environment first")
    return str(script)


def contests(place: Place) -> tuple[Contest, ...]:
    """Return every contest.

    Raises
    ------
    BenchmarkError
        If driftline is not installed in the environment of this interpreter.
    """
    one_thread = {"DRIFTLINE_THREADS": "1"}
    cold = place.work / "cold"
    empty = {"DRIFTLINE_CACHE_DIR": str(cold)}

    def against_read_table(name: str, variant: Variant, title: str) -> Contest:
        live = place.file(name, "current", variant)
        return Contest(
            f"{name.lower()}-{variant.codec}",
            title,
            (
                Contender("driftline check", (place.check(name, variant),)),
                Contender("pyarrow read_table", (rival("read_table", live),)),
            ),
            (live,),
            (name,),
            ((name, variant),),
        )

    def inside(name: str, variant: Variant, title: str) -> Contest:
        live = place.file(name, "current", variant)
        return Contest(
            f"{name.lower()}-inside",
            title,
            (
                Contender("driftline scan", (place.scan(name, variant),)),
                Contender("pyarrow read_table", (_read_inside(live),)),
            ),
            (live,),
            (name,),
            ((name, variant),),
            INSIDE,
        )

    def first_run(name: str, title: str, *, brief: bool) -> Contest:
        command = place.check(name, changes=empty)
        unkept = Command(command.arguments, command.environment, (*command.fresh, cold))
        return Contest(
            f"{name.lower()}-first",
            title,
            (
                Contender("first run ever", (unkept,)),
                Contender("later run", (place.check(name),)),
            ),
            (place.file(name, "current"),),
            (name,),
            ((name, SNAPPY),),
            brief=brief,
        )

    w1 = (place.file("W1", "baseline"), place.file("W1", "current"))
    w4 = place.file("W4", "current")
    python = Command((sys.executable, "-c", "pass"))
    return (
        against_read_table("W1", SNAPPY, "W1, snappy: check of the live file against a saved baseline"),
        against_read_table("W1", ZSTD, "W1, zstd: check of the live file against a saved baseline"),
        inside("W1", SNAPPY, "W1: one pass over the live file, inside a process"),
        Contest(
            "w1-both",
            "W1: from the two files alone",
            (
                Contender("driftline baseline, then check", place.both("W1")),
                Contender("DuckDB hand-written query", (rival("duckdb_statistics", *w1),)),
                Contender("DuckDB SUMMARIZE", (rival("duckdb_summarize", *w1),)),
                Contender("pandas + scipy", (rival("pandas_scipy", *w1),)),
            ),
            w1,
            ("W1",),
        ),
        inside("W2", LONG, "W2: one pass over the live file, inside a process"),
        against_read_table("W2", LONG, "W2: check of the live file against a saved baseline"),
        against_read_table(
            "W3", SNAPPY, "W3, 2,000 columns: check of the live file against a saved baseline"
        ),
        Contest(
            "w4",
            "W4, one small scheduled run: check of the live file against a saved baseline",
            (
                Contender("driftline check", (place.check("W4"),)),
                Contender("pyarrow read_table", (rival("read_table", w4),)),
                Contender("DuckDB SUMMARIZE", (rival("duckdb_summarize", w4),)),
            ),
            (w4,),
            ("W4",),
            (("W4", SNAPPY),),
            brief=True,
        ),
        Contest(
            "memory",
            "Ten times the rows: check of W2 and of W1",
            (
                Contender("check of W2", (place.check("W2", LONG),)),
                Contender("check of W1", (place.check("W1"),)),
            ),
            (place.file("W2", "current", LONG), w1[1]),
            ("W1", "W2"),
            (("W2", LONG), ("W1", SNAPPY)),
        ),
        Contest(
            "start",
            "Start-up",
            (
                Contender("driftline --help", (Command((_driftline_script(), "--help")),)),
                Contender("import driftline", (Command((sys.executable, "-c", "import driftline")),)),
                Contender("bare Python", (python,)),
            ),
            quantities=START,
            brief=True,
        ),
        first_run("W1", "W1: no compiled loops yet", brief=False),
        first_run("W4", "W4: no compiled loops yet", brief=True),
        Contest(
            "w1-threads",
            "W1: check with one thread and with two",
            (
                Contender("two threads", (place.check("W1"),)),
                Contender("one thread", (place.check("W1", changes=one_thread),)),
            ),
            (w1[1],),
            ("W1",),
            (("W1", SNAPPY),),
        ),
        Contest(
            "w1-threads-inside",
            "W1: one pass with one thread and with two, inside a process",
            (
                Contender("two threads", (place.scan("W1"),)),
                Contender("one thread", (place.scan("W1", changes=one_thread),)),
            ),
            (w1[1],),
            ("W1",),
            (("W1", SNAPPY),),
            INSIDE,
        ),
    )


def baselines(place: Place, chosen: tuple[Contest, ...]) -> tuple[Command, ...]:
    """Return the commands that make the saved baselines those contests need."""
    needed = dict.fromkeys(need for contest in chosen for need in contest.baselines)
    return tuple(place.baseline(name, variant) for name, variant in needed)
