"""The oracle process: reads sources, signs reports with registered keys, sends them in.

One process may hold the keys of several oracles, for a demonstration; in earnest each has its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from novate.native import key_of_secret, sign
from novate.node.sources import Source, Surface, report_at
from novate.spec.bounds import ORACLE_GRID_S
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.oracle import REPORT_TAG, Report, SignedReport
from novate.spec.parameters import Parameters
from novate.spec.primitives import Primitives


class OracleKey(NamedTuple):
    """A secret and its place in the parameters' list."""

    number: int
    secret: int


class Oracle:
    """Reports of all markets of one venue, by some of its oracles."""

    def __init__(
        self,
        parameters: Parameters,
        secrets: Sequence[int],
        sources: Mapping[int, Source],
        surface: Surface,
        primitives: Primitives,
    ) -> None:
        """`sources` by market. ValueError if a secret's key is not registered."""
        self._parameters = parameters
        self._keys = [registered(secret, parameters) for secret in secrets]
        self._sources = sources
        self._surface = surface
        self._primitives = primitives
        self._last = 0

    def due(self, now: int) -> list[MarketReports]:
        """The reports of the last grid second, if they were not given yet."""
        time = now - now % ORACLE_GRID_S
        if time <= self._last:
            return []
        self._last = time
        return self.reports(time)

    def reports(self, time: int) -> list[MarketReports]:
        """The reports of a grid second: of each market with a price, by each key."""
        found = []
        for underlying, source in sorted(self._sources.items()):
            report = report_at(underlying, time, source, self._surface)
            if report is not None:
                signed = tuple(self._sign(key, report) for key in self._keys)
                found.append(MarketReports(underlying, signed))
        return found

    def _sign(self, key: OracleKey, report: Report) -> SignedReport:
        """One oracle's word."""
        elements = report.elements(self._parameters.chain_id, self._parameters.settlement_contract)
        digest = self._primitives.hash_many(REPORT_TAG, [elements])[0]
        return SignedReport(key.number, report, sign(key.secret, digest))


def registered(secret: int, parameters: Parameters) -> OracleKey:
    """The place of a secret's key among the parameters'. ValueError if it has none."""
    key = key_of_secret(secret)
    if key not in parameters.oracle_keys:
        raise ValueError(f"no registered oracle has the key {key}")
    return OracleKey(parameters.oracle_keys.index(key), secret)
