"""The draft: reads see writes, and a rollback leaves no trace."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.spec.batch import begin_batch, open_round, read_orders
from novate.spec.bounds import CASH_MAX
from novate.spec.draft import Draft
from novate.spec.errors import LawError, Reason, Rejection
from novate.spec.journal import LiquidationEntry, LiquidationStage
from novate.spec.messages.batch import Liquidate, Touch, Trade
from novate.spec.state import InstrumentState, Slot
from novate.spec.transactions.due import apply_due
from novate.spec.transactions.trade import RoundBook, apply_trade
from novate.spec.valuation import RoundState
from tests.spec.kit import BTC_PRICE, ETH_PERP, Stage, later, liquidated_stage


def content(draft: Draft) -> dict[str, Any]:
    """Everything a draft holds except its undo log."""
    held = {name: value for name, value in vars(draft).items() if name not in ("_undo", "base")}
    held["journal"] = {k: v for k, v in vars(draft.journal).items() if k != "before"}
    return deepcopy(held)


ACTIONS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 4), st.integers(0, 3)), max_size=30
)


def act(draft: Draft, kind: str, index: int, value: int) -> None:
    """One write of any kind."""
    match kind:
        case "a":
            draft.put_account(index, draft.account(index))
        case "b":
            draft.put_slot(index, value, Slot(1, value))
        case "c":
            draft.put_instrument(InstrumentState(index, mark=value))
        case "d":
            if index in draft.instruments:
                draft.discard(draft.instruments, index)
        case "e":
            entry = LiquidationEntry(LiquidationStage.STEP, index, value, 0)
            draft.record(draft.journal.liquidations, entry)
        case "f":
            draft.put_market(value % 2, draft.market(value % 2))
        case "g":
            draft.put_system(draft.system)
        case "h":
            draft.assign(draft.journal.accounts_before, index, None)


@given(before=ACTIONS, undone=ACTIONS)
def test_a_rollback_leaves_no_trace(before: list[Any], undone: list[Any]) -> None:
    draft = Draft(Stage().state)
    for action in before:
        act(draft, *action)
    held, checkpoint = content(draft), draft.checkpoint()
    for action in undone:
        act(draft, *action)
    draft.rollback(checkpoint)
    assert content(draft) == held
    draft.rollback(0)
    assert content(draft) == content(Draft(Stage().state))


def opened(stage: Stage, round_: Any) -> tuple[Draft, RoundState, RoundBook]:
    """A draft with a round open and its orders read."""
    draft = begin_batch(stage.state, stage.batch(round_))
    round_state = open_round(draft, round_.content, stage.primitives)
    book = RoundBook()
    read_orders(draft, round_state, book, round_.content.orders, stage.primitives)
    return draft, round_state, book


def test_a_refused_trade_leaves_no_trace() -> None:
    """Its first legs opened an instrument, moved positions, cash, fees and slots."""
    stage = Stage()
    round_ = stage.round()
    good = round_.leg(1, 2, BTC_PRICE, 10)
    opens = round_.leg(2, 1, 400_000, 5, ETH_PERP)
    bad = round_.leg(1, 2, BTC_PRICE, 10)._replace(quantity=11)
    draft, round_state, book = opened(stage, round_)
    held, sums = content(draft), deepcopy(vars(round_state))
    with pytest.raises(Rejection, match=Reason.OVERFILLED):
        apply_trade(draft, round_state, book, Trade((good, opens, bad)))
    assert content(draft) == held
    assert vars(round_state) == sums
    apply_trade(draft, round_state, book, Trade((good, opens)))
    assert content(draft) != held


def test_a_liquidation_rolls_back_whole() -> None:
    stage = liquidated_stage(others=100)
    round_ = later(stage)
    draft, round_state, _ = opened(stage, round_)
    held, sums, checkpoint = content(draft), deepcopy(vars(round_state)), draft.checkpoint()
    apply_due(draft, round_state, Liquidate(1))
    apply_due(draft, round_state, Touch(2))
    assert content(draft) != held
    draft.rollback(checkpoint)
    assert (content(draft), vars(round_state)) == (held, sums)


def test_cash_stays_within_its_bound() -> None:
    draft = Draft(Stage().state)
    account = draft.account(1)
    for cash in (CASH_MAX + 1, -CASH_MAX - 1):
        with pytest.raises(LawError, match=Reason.CASH_OUT_OF_BOUNDS):
            draft.put_account(1, type(account)(owner=1, cash=cash))
    for cash in (CASH_MAX, -CASH_MAX):
        draft.put_account(1, type(account)(owner=1, cash=cash))
        assert draft.account(1).cash == cash


def test_the_journal_remembers_each_account_as_the_state_had_it() -> None:
    stage = Stage()
    draft = Draft(stage.state)
    first = stage.state.accounts[1]
    for cash in (1, 2):
        draft.put_account(1, type(first)(owner=1, cash=cash))
    draft.put_account(9, first)
    assert draft.journal.accounts_before == {1: first, 9: None}
