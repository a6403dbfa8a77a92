"""What batches of two flows hold, as far as cells depend on it: `bench.cells` counts cells of it.

*Retail*: every fill has a new taker with a key of its own, a maker's sheet serves 1.5 fills, what
is traded and held is drawn by the volume and open interest of a recorded option chain. *Recorded*:
the BTCUSDT perpetual's depth and trades through the book. Trades of one millisecond and side are
one taker order, as the recording has a row for every maker that was met.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate, groupby
from random import Random
from typing import Final, NamedTuple

import pyarrow.parquet as pq

from bench.common import ROOT
from novate.book.compiled import CompiledExchange
from novate.book.operations import OperationKind
from novate.book.orders import TimeInForce
from novate.book.packed import FILLED, pack_operations
from novate.lab.market_replay import MarketReplay, MarketTrade, ReplaySettings, read_trades
from novate.spec.presets import MAIN, SLOT_GROUP

DATA: Final = ROOT.parent / "shared" / "data"
CHAIN: Final = DATA / "options" / "deribit_chain_20260205T155132Z.parquet"
RECORDING: Final = DATA / "trades_book"
SEED: Final = 1
OCCUPIED: Final = 1 << 20
"""Leaves of the account tree that are taken; those a batch touches are drawn from them."""
MAKERS: Final = 8
TAKERS: Final = 400
"""Accounts of the recorded flow: as in `bench.l1_cost`."""
ROUND_S: Final = 30
"""A round is sealed after so many seconds (`presets`, rounds of a batch)."""
FILLS_A_SHEET: Final = 1.5
QUOTES_A_SHEET: Final = 16
RETAIL_FILLS_A_SECOND: Final = 50
RETAIL_POSITIONS: Final = 2
"""Positions of a retail account after its trade."""
MARKETS: Final = 2


class Load(NamedTuple):
    """A batch: everything that rows of tables are counted by."""

    flow: str
    fills: int
    rounds: int
    taker_orders: int
    maker_orders: int
    sheets: int
    quotes_a_sheet: int
    quotes_used: int
    """Quotes of sheets that a fill met, each once."""
    keys: int
    """Distinct keys that signed orders or sheets."""
    accounts: tuple[int, ...]
    """Leaves of the touched accounts."""
    positions: tuple[int, ...]
    """Of each touched account."""
    groups: tuple[tuple[int, int], ...]
    """(leaf, group): groups of eight slots that changed."""
    margin_rows: int
    """Positions of every account that acts in a round, added up over the rounds."""
    priced: int
    """Options whose value in every scenario is needed, added up over the rounds."""
    open_instruments: int

    @property
    def signatures(self) -> int:
        """Of orders and sheets; oracle reports are counted apart."""
        return self.taker_orders + self.maker_orders + self.sheets


class Chain(NamedTuple):
    """A recorded option chain: places of options, with running sums of activity."""

    count: int
    volume: tuple[float, ...]
    open_interest: tuple[float, ...]

    def draw(self, random: Random, count: int, held: bool) -> list[int]:
        """Places of so many options, by open interest or by volume."""
        sums = self.open_interest if held else self.volume
        return random.choices(range(self.count), cum_weights=sums, k=count)


@cache
def chain() -> Chain:
    """All options of one snapshot, BTC and ETH."""
    columns = pq.read_table(CHAIN, columns=["volume", "open_interest"]).to_pydict()
    sums = [tuple(accumulate(value or 0.0 for value in columns[name])) for name in columns]
    return Chain(len(columns["volume"]), sums[0], sums[1])


def retail(fills: int) -> Load:
    """A batch of the retail flow."""
    random, options = Random(SEED), chain()
    sheets = round(fills / FILLS_A_SHEET)
    makers = 2 * MAKERS
    leaves = random.sample(range(OCCUPIED), makers + fills)
    rounds = -(-fills // (RETAIL_FILLS_A_SECOND * ROUND_S))
    traded = options.draw(random, fills, held=False)
    by_maker: dict[int, set[int]] = defaultdict(set)
    priced: list[set[int]] = [set() for _ in range(rounds)]
    for place, option in enumerate(traded):
        by_maker[place % makers].add(option)
        here = priced[place * rounds // fills]
        here.add(option)
        here.update(options.draw(random, RETAIL_POSITIONS - 1, held=True))
    held = [min(MAIN.positions_max, len(by_maker[maker])) for maker in range(makers)]
    groups = [(leaf, 0) for leaf in leaves[makers:]]
    for leaf in leaves[:makers]:
        groups += [(leaf, group) for group in range(2 * QUOTES_A_SHEET // SLOT_GROUP)]
    return Load(
        flow="retail",
        fills=fills,
        rounds=rounds,
        taker_orders=fills,
        maker_orders=0,
        sheets=sheets,
        quotes_a_sheet=QUOTES_A_SHEET,
        quotes_used=min(fills, sheets * QUOTES_A_SHEET),
        keys=makers + fills,
        accounts=tuple(leaves),
        positions=(*held, *[RETAIL_POSITIONS] * fills),
        groups=tuple(groups),
        margin_rows=RETAIL_POSITIONS * fills + rounds * sum(held),
        priced=sum(map(len, priced)),
        open_instruments=options.count,
    )


class Fill(NamedTuple):
    """A fill of the replayed recording."""

    time_ms: int
    sweep: int
    """Number of the taker order."""
    maker: int
    maker_order: int
    block: int
    """Number of the depth message after which the maker's order was placed."""


def recorded(fills: int, sheets: bool = False) -> Load:
    """A batch of the first fills of the recording.

    With `sheets`, orders that a maker placed at one moment are one sheet instead of an order each.
    """
    random, found = Random(SEED), replayed()[:fills]
    leaves = random.sample(range(OCCUPIED), MAKERS + TAKERS)
    taker_of = {sweep: random.randrange(TAKERS) for sweep in sorted({f.sweep for f in found})}
    orders = {fill.maker_order: (fill.maker, fill.block) for fill in found}
    sheets_used = Counter(orders.values())
    rounds = [(fill.time_ms - found[0].time_ms) // (1_000 * ROUND_S) for fill in found]
    acting = {(r, MAKERS + taker_of[f.sweep]) for f, r in zip(found, rounds, strict=True)}
    acting |= {(r, fill.maker) for fill, r in zip(found, rounds, strict=True)}
    touched = sorted({who for _, who in acting})
    return Load(
        flow="recorded, sheets" if sheets else "recorded",
        fills=len(found),
        rounds=rounds[-1] + 1,
        taker_orders=len(taker_of),
        maker_orders=0 if sheets else len(orders),
        sheets=len(sheets_used) if sheets else 0,
        quotes_a_sheet=-(-len(orders) // len(sheets_used)) if sheets else 0,
        quotes_used=len(orders) if sheets else 0,
        keys=len(touched),
        accounts=tuple(leaves[who] for who in touched),
        positions=(1,) * len(touched),
        groups=tuple(slot_groups(leaves, orders.values(), taker_of)),
        margin_rows=len(acting),
        priced=0,
        open_instruments=MARKETS,
    )


def slot_groups(
    leaves: Sequence[int], orders: Iterable[tuple[int, int]], taker_of: dict[int, int]
) -> Iterator[tuple[int, int]]:
    """Slots are taken one after another by every account, and used again from the first one."""
    used = Counter(maker for maker, _ in orders)
    used.update(MAKERS + taker for taker in taker_of.values())
    for who, count in sorted(used.items()):
        for group in range(-(-min(count, MAIN.slots_max) // SLOT_GROUP)):
            yield leaves[who], group


@cache
def replayed() -> tuple[Fill, ...]:
    """All fills of the recording, in order."""
    settings = ReplaySettings(1, range(MAKERS), range(MAKERS, MAKERS + 1))
    trades = list(read_trades(RECORDING / "btcusdt_20240808_trades.parquet", settings))
    sweeps = sweeps_of(trades)
    replay = MarketReplay.from_folder(RECORDING, settings)
    exchange, found = CompiledExchange(), []
    placed: dict[int, int] = {}
    taken: dict[int, int] = {}
    for number, block in enumerate(replay.blocks()):
        for operation in block:
            if operation.time_in_force == TimeInForce.IMMEDIATE_OR_CANCEL:
                taken[operation.order_id] = replay.counts.trades_before_snapshot + len(taken)
            elif operation.kind == OperationKind.SUBMIT:
                placed[operation.order_id] = number
        events = exchange.run_packed(pack_operations(block))
        for event in events[events["kind"] == FILLED]:
            order, trade = int(event["order_id"]), taken[int(event["taker_order_id"])]
            maker = (int(event["account"]), order, placed[order])
            found.append(Fill(trades[trade].time_ms, sweeps[trade], *maker))
    return tuple(found)


def sweeps_of(trades: Sequence[MarketTrade]) -> list[int]:
    """The number of the taker order of each trade."""
    found = []
    for number, (_, group) in enumerate(groupby(trades, key=lambda t: (t.time_ms, t.taker_side))):
        found += [number for _ in group]
    return found
