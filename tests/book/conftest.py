"""Every behaviour is asked of the reference and of the compiled books."""

from __future__ import annotations

import pytest

from tests.book.implementations import IMPLEMENTATIONS, MakeExchange


@pytest.fixture(params=IMPLEMENTATIONS)
def make_exchange(request: pytest.FixtureRequest) -> MakeExchange:
    """One implementation of the exchange after another."""
    made: MakeExchange = IMPLEMENTATIONS[request.param]
    return made
