"""What every benchmark shares: timing, facts of the machine, a table, a JSON file.

A benchmark is one file a figure, run as `python -m bench.NAME`; its peers run in the same process.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "build" / "bench"

Row = Mapping[str, object]
Result = TypeVar("Result")


class Timing(float):
    """Seconds of the fastest run, with the median to tell how typical that was."""

    median: float

    def __new__(cls, seconds: Sequence[float]) -> Timing:
        """The timing of one or more runs."""
        timing = super().__new__(cls, min(seconds))
        timing.median = median(seconds)
        return timing

    def __reduce__(self) -> tuple[type[Timing], tuple[list[float]]]:
        """Both numbers survive the way between processes."""
        twice_median = [float(self), self.median, 2 * self.median - float(self)]
        return Timing, (twice_median,)


def measure(
    work: Callable[[], object],
    *,
    repeats: int = 5,
    loops: int = 1,
    warmups: int = 1,
    setup: Callable[[], object] | None = None,
) -> Timing:
    """Time `loops` calls of `work`, `repeats` times, after some untimed ones: seconds a call.

    `setup` runs before every repeat, untimed.
    """
    for _ in range(warmups):
        if setup is not None:
            setup()
        work()
    seconds = []
    for _ in range(repeats):
        if setup is not None:
            setup()
        start = time.perf_counter()
        for _ in range(loops):
            work()
        seconds.append((time.perf_counter() - start) / loops)
    return Timing(seconds)


def on_threads(threads: int, function: Callable[[], Result]) -> Result:
    """Call a module's function in a new process whose native code uses so many threads."""
    before = os.environ.get("RAYON_NUM_THREADS")
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
            return executor.submit(function).result()
    finally:
        del os.environ["RAYON_NUM_THREADS"]
        if before is not None:
            os.environ["RAYON_NUM_THREADS"] = before


def machine_facts() -> dict[str, object]:
    """Where and on what commit a figure was measured."""
    cpu = cpu_facts()
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "cpu": cpu.get("model name", platform.processor() or platform.machine()),
        "vectors": widest_vectors(cpu.get("flags", "").split()),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def cpu_facts() -> dict[str, str]:
    """Field by field what Linux says of the first core; empty elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}
    first = text.split("\n\n", maxsplit=1)[0]
    pairs = (line.split(":", maxsplit=1) for line in first.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def widest_vectors(flags: Sequence[str]) -> str:
    """The widest vector instructions among the flags of a core."""
    for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("asimd", "NEON")):
        if flag in flags:
            return name
    return "none known"


def commit() -> str:
    """The checked-out commit, marked if files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return found.stdout.strip() or "unknown"


def render(value: object) -> str:
    """A cell of the table: integers with separators, fractions in three or four digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Rows under a head; columns of numbers are aligned to the right."""
    cells = [[render(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    numeric = [
        all(isinstance(row.get(column), int | float | None) for row in rows) for column in columns
    ]
    rule = ["-" * width for width in widths]
    for line in ([*columns], rule, *cells):
        aligned = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        )
        print("  ".join(aligned).rstrip())


def report(name: str, rows: Sequence[Row], columns: Sequence[str] | None = None) -> Path:
    """Print the table and the machine, write `build/bench/NAME.json`; returns its path.

    `columns` chooses and orders the table's columns (default: those of the first row); the file
    holds whole rows.
    """
    if columns is None:
        columns = list(rows[0]) if rows else []
    facts = machine_facts()
    print_table(rows, columns)
    print()
    print(", ".join(f"{key} {value}" for key, value in facts.items()))
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    text = json.dumps({"name": name, "machine": facts, "rows": list(rows)}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(ROOT)}")
    return path
