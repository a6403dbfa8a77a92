"""Oracle reports: what one registered oracle key signs of one market at one grid second."""

from __future__ import annotations

from typing import NamedTuple

from novate.spec.bounds import (
    PPM_SIGNED_MAX,
    PRICE_MAX,
    TIME_MAX,
    VOL_PPM_MAX,
    check_range,
)
from novate.spec.messages.domain import VERSION, address_elements, signed_element
from novate.spec.primitives import Signature
from novate.spec.state import ExpiryFields

REPORT_TAG = "report"


class Report(NamedTuple):
    """The fields of a snapshot, as one oracle sees them."""

    underlying: int
    time: int
    index_price: int
    premium_ppm: int
    mean: int
    expiries: tuple[ExpiryFields, ...]

    def elements(self, chain_id: int, settlement_contract: int) -> tuple[int, ...]:
        """What is signed under `REPORT_TAG`. Reports hold on every fork and in every epoch."""
        return (
            chain_id,
            *address_elements(settlement_contract),
            VERSION,
            self.underlying,
            self.time,
            self.index_price,
            signed_element(self.premium_ppm),
            self.mean,
            len(self.expiries),
            *(element for expiry in self.expiries for element in expiry_elements(expiry)),
        )


def expiry_elements(expiry: ExpiryFields) -> tuple[int, ...]:
    """Day, basis, number of nodes, then the volatilities."""
    return (
        expiry.day,
        signed_element(expiry.basis_ppm),
        len(expiry.vols_ppm),
        *expiry.vols_ppm,
    )


def check_report(report: Report, expiries_max: int, nodes: int) -> None:
    """DecodeError unless every field of the report is within its bound."""
    check_range("report.time", report.time, 1, TIME_MAX)
    check_range("report.index_price", report.index_price, 1, PRICE_MAX)
    check_range("report.mean", report.mean, 1, PRICE_MAX)
    check_range("report.premium_ppm", report.premium_ppm, -PPM_SIGNED_MAX, PPM_SIGNED_MAX)
    check_range("report.expiries", len(report.expiries), 0, expiries_max)
    days = [expiry.day for expiry in report.expiries]
    check_range("report.expiries sorted by distinct day", int(days == sorted(set(days))), 1, 1)
    for expiry in report.expiries:
        check_range("expiry.day", expiry.day, 1, 2**16 - 1)
        check_range("expiry.basis_ppm", expiry.basis_ppm, -999_999, PPM_SIGNED_MAX)
        check_range("expiry.vols_ppm", len(expiry.vols_ppm), nodes, nodes)
        for vol in expiry.vols_ppm:
            check_range("expiry.vol_ppm", vol, 1, VOL_PPM_MAX)


class SignedReport(NamedTuple):
    """A report with the index of its key in the parameters' oracle keys."""

    oracle: int
    report: Report
    signature: Signature
