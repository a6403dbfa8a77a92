"""The command line: what it finds, and what it says when it finds nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from novate import cli
from tools.renderers import RENDERERS

ROOT = Path(__file__).resolve().parents[1]


def test_an_unknown_command_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        cli.main(["settle"])
    assert refused.value.code == 2
    message = capsys.readouterr().err
    assert "settle" in message
    for command in cli.COMMANDS:
        assert command in message


@pytest.mark.parametrize("arguments", [["nothing"], []])
def test_an_unknown_claim_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert cli.main(["claims", *arguments]) == 2
    assert "pricing" in capsys.readouterr().err


def test_every_renderer_is_registered() -> None:
    files = {path.stem for path in (ROOT / "tools").glob("render_*.py")}
    assert sorted(RENDERERS) == sorted(files)


def test_without_a_checkout_render_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cli, "CHECKOUT", tmp_path)
    assert cli.main(["render", "--check"]) == 2
    assert "needs a checkout" in capsys.readouterr().err


CLAIM = """
import json
def main(argv):
    name, path = argv[-2:]
    assert name == "--out"
    json.dump({"argv": argv[:-2]}, open(path, "w"))
    return 3
"""


def test_a_claim_leaves_evidence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tests" / "claims").mkdir(parents=True)
    (tmp_path / "tests" / "claims" / "example_claim.py").write_text(CLAIM)
    monkeypatch.setattr(cli, "CHECKOUT", tmp_path)
    monkeypatch.setattr(cli, "machine_facts", lambda: {"cores": 2})
    assert cli.main(["claims", "example_claim", "--count", "7"]) == 3
    evidence = json.loads((tmp_path / "docs" / "evidence" / "example_claim.json").read_text())
    assert evidence["summary"] == {"argv": ["--count", "7"]}
    assert evidence["machine"] == {"cores": 2}
    assert evidence["exit_code"] == 3
    assert evidence["arguments"] == ["--count", "7"]
    assert evidence["duration_s"] >= 0


def test_evidence_says_where_it_was_made() -> None:
    assert set(cli.machine_facts()) >= {"commit", "cpu", "cores", "python", "when"}


def test_version_takes_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version", "--all"]) == 2
    assert "--all" in capsys.readouterr().err
