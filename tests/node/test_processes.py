"""The processes: killed and started again, stopped cleanly, run together, misconfigured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from novate.lab.play.lives import CONFIG, Lives, Lost
from novate.node.config import read_config
from novate.node.processes import main, roles_of
from novate.node.receipts import NO_SIGNATURE, Receipt
from novate.node.sequencer import Ack

SOURCES = Path(__file__).resolve().parents[2] / "src"


def test_a_sequencer_that_is_killed_loses_nothing_acknowledged(tmp_path: Path) -> None:
    lives = Lives(tmp_path, 11, "sequencer")
    random = Random(11)
    for _ in range(2):
        lives.live(random.uniform(0.1, 0.6))
    lives.stop()
    assert lives.counts["lives"] == 2
    assert lives.counts["roots compared"] == 3
    assert lives.counts["acknowledged"] > 50
    assert lives.counts["ended before they were killed"] <= 1, "only the clean stop"


def test_a_lost_or_changed_acknowledgement_would_be_noticed(tmp_path: Path) -> None:
    lives = Lives(tmp_path, 12, "sequencer")
    lives.live(0.5)
    number = max(n for n, outcome in lives._outcomes.items() if outcome.order_id)
    outcome = lives._outcomes[number]
    record, running = lives._hashes[number]
    receipt = Receipt(number, 0, record, running, NO_SIGNATURE)
    good = Ack(str(outcome.reason), outcome.order_id, outcome.filled, outcome.open, receipt)
    lives._require(good, receipt)
    with pytest.raises(Lost, match="the replay has"):
        lives._require(good._replace(filled=good.filled + 1), receipt)
    with pytest.raises(Lost, match="not in the log"):
        lives._require(good, receipt._replace(record_hash=bytes(32)))
    with pytest.raises(Lost, match="not in the log"):
        lives._require(good, receipt._replace(sequence=1 << 40))


@pytest.mark.slow
def test_a_whole_node_that_is_killed_loses_nothing_acknowledged(tmp_path: Path) -> None:
    lives = Lives(tmp_path, 13)
    for after_s in (0.2, 1.5, 0.8):
        lives.live(after_s)
    lives.stop()
    assert lives.counts["batches queued for L1"] == lives.counts["batches"]


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "novate.cli", "node", *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_two_sequencers_of_one_folder_are_refused(tmp_path: Path) -> None:
    lives = Lives(tmp_path, 14, "sequencer")
    process = lives._start()
    try:
        socket = tmp_path / "door"
        end = time.monotonic() + 30
        while not socket.exists() and time.monotonic() < end:
            time.sleep(0.05)
        second = run(tmp_path, "sequencer", "--config", str(lives.config))
        assert second.returncode == 1
        assert "another process writes to it" in second.stderr
        assert socket.exists()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_bad_configuration_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "node.toml"
    path.write_text(CONFIG + "drift_ppm = 0\n")
    assert main(["batcher", "--config", str(path)]) == 2
    assert "sequencer.drift_ppm = 0 is not in [1, 1000000]" in capsys.readouterr().err
    assert main(["--config", str(tmp_path / "none.toml")]) == 2


def test_roles_follow_from_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(CONFIG)
    assert roles_of(read_config(path)) == ["sequencer", "batcher"]
    l1 = '[l1]\nrpc = "http://127.0.0.1:1"\ndeployment = "d"\nkey = "e"'
    path.write_text(CONFIG + '[oracle]\nkeys = "k"\n' + l1)
    assert roles_of(read_config(path)) == ["sequencer", "batcher", "oracle", "inbox", "submitter"]
