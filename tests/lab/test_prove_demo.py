"""`novate prove-demo`: both verifiers accept, and say so."""

from __future__ import annotations

import pytest

from novate.lab.prove_demo import main


def test_prove_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert "the Python verifier accepts the proof" in printed
    assert "FAIL" not in printed
