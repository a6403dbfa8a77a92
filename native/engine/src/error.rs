//! What the engine answers when it cannot do what it was asked: the law's names, and one of its
//! own.

use std::error::Error;
use std::fmt;

/// An enum whose members have the law's names as text.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($member:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[allow(missing_docs)] $member,)* }

        impl $name {
            /// Every member, in the order of the law.
            pub const ALL: &[Self] = &[$(Self::$member,)*];

            /// The law's name of it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => $text,)* }
            }

            /// The member of a name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$member),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

named! {
/// Why a transaction is rejected.
Reason {
    WrongReportCount = "wrong_report_count",
    ReportsNotDistinct = "reports_not_distinct",
    UnknownOracle = "unknown_oracle",
    ReportOfOtherMarket = "report_of_other_market",
    ReportTimesDiffer = "report_times_differ",
    ReportOffGrid = "report_off_grid",
    ReportNotOfNow = "report_not_of_now",
    ReportNotNewer = "report_not_newer",
    ReportExpiriesDiffer = "report_expiries_differ",
    IndexSpreadTooWide = "index_spread_too_wide",
    InvalidReportSignature = "invalid_report_signature",
    UnknownAccount = "unknown_account",
    NotTheOwner = "not_the_owner",
    InvalidSignature = "invalid_signature",
    SessionKeyOutOfScope = "session_key_out_of_scope",
    SessionKeyExpired = "session_key_expired",
    EpochExhausted = "epoch_exhausted",
    UnknownTier = "unknown_tier",
    EmptyTrade = "empty_trade",
    NoSuchOrder = "no_such_order",
    WrongSide = "wrong_side",
    OtherInstrument = "other_instrument",
    SelfTrade = "self_trade",
    FillOutOfBounds = "fill_out_of_bounds",
    NotionalTooLarge = "notional_too_large",
    OutsideLimit = "outside_limit",
    OutsideBand = "outside_band",
    OrderExpired = "order_expired",
    Overfilled = "overfilled",
    StaleNonce = "stale_nonce",
    SlotOutOfRange = "slot_out_of_range",
    TriggerNotMet = "trigger_not_met",
    ReduceOnly = "reduce_only",
    FeeTooHigh = "fee_too_high",
    NegativeFees = "negative_fees",
    UnknownMarket = "unknown_market",
    UnknownInstrument = "unknown_instrument",
    InstrumentExpired = "instrument_expired",
    InstrumentSettled = "instrument_settled",
    NotListed = "not_listed",
    TooManyInstruments = "too_many_instruments",
    MarketHalted = "market_halted",
    PositionTooLarge = "position_too_large",
    GrossTooLarge = "gross_too_large",
    TooManyPositions = "too_many_positions",
    CashOutOfBounds = "cash_out_of_bounds",
    InsufficientMargin = "insufficient_margin",
    NotRiskReducing = "not_risk_reducing",
    UnsafeAtReference = "unsafe_at_reference",
    WithdrawalBlocked = "withdrawal_blocked",
    WaterfallNotOpen = "waterfall_not_open",
    NotBelowMargin = "not_below_margin",
    LiquidationDone = "liquidation_done",
    NotAHedge = "not_a_hedge",
    StepTooLarge = "step_too_large",
    FundMayOnlyReduce = "fund_may_only_reduce",
    FundNotBelowMargin = "fund_not_below_margin",
    SnapshotTooOld = "snapshot_too_old",
    AmountOutOfBounds = "amount_out_of_bounds",
    SelfTransfer = "self_transfer",
    RecipientNotAllowed = "recipient_not_allowed",
    NoPosition = "no_position",
    NothingWithdrawable = "nothing_withdrawable",
    PayoutTooSmall = "payout_too_small",
    VaultTooSmall = "vault_too_small",
}
}

named! {
/// Why a batch is invalid as a whole.
Fault {
    WrongBatchNumber = "wrong_batch_number",
    ForkWentBack = "fork_went_back",
    WrongRoundCount = "wrong_round_count",
    TimeWentBack = "time_went_back",
    TimeOffGrid = "time_off_grid",
    TimeOutOfRange = "time_out_of_range",
    ReportsNotSorted = "reports_not_sorted",
    RequestsNotInFirstRound = "requests_not_in_first_round",
    TooManyRequests = "too_many_requests",
    RequestsAtOldPrices = "requests_at_old_prices",
    TooManyFills = "too_many_fills",
    TooManyRecords = "too_many_records",
    UnusedOrder = "unused_order",
    MalformedParameters = "malformed_parameters",
    ImmutableParameter = "immutable_parameter",
}
}

/// Anything the engine refuses. The text names the field, the value and the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LawError {
    /// This transaction cannot be included; nothing changed.
    Rejection(Reason, String),
    /// The batch as a whole is not of the form the law allows; nothing changed.
    InvalidBatch(Fault, String),
    /// A field is out of the range of what can be signed or written; the law's name of the rule.
    Decode(&'static str, String),
    /// The state, or the order of the calls, is one that the law never comes to. No rule decides
    /// it, so the engine does not guess; nothing changed.
    Corrupt(String),
}

impl LawError {
    /// The law's family of the error: the name of its class there, `Corrupt` for the engine's own.
    #[must_use]
    pub const fn family(&self) -> &'static str {
        match self {
            Self::Rejection(..) => "Rejection",
            Self::InvalidBatch(..) => "InvalidBatch",
            Self::Decode(..) => "DecodeError",
            Self::Corrupt(_) => "Corrupt",
        }
    }

    /// The reason's name.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Rejection(reason, _) => reason.as_str(),
            Self::InvalidBatch(fault, _) => fault.as_str(),
            Self::Decode(rule, _) => rule,
            Self::Corrupt(_) => "corrupt",
        }
    }

    /// Field, value and limit.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Rejection(_, detail)
            | Self::InvalidBatch(_, detail)
            | Self::Decode(_, detail)
            | Self::Corrupt(detail) => detail,
        }
    }
}

impl fmt::Display for LawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason(), self.detail())
    }
}

impl Error for LawError {}

/// A result of the law.
pub type Law<T> = Result<T, LawError>;

/// A rejection for a reason.
#[must_use]
pub fn reject(reason: Reason, detail: impl Into<String>) -> LawError {
    LawError::Rejection(reason, detail.into())
}

/// A fault of a batch.
#[must_use]
pub fn invalid(fault: Fault, detail: impl Into<String>) -> LawError {
    LawError::InvalidBatch(fault, detail.into())
}

/// An inconsistency that no rule of the law decides.
#[must_use]
pub fn corrupt(detail: impl Into<String>) -> LawError {
    LawError::Corrupt(detail.into())
}

/// `value`, when it is in `[low, high]`; the law's decode error `out_of_range` otherwise.
pub fn check_range(field: &str, value: i64, low: i64, high: i64) -> Law<i64> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    let detail = format!("{field} = {value} is not in [{low}, {high}]");
    Err(LawError::Decode("out_of_range", detail))
}
