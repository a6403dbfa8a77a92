"""The theft search, in short: it finds nothing now, and finds what is planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from novate.lab.adversary import accounting, search
from novate.lab.adversary.actions import Action
from novate.lab.adversary.arena import COLLUDERS, Arena, Setup, base_parameters
from novate.lab.adversary.episode import Episode, Step, play
from novate.lab.adversary.families import FAMILIES
from novate.spec import holders, liquidation
from novate.spec.errors import LawError
from novate.spec.parameters import Parameters
from novate.spec.rounding import div_down
from novate.spec.state import InstrumentState, Position
from novate.spec.transactions import forced_close, unsigned


def test_nothing_is_extracted() -> None:
    findings = search.search_chunk(1, 5 * len(FAMILIES))
    assert findings.thefts == []
    assert not findings.unprovable
    assert findings.largest is not None
    assert findings.largest <= 0
    assert findings.accepted > 2_000
    assert {"TAKEOVER", "DELEVERAGE", "STATUS_SET"} <= set(findings.stages)


def test_a_chunk_is_a_function_of_its_seed() -> None:
    assert search.search_chunk(5, 12) == search.search_chunk(5, 12)


def dropped_fractions(state: InstrumentState, position: Position) -> holders.Settled:
    """Fractions of a lot vanish, as they once did."""
    side = holders.side_of(state, position.quantity)
    held = abs(position.quantity)
    cash = div_down(held * (side.cash - position.cash), position.factor)
    lots = div_down(held * side.factor, position.factor)
    quantity = lots if position.quantity > 0 else -lots
    if state.settled:
        return holders.Settled(0, cash + quantity * state.mark)
    return holders.Settled(quantity, cash)


def plant_dust(patch: pytest.MonkeyPatch, law: Parameters) -> Parameters:
    patch.setattr(holders, "settle_position", dropped_fractions)
    return law


def plant_cheap_inventory(patch: pytest.MonkeyPatch, law: Parameters) -> Parameters:
    return replace(law, fund_loss_ppm=500_000)


def plant_old_prices(patch: pytest.MonkeyPatch, law: Parameters) -> Parameters:
    patch.setattr("novate.spec.batch.is_fresh", lambda draft, underlying: True)
    return law


def plant_costly_steps(patch: pytest.MonkeyPatch, law: Parameters) -> Parameters:
    risk_reducing = unsigned.is_risk_reducing
    patch.setattr(unsigned, "is_risk_reducing", lambda *health: risk_reducing(*health[:2], 500_000))
    return law


def plant_settlement_at_the_closer_s_price(
    patch: pytest.MonkeyPatch, law: Parameters
) -> Parameters:
    close = liquidation.close_by_factor
    for module in (liquidation, forced_close):
        patch.setattr(
            module,
            "close_by_factor",
            lambda draft, holder, position, price, fair: close(
                draft, holder, position, price, price
            ),
        )
    return law


def plant_thin_margin(patch: pytest.MonkeyPatch, law: Parameters) -> Parameters:
    def thin(market: object) -> object:
        risk = market.risk  # type: ignore[attr-defined]
        kept = tuple(scenario for scenario in risk.scenarios if scenario.spot_ppm >= 0)
        return replace(market, risk=replace(risk, scenarios=kept))  # type: ignore[type-var]

    return replace(law, markets=tuple(thin(market) for market in law.markets))  # type: ignore[misc]


Plant = Callable[[pytest.MonkeyPatch, Parameters], Parameters]


@pytest.mark.parametrize(
    ("plant", "family", "seed"),
    [
        (plant_dust, "dust", 0),
        (plant_cheap_inventory, "fund_inventory", 0),
        (plant_old_prices, "old_prices", 0),
        (plant_costly_steps, "step_on_users", 0),
        (plant_settlement_at_the_closer_s_price, "low_factor", 1),
        (plant_thin_margin, "off_market", 0),
    ],
)
def test_a_planted_theft_is_found(
    plant: Plant, family: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = plant(monkeypatch, base_parameters())
    monkeypatch.setattr(search, "SHRINK_PLAYS", 0)
    findings = search.search_chunk(seed, 100, law, (family,), stops=True)
    assert findings.thefts
    episode = search.from_json(findings.thefts[0]["episode"])
    assert search.is_theft(episode, play(episode, law))
    monkeypatch.undo()
    assert not search.is_theft(episode, play(episode, base_parameters()))


def test_shrinking_keeps_the_theft(monkeypatch: pytest.MonkeyPatch) -> None:
    law = plant_old_prices(monkeypatch, base_parameters())
    ask, trade = Action("ask_close", (1, 0)), Action("trade", (0, 1, 0, 0, 8))
    idle = Step(5, actions=(Action("withdraw", (3,)),))
    run = Step(60, (40_000, 0), tells=False, actions=(ask,))
    setup = Setup(funds=(1_000_000, 0))
    episode = Episode("old_prices", True, setup, (idle, Step(5, actions=(trade,)), idle, run, idle))
    assert play(episode, law).extraction > 0
    small = search.shrunk(episode, law)
    assert [step.actions for step in small.steps] == [(trade,), (ask,)]
    assert search.from_json(search.to_json(small)) == small


def test_the_books_see_a_gift() -> None:
    """Cash from nowhere is extraction to the micro-USDC; a market move is not."""
    arena = Arena(Setup(), base_parameters())
    draft, books = arena.venue.draft, arena.colluders
    assert books.extraction(draft, arena.truth) == 0
    account = draft.account(COLLUDERS[0])
    draft.put_account(COLLUDERS[0], replace(account, cash=account.cash + 1))
    assert books.extraction(draft, arena.truth) == 1
    books.allow("liquidation", Fraction(1))
    assert books.extraction(draft, arena.truth) == 0


def test_the_books_forgive_no_debt() -> None:
    arena = Arena(Setup(), base_parameters())
    draft, books = arena.venue.draft, arena.colluders
    account = draft.account(COLLUDERS[0])
    draft.put_account(COLLUDERS[0], replace(account, cash=-7))
    assert accounting.account_value(draft, arena.truth, draft.account(COLLUDERS[0])) == -7
    assert books.extraction(draft, arena.truth) == -account.cash


def test_refusals_are_not_counted() -> None:
    arena = Arena(Setup(), base_parameters())

    def refuse() -> None:
        raise LawError("no")

    before = arena.accepted
    assert not arena.try_(refuse)
    assert arena.accepted == before
