"""Phase 1: what a quorum does to its market: acceptance, halts, resumption, references."""

from __future__ import annotations

from dataclasses import replace

from novate.spec.journal import SnapshotOutcome
from novate.spec.state import Snapshot
from tests.spec.kit import BTC, BTC_PERP, BTC_PRICE, DAY, ETH, USDC, Stage, world


def outcome(stage: Stage, index_price: int, after: int = 5, **changed: int) -> SnapshotOutcome:
    """What became of a quorum at this price."""
    act = stage.round(after).prices(BTC, index_price, **changed)
    return stage.apply(act).snapshots[-1].outcome


def test_a_market_opens_with_the_third_agreeing_snapshot() -> None:
    stage = Stage(world().state)
    assert outcome(stage, BTC_PRICE) == SnapshotOutcome.PENDING
    assert outcome(stage, BTC_PRICE) == SnapshotOutcome.PENDING
    assert stage.state.markets[BTC].current == Snapshot()
    assert outcome(stage, BTC_PRICE) == SnapshotOutcome.RESUMED
    assert stage.state.markets[BTC].halt.since == 0
    assert stage.state.markets[ETH].halt.since == 1


def test_an_accepted_snapshot_is_the_current_one() -> None:
    stage = Stage()
    assert outcome(stage, 10_050_000) == SnapshotOutcome.ACCEPTED
    current = stage.state.markets[BTC].current
    assert (current.time, current.index_price) == (stage.time, 10_050_000)


def test_a_jump_halts_and_the_last_accepted_snapshot_stays() -> None:
    # 3 % + 5 · 200 ppm = 3.1 % in 5 seconds
    for edge, far in ((10_310_000, 10_310_001), (9_690_000, 9_689_999)):
        assert outcome(Stage(), edge) == SnapshotOutcome.ACCEPTED
        stage = Stage()
        assert outcome(stage, far) == SnapshotOutcome.HALTED
        market = stage.state.markets[BTC]
        assert market.halt.since == stage.time
        assert (market.halt.pending.index_price, market.current.index_price) == (far, BTC_PRICE)


def test_more_time_allows_a_larger_move() -> None:
    assert outcome(Stage(), 10_900_000, after=300) == SnapshotOutcome.ACCEPTED  # 3 % + 6 %
    assert outcome(Stage(), 10_900_001, after=300) == SnapshotOutcome.HALTED


def test_a_real_crash_reopens_at_the_new_price() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 10))
    assert outcome(stage, 5_000_000) == SnapshotOutcome.HALTED
    assert outcome(stage, 5_050_000) == SnapshotOutcome.PENDING
    assert outcome(stage, 5_000_000) == SnapshotOutcome.RESUMED
    assert stage.state.markets[BTC].current.index_price == 5_000_000
    assert stage.instrument(BTC_PERP).mark == 5_000_000


def test_a_snapshot_that_disagrees_starts_over() -> None:
    stage = Stage()
    assert outcome(stage, 5_000_000) == SnapshotOutcome.HALTED
    assert outcome(stage, 5_000_000) == SnapshotOutcome.PENDING
    assert outcome(stage, 6_000_000) == SnapshotOutcome.PENDING
    assert stage.state.markets[BTC].halt.agreeing == 1
    assert outcome(stage, 6_000_000) == SnapshotOutcome.PENDING
    assert outcome(stage, 6_000_000) == SnapshotOutcome.RESUMED


def test_the_price_before_the_halt_ends_it_as_well() -> None:
    stage = Stage()
    outcome(stage, 5_000_000)
    assert outcome(stage, BTC_PRICE) == SnapshotOutcome.PENDING
    assert outcome(stage, BTC_PRICE) == SnapshotOutcome.PENDING
    assert outcome(stage, BTC_PRICE) == SnapshotOutcome.RESUMED


def test_a_gap_without_snapshots_halts() -> None:
    stage = Stage()
    stage.apply(stage.round(300))
    assert stage.state.markets[BTC].halt.since == 0
    stage.apply(stage.round(5))
    assert stage.state.markets[BTC].halt.since == stage.time
    assert outcome(stage, BTC_PRICE) == SnapshotOutcome.PENDING


def test_no_funding_is_paid_for_the_time_of_a_halt() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    for _ in range(3):
        outcome(stage, 5_000_000, after=200, premium_ppm=5_000)
    assert stage.instrument().long.cash == 0
    outcome(stage, 5_000_000, premium_ppm=5_000)
    assert stage.instrument().long.cash < 0


def test_the_reference_is_between_one_and_two_ages_old() -> None:
    stage = Stage()
    opened = stage.time
    assert stage.state.markets[BTC].reference.time == opened
    outcome(stage, BTC_PRICE, after=3_595)
    market = stage.state.markets[BTC]
    assert (market.reference.time, market.candidate.time) == (opened, opened)
    outcome(stage, BTC_PRICE, after=5)  # the candidate is an hour old
    market = stage.state.markets[BTC]
    assert (market.reference.time, market.candidate.time) == (opened, opened + 3_600)
    outcome(stage, BTC_PRICE, after=3_600)
    market = stage.state.markets[BTC]
    assert (market.reference.time, market.candidate.time) == (opened + 3_600, opened + 7_200)


def test_a_smile_that_is_not_admissible_is_ignored() -> None:
    stage = Stage()
    before = stage.state.markets[BTC].current.expiries
    act = stage.round().prices(BTC, 10_010_000, vol_ppm=5_000_001, basis_ppm=7)
    journal = stage.apply(act)
    assert journal.snapshots[-1].smiles_refused == (DAY, DAY + 7)
    current = stage.state.markets[BTC].current
    assert current.index_price == 10_010_000
    assert [e.vols_ppm for e in current.expiries] == [e.vols_ppm for e in before]
    assert [e.basis_ppm for e in current.expiries] == [7, 7]


def test_a_first_smile_that_is_not_admissible_is_left_out() -> None:
    stage = Stage()
    act = stage.round().prices(BTC, days=(DAY, DAY + 1), vol_ppm=5_000_001)
    stage.apply(act)
    current = stage.state.markets[BTC].current
    assert [e.day for e in current.expiries] == [DAY]


def test_the_concentration_rate_rises_slowly_and_falls_at_once() -> None:
    stage = Stage()
    risk = stage.state.parameters.markets[BTC].risk
    stage.craft_parameters({"risk": replace(risk, concentration_free=1_000 * USDC)})
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 200))  # twice what is free
    stage.apply(stage.round().prices(BTC))
    assert stage.state.markets[BTC].concentration_ppm == 100  # 36,000 ppm an hour, 10 seconds
    stage.apply(stage.round(36_000).prices(BTC))
    assert stage.state.markets[BTC].concentration_ppm == 100_000  # 10 % for each free amount
    stage.play(stage.round().fill(2, 1, BTC_PRICE, 50))
    stage.apply(stage.round().prices(BTC))
    assert stage.state.markets[BTC].concentration_ppm == 50_000
