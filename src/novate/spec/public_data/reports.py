"""A market's quorum of oracle reports: what all reports share is written once.

The law refuses a quorum whose reports differ in market, time or expiries, so these bytes cannot
say one. A report: oracle, index, premium, mean, basis and volatilities of each expiry, signature.
"""

from __future__ import annotations

from functools import cache

from novate.spec.bounds import PPM_SIGNED_MAX, VOL_PPM_MAX
from novate.spec.errors import DecodeError
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.oracle import Report, SignedReport, check_report
from novate.spec.presets import Preset
from novate.spec.public_data.codec import Codec, Listed, Reader, Repeated, Signed, Unsigned
from novate.spec.public_data.fields import PRICE, SIGNATURE, TIME, UNDERLYING
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields

PREMIUM = Signed("premium_ppm", 4, PPM_SIGNED_MAX)
DAY = Unsigned("expiry.day", 2, 1)
BASIS = Signed("expiry.basis_ppm", 4, PPM_SIGNED_MAX, -999_999)
VOLS = Repeated("expiry.vols_ppm", Unsigned("expiry.vol_ppm", 3, 1, VOL_PPM_MAX), NODES)
ORACLE = Unsigned("oracle", 1)
REPORT_BYTES_MIN = 69


class ReportsCodec:
    """underlying | time | days | reports."""

    def __init__(self, preset: Preset) -> None:
        """The preset bounds reports and expiries."""
        self.preset = preset
        self.days: Codec[tuple[int, ...]] = Listed("report.expiries", DAY, 1, preset.expiries_max)

    def write(self, out: bytearray, value: MarketReports) -> None:
        """Append a quorum; DecodeError if it is empty or its reports differ in what they share."""
        if not 1 <= len(value.reports) <= self.preset.reports_max:
            detail = f"{len(value.reports)} reports, 1 to {self.preset.reports_max}"
            raise DecodeError("out_of_range", detail)
        first = value.reports[0].report
        shared = (value.underlying, first.time, _days(first))
        for signed in value.reports:
            report = signed.report
            if (report.underlying, report.time, _days(report)) != shared:
                raise DecodeError("reports_differ", f"{shared} and report of {signed.oracle}")
            check_report(report, self.preset.expiries_max, NODES)
        UNDERLYING.write(out, value.underlying)
        TIME.write(out, first.time)
        self.days.write(out, _days(first))
        out.append(len(value.reports))
        for signed in value.reports:
            _write_report(out, signed)

    def read(self, reader: Reader) -> MarketReports:
        """Read a quorum; every report is within its bounds."""
        underlying = UNDERLYING.read(reader)
        time = TIME.read(reader)
        days = self.days.read(reader)
        count = reader.unsigned(1)
        if not 1 <= count <= self.preset.reports_max:
            raise DecodeError("out_of_range", f"{count} reports, 1 to {self.preset.reports_max}")
        if count * REPORT_BYTES_MIN > reader.remaining:
            raise DecodeError("truncated", f"{count} reports, {reader.remaining} bytes left")
        reports = []
        for _ in range(count):
            signed = _read_report(reader, underlying, time, days)
            check_report(signed.report, self.preset.expiries_max, NODES)
            reports.append(signed)
        return MarketReports(underlying, tuple(reports))


def _days(report: Report) -> tuple[int, ...]:
    """The expiry days of a report."""
    return tuple(expiry.day for expiry in report.expiries)


def _write_report(out: bytearray, signed: SignedReport) -> None:
    """What is a report's own."""
    report = signed.report
    ORACLE.write(out, signed.oracle)
    PRICE.write(out, report.index_price)
    PREMIUM.write(out, report.premium_ppm)
    PRICE.write(out, report.mean)
    for expiry in report.expiries:
        BASIS.write(out, expiry.basis_ppm)
        VOLS.write(out, expiry.vols_ppm)
    SIGNATURE.write(out, signed.signature)


def _read_report(reader: Reader, underlying: int, time: int, days: tuple[int, ...]) -> SignedReport:
    """A report from its own bytes and what all share."""
    oracle = ORACLE.read(reader)
    index_price = PRICE.read(reader)
    premium_ppm = PREMIUM.read(reader)
    mean = PRICE.read(reader)
    expiries = tuple(ExpiryFields(day, BASIS.read(reader), VOLS.read(reader)) for day in days)
    report = Report(underlying, time, index_price, premium_ppm, mean, expiries)
    return SignedReport(oracle, report, SIGNATURE.read(reader))


@cache
def reports_codec(preset: Preset) -> ReportsCodec:
    """The codec of a preset."""
    return ReportsCodec(preset)
