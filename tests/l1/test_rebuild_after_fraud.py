"""A rebuild that met an unlawful batch goes on from the last lawful one when that batch is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from novate.l1.anvil import Anvil
from novate.l1.rebuild import Unlawful
from novate.lab.worlds import START
from tests.l1.test_rebuild import Rebuilder
from tests.l1.test_submitter import opened
from tests.l1.venue import TERMS, deployed


def test_a_reverted_lie_leaves_no_trace_in_the_state(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.work(venue.submitter())
        lawful = venue.history().committed
        venue.begin()
        venue.trade(1, 2)
        honest = venue.seal()
        header = honest.header._replace(root_after=(1, 2, 3, 4))
        venue.queue.put(honest._replace(header=header))
        venue.work(venue.submitter())
        rebuilder = Rebuilder(venue, tmp_path / "out")
        with pytest.raises(Unlawful, match="root"):
            rebuilder.catch_up(venue.history())
        history = venue.history()
        parent, lie = history.standing[lawful].struct, history.standing[lawful + 1].struct
        venue.send(0, "settlement", "challenge", lie, value=TERMS.challenge_bond, gas=1_000_000)
        venue.chain.control.mine(TERMS.proof_time + 1)
        venue.send(0, "settlement", "revertContested", parent, lie, gas=1_000_000)
        assert venue.history().committed == lawful
        assert rebuilder.catch_up(venue.history()) == venue.states[lawful]
