"""Positions brought up to date lazily, whatever happened since their holder was touched."""

from __future__ import annotations

import pytest

from novate.spec.bounds import FACTOR_ONE
from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.holders import Settled, change_position, fund_holder, settle_position, touch_fund
from novate.spec.state import InstrumentState, Position, Side
from tests.spec.kit import BTC, BTC_PERP, BTC_PRICE, Stage

HALF = FACTOR_ONE // 2


def settle(quantity: int, side: Side, settled: bool = False, mark: int = 1_000) -> Settled:
    """Settle lots taken at factor one and accumulator 0."""
    state = InstrumentState(BTC_PERP, mark, 100, side, side, settled=settled)
    return settle_position(state, Position(BTC_PERP, quantity, FACTOR_ONE, 0))


@pytest.mark.parametrize(
    "quantity, side, expected",
    [
        (5, Side(), Settled(5, 0)),
        (5, Side(FACTOR_ONE, 3 * FACTOR_ONE), Settled(5, 15)),
        (-5, Side(FACTOR_ONE, 3 * FACTOR_ONE), Settled(-5, 15)),
        (5, Side(FACTOR_ONE, 1), Settled(5, 0)),  # 5 / 2^30: rounded down
        (5, Side(FACTOR_ONE, -1), Settled(5, -1)),
        (4, Side(HALF, 0), Settled(2, 0)),
        (5, Side(HALF, 0), Settled(2, 500)),  # half a lot at the mark
        (-5, Side(HALF, 0), Settled(-2, -500)),
        (1, Side(HALF, 7 * FACTOR_ONE), Settled(0, 507)),
        (-1, Side(HALF, 0), Settled(0, -500)),
    ],
)
def test_settle_position(quantity: int, side: Side, expected: Settled) -> None:
    assert settle(quantity, side) == expected


def test_a_settled_instrument_turns_to_cash() -> None:
    assert settle(5, Side(), settled=True) == Settled(0, 5_000)
    assert settle(-5, Side(), settled=True) == Settled(0, -5_000)
    assert settle(5, Side(FACTOR_ONE, -FACTOR_ONE), settled=True) == Settled(0, 4_995)


def test_two_touches_or_one_differ_by_rounding_only() -> None:
    first, second = Side(FACTOR_ONE - 77, -123_456_789), Side(HALF + 5, 987_654_321)
    state = InstrumentState(BTC_PERP, 1_000, 10**6, first, first)
    once = settle_position(state._replace(long=second), Position(BTC_PERP, 10**6, FACTOR_ONE, 0))
    half_way = settle_position(state, Position(BTC_PERP, 10**6, FACTOR_ONE, 0))
    end = settle_position(
        state._replace(long=second),
        Position(BTC_PERP, half_way.quantity, first.factor, first.cash),
    )
    worth = [
        once.quantity * 1_000 + once.cash,
        end.quantity * 1_000 + half_way.cash + end.cash,
    ]
    assert abs(worth[0] - worth[1]) <= 1_002


def test_changes_keep_positions_sorted_and_counts_true() -> None:
    draft = Draft(Stage().state)
    for instrument in (7, 3, 5):
        draft.put_instrument(InstrumentState(instrument))
    positions = change_position(draft, (), 7, 4)
    positions = change_position(draft, positions, 3, -2)
    positions = change_position(draft, positions, 5, 1)
    assert [(p.instrument, p.quantity) for p in positions] == [(3, -2), (5, 1), (7, 4)]
    positions = change_position(draft, positions, 7, -9)
    state = draft.instruments[7]
    assert (state.open_interest, state.holders) == (0, 1)  # its counterparty is long five now
    positions = change_position(draft, positions, 7, 5)
    assert [p.instrument for p in positions] == [3, 5]
    assert draft.instruments[7].holders == 0


def test_a_market_s_fund_has_a_holder_s_name() -> None:
    assert [fund_holder(underlying) for underlying in (0, 1, 255)] == [-1, -2, -256]
    draft = Draft(Stage().state)
    with pytest.raises(Rejection, match=Reason.UNKNOWN_MARKET):
        touch_fund(draft, 2)


def test_open_interest_follows_every_fill() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 10))
    stage.play(stage.round().fill(3, 1, BTC_PRICE, 4))  # a long passes on
    assert (stage.instrument().open_interest, stage.instrument().holders) == (10, 3)
    stage.play(stage.round().fill(2, 3, BTC_PRICE, 7))  # 3 turns from long 4 to short 3
    assert (stage.instrument().open_interest, stage.instrument().holders) == (6, 3)
    assert (stage.lots(1), stage.lots(2), stage.lots(3)) == (6, -3, -3)
    assert stage.state.markets[BTC].fund.positions == ()
