"""Fair prices: what the honest oracles see at any second, whether or not a round is told.

One index a market and one volatility, moved by the episode; forwards at a fixed basis. The mean of
the settlement window is the time average of the index over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from novate.lab.worlds import Prices, report_of
from novate.spec.bounds import DAY_S, SETTLEMENT_WINDOW_S
from novate.spec.instruments import EXPIRY_OF_DAY_S, decode
from novate.spec.marks import MarketView, mark
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.oracle import SignedReport
from novate.spec.parameters import Parameters
from novate.spec.primitives import Signature
from novate.spec.rounding import PPM
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields, InstrumentState, Snapshot

UNSIGNED = Signature(0, 0, 0)
VOL_LOW_PPM, VOL_HIGH_PPM = 200_000, 2_000_000


@dataclass
class Quote:
    """One market at one moment."""

    index_price: int
    vol_ppm: int
    premium_ppm: int
    mean: int
    days: tuple[int, ...]


@dataclass
class Truth:
    """Fair prices of all markets, moved in steps."""

    parameters: Parameters
    time: int
    quotes: list[Quote]
    views: dict[int, MarketView] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Marks follow from the quotes."""
        self._look()

    def move(self, seconds: int, spots_ppm: tuple[int, ...], vol_ppm: int) -> None:
        """Time passes at the old prices; then every index and volatility moves by so much."""
        for quote, spot in zip(self.quotes, spots_ppm, strict=True):
            quote.mean = self._mean(quote, seconds)
            quote.index_price += quote.index_price * spot // PPM
            vol = quote.vol_ppm + quote.vol_ppm * vol_ppm // PPM
            quote.vol_ppm = min(max(vol, VOL_LOW_PPM), VOL_HIGH_PPM)
        self.time += seconds
        self._look()

    def _mean(self, quote: Quote, seconds: int) -> int:
        """The mean of the latest settlement window after some seconds at one price."""
        start = self.time - (self.time - EXPIRY_OF_DAY_S + SETTLEMENT_WINDOW_S) % DAY_S
        known = min(self.time - start, SETTLEMENT_WINDOW_S)
        if self.time + seconds >= start + DAY_S:  # a newer window has begun
            return quote.index_price
        fresh = min(self.time + seconds - start, SETTLEMENT_WINDOW_S) - known
        whole = max(known + fresh, 1)
        return (quote.mean * known + quote.index_price * fresh) // whole

    def _look(self) -> None:
        """The views that marks are taken from."""
        self.views = {
            underlying: MarketView(
                parameters=self.parameters.markets[underlying],
                snapshot=self._snapshot(quote),
                time=self.time,
                concentration_maintenance_ppm=0,
                concentration_initial_ppm=0,
            )
            for underlying, quote in enumerate(self.quotes)
        }

    def _snapshot(self, quote: Quote) -> Snapshot:
        """What a snapshot of this moment says."""
        expiries = tuple(ExpiryFields(day, 1_000, (quote.vol_ppm,) * NODES) for day in quote.days)
        return Snapshot(self.time, quote.index_price, quote.premium_ppm, quote.mean, expiries)

    def reports(self) -> list[MarketReports]:
        """A quorum of every market at this moment; signatures are taken for granted."""
        quorums = []
        for underlying, quote in enumerate(self.quotes):
            prices = Prices(
                quote.index_price,
                premium_ppm=quote.premium_ppm,
                mean=quote.mean,
                vol_ppm=quote.vol_ppm,
                days=quote.days,
            )
            report = report_of(underlying, self.time, prices)
            quorum = range(self.parameters.quorum)
            quorums.append(
                MarketReports(underlying, tuple(SignedReport(k, report, UNSIGNED) for k in quorum))
            )
        return quorums

    def mark(self, state: InstrumentState) -> int:
        """The fair value of a lot; of a settled instrument, what it pays."""
        return state.mark if state.settled else self.mark_of_id(state.instrument)

    def mark_of_id(self, instrument: int) -> int:
        """The fair value of a lot of an instrument that is not settled."""
        decoded = decode(instrument)
        return mark(self.views[decoded.underlying], decoded)
