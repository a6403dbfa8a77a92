"""Vectors published by others, as fixtures; the source is named in each file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PUBLISHED = Path(__file__).resolve().parents[2] / "vectors_published"


def published(name: str) -> Any:
    """The content of one file, with every hex string as an int."""
    return integers(json.loads((PUBLISHED / name).read_text()))


def integers(value: Any) -> Any:
    """Hex strings to ints and lists of ints to tuples, at every depth."""
    if isinstance(value, dict):
        return {key: integers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        inner = [integers(item) for item in value]
        return tuple(inner) if all(isinstance(item, int) for item in inner) else inner
    if isinstance(value, str) and value.startswith("0x"):
        return int(value, 16)
    return value


@pytest.fixture(scope="session")
def pornin() -> Any:
    """Vectors of the curve's author."""
    return published("ecgfp5_pornin.json")


@pytest.fixture(scope="session")
def lighter() -> Any:
    """Vectors of the Lighter exchange's library."""
    return published("ecgfp5_lighter.json")


@pytest.fixture(scope="session")
def plonky3() -> Any:
    """Vectors of the crate the round constants come from."""
    return published("poseidon2_p3_goldilocks.json")
