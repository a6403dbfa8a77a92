"""The error families of the law, and every reason by name.

`Rejection`: this transaction cannot be included; nothing changed.
`InvalidBatch`: the batch as a whole is not of the form the law allows.
`DecodeError`: bytes (or fields) that are not the encoding of anything.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a transaction is rejected."""

    # oracle reports
    WRONG_REPORT_COUNT = "wrong_report_count"
    REPORTS_NOT_DISTINCT = "reports_not_distinct"
    UNKNOWN_ORACLE = "unknown_oracle"
    REPORT_OF_OTHER_MARKET = "report_of_other_market"
    REPORT_TIMES_DIFFER = "report_times_differ"
    REPORT_OFF_GRID = "report_off_grid"
    REPORT_NOT_OF_NOW = "report_not_of_now"
    REPORT_NOT_NEWER = "report_not_newer"
    REPORT_EXPIRIES_DIFFER = "report_expiries_differ"
    INDEX_SPREAD_TOO_WIDE = "index_spread_too_wide"
    INVALID_REPORT_SIGNATURE = "invalid_report_signature"
    # who speaks for an account
    UNKNOWN_ACCOUNT = "unknown_account"
    NOT_THE_OWNER = "not_the_owner"
    INVALID_SIGNATURE = "invalid_signature"
    SESSION_KEY_OUT_OF_SCOPE = "session_key_out_of_scope"
    SESSION_KEY_EXPIRED = "session_key_expired"
    EPOCH_EXHAUSTED = "epoch_exhausted"
    UNKNOWN_TIER = "unknown_tier"
    # orders and fills
    EMPTY_TRADE = "empty_trade"
    NO_SUCH_ORDER = "no_such_order"
    WRONG_SIDE = "wrong_side"
    OTHER_INSTRUMENT = "other_instrument"
    SELF_TRADE = "self_trade"
    FILL_OUT_OF_BOUNDS = "fill_out_of_bounds"
    NOTIONAL_TOO_LARGE = "notional_too_large"
    OUTSIDE_LIMIT = "outside_limit"
    OUTSIDE_BAND = "outside_band"
    ORDER_EXPIRED = "order_expired"
    OVERFILLED = "overfilled"
    STALE_NONCE = "stale_nonce"
    SLOT_OUT_OF_RANGE = "slot_out_of_range"
    TRIGGER_NOT_MET = "trigger_not_met"
    REDUCE_ONLY = "reduce_only"
    FEE_TOO_HIGH = "fee_too_high"
    NEGATIVE_FEES = "negative_fees"
    # instruments and markets
    UNKNOWN_MARKET = "unknown_market"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    INSTRUMENT_EXPIRED = "instrument_expired"
    INSTRUMENT_SETTLED = "instrument_settled"
    NOT_LISTED = "not_listed"
    TOO_MANY_INSTRUMENTS = "too_many_instruments"
    MARKET_HALTED = "market_halted"
    # caps
    POSITION_TOO_LARGE = "position_too_large"
    GROSS_TOO_LARGE = "gross_too_large"
    TOO_MANY_POSITIONS = "too_many_positions"
    CASH_OUT_OF_BOUNDS = "cash_out_of_bounds"
    # margin
    INSUFFICIENT_MARGIN = "insufficient_margin"
    NOT_RISK_REDUCING = "not_risk_reducing"
    UNSAFE_AT_REFERENCE = "unsafe_at_reference"
    WITHDRAWAL_BLOCKED = "withdrawal_blocked"
    # liquidation
    WATERFALL_NOT_OPEN = "waterfall_not_open"
    NOT_BELOW_MARGIN = "not_below_margin"
    LIQUIDATION_DONE = "liquidation_done"
    NOT_A_HEDGE = "not_a_hedge"
    STEP_TOO_LARGE = "step_too_large"
    FUND_MAY_ONLY_REDUCE = "fund_may_only_reduce"
    FUND_NOT_BELOW_MARGIN = "fund_not_below_margin"
    SNAPSHOT_TOO_OLD = "snapshot_too_old"
    # moves
    AMOUNT_OUT_OF_BOUNDS = "amount_out_of_bounds"
    SELF_TRANSFER = "self_transfer"
    RECIPIENT_NOT_ALLOWED = "recipient_not_allowed"
    NO_POSITION = "no_position"
    NOTHING_WITHDRAWABLE = "nothing_withdrawable"
    PAYOUT_TOO_SMALL = "payout_too_small"
    VAULT_TOO_SMALL = "vault_too_small"


class Fault(StrEnum):
    """Why a batch is invalid as a whole."""

    WRONG_BATCH_NUMBER = "wrong_batch_number"
    FORK_WENT_BACK = "fork_went_back"
    WRONG_ROUND_COUNT = "wrong_round_count"
    TIME_WENT_BACK = "time_went_back"
    TIME_OFF_GRID = "time_off_grid"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    REPORTS_NOT_SORTED = "reports_not_sorted"
    REQUESTS_NOT_IN_FIRST_ROUND = "requests_not_in_first_round"
    TOO_MANY_REQUESTS = "too_many_requests"
    REQUESTS_AT_OLD_PRICES = "requests_at_old_prices"
    TOO_MANY_FILLS = "too_many_fills"
    TOO_MANY_RECORDS = "too_many_records"
    UNUSED_ORDER = "unused_order"
    MALFORMED_PARAMETERS = "malformed_parameters"
    IMMUTABLE_PARAMETER = "immutable_parameter"


class LawError(Exception):
    """Base of every error the law raises: the reason's name and the facts."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """`detail` names the field, the value and the limit."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = str(reason)
        self.detail = detail


class Rejection(LawError):
    """This transaction cannot be included; the state is unchanged. See `Reason`."""


class InvalidBatch(LawError):
    """The batch is not of the form the law allows; the state is unchanged. See `Fault`."""


class DecodeError(LawError):
    """The bytes are not the encoding of anything; names the field, the value and the limit."""
