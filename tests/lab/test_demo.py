"""The whole demo on a small made-up market: a real chain, a real node, every check of its table."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from novate import cli
from novate.l1.abi import artifacts_folder
from novate.l1.anvil import AnvilMissing, find_anvil
from novate.lab.demo import run
from novate.lab.demo_data import synthetic
from novate.lab.demo_market import cast
from novate.lab.demo_story import PERPETUAL
from novate.lab.market_replay import ReplaySettings

SECONDS = 8
START = 1_774_597_800
"""Ten minutes before an expiry."""
CALM_S = 720


def children() -> set[int]:
    """Processes that this one has started and that still live."""
    found: set[int] = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        found |= {int(word) for word in (task / "children").read_text().split()}
    return found


class Visit:
    """What somebody does while the demo is kept running."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        """Nothing yet."""
        self.out = ""
        self.rebuilt: int | None = None
        self._capsys = capsys
        self._folder = folder

    def __call__(self) -> None:
        """Follow the hint that the demo printed, then end it as Ctrl-C does."""
        self.out = self._capsys.readouterr().out
        hint = next(line for line in self.out.splitlines() if "./novate rebuild" in line)
        words = hint.split("./novate rebuild ")[1].replace("DIR", str(self._folder)).split()
        self.rebuilt = cli.main(["rebuild", *words])
        raise KeyboardInterrupt


@pytest.mark.slow
def test_the_demo_passes_its_own_checks_and_leaves_nothing_running(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not (artifacts_folder() / "Settlement.sol").is_dir():
        pytest.skip(f"no contracts under {artifacts_folder()}: run `./novate build`")
    try:
        find_anvil()
    except AnvilMissing as missing:
        pytest.skip(str(missing))
    roles = cast()
    settings = ReplaySettings(PERPETUAL, roles.perpetual_makers, roles.takers)
    visit = Visit(capsys, tmp_path)
    monkeypatch.setattr(signal, "pause", visit)
    before = children()
    code = run(SECONDS, True, synthetic(settings, SECONDS, start=START, calm_s=CALM_S))
    checks = visit.out.split("\nChecks\n")[1].split("\n\n")[0].strip().splitlines()
    assert [line for line in checks if not line.strip().startswith("ok ")] == []
    assert len(checks) == 15
    assert (code, visit.rebuilt) == (0, 0)
    rebuilt = capsys.readouterr().out
    assert "1 reverts, fork 1" in rebuilt
    assert children() == before
