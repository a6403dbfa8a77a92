//! Requests from L1 (`novate.spec.messages.inbox`). `owner` is the L1 sender.

use crate::types::numbers::{Address, PublicKey};

/// Credit cash; opens the account if `account` is the next free index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deposit {
    pub account: i64,
    /// Owner of the account on L1.
    pub owner: Address,
    /// Who paid, and is paid back if the deposit cannot be credited.
    pub sender: Address,
    /// micro-USDC, positive.
    pub amount: i64,
}

/// Capital for the fund of one market, from anyone; it is not paid back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FundDeposit {
    pub underlying: i64,
    pub sender: Address,
    pub amount: i64,
}

/// Bind a trading key; overrides a key rotated on L2. Words that are no elements bind none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterKey {
    pub account: i64,
    pub owner: Address,
    pub key: PublicKey,
}

/// Allow transfers to accounts of another owner (zero: to none).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowOwner {
    pub account: i64,
    pub owner: Address,
    pub allowed: Address,
}

/// Pay min(amount, withdrawable now) to the owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForcedWithdrawal {
    pub account: i64,
    pub owner: Address,
    pub amount: i64,
}

/// Close the account's position in one instrument against the market's fund.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForcedClose {
    pub account: i64,
    pub owner: Address,
    pub instrument: i64,
}

/// Anyone asks that an account below maintenance margin be dealt with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForcedLiquidation {
    pub account: i64,
}

/// Raise the account's cancel epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForcedCancel {
    pub account: i64,
    pub owner: Address,
}

/// A request from L1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Deposit(Deposit),
    FundDeposit(FundDeposit),
    RegisterKey(RegisterKey),
    AllowOwner(AllowOwner),
    ForcedWithdrawal(ForcedWithdrawal),
    ForcedClose(ForcedClose),
    ForcedLiquidation(ForcedLiquidation),
    ForcedCancel(ForcedCancel),
}

impl Default for Request {
    fn default() -> Self {
        Self::empty(0)
    }
}

impl Request {
    /// The number of its kind in public data.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Deposit(_) => 0,
            Self::FundDeposit(_) => 1,
            Self::RegisterKey(_) => 2,
            Self::AllowOwner(_) => 3,
            Self::ForcedWithdrawal(_) => 4,
            Self::ForcedClose(_) => 5,
            Self::ForcedLiquidation(_) => 6,
            Self::ForcedCancel(_) => 7,
        }
    }

    /// A request of a kind with nothing in it; of an unknown kind, a forced cancel.
    #[must_use]
    pub fn empty(kind: u8) -> Self {
        match kind {
            0 => Self::Deposit(Deposit::default()),
            1 => Self::FundDeposit(FundDeposit::default()),
            2 => Self::RegisterKey(RegisterKey::default()),
            3 => Self::AllowOwner(AllowOwner::default()),
            4 => Self::ForcedWithdrawal(ForcedWithdrawal::default()),
            5 => Self::ForcedClose(ForcedClose::default()),
            6 => Self::ForcedLiquidation(ForcedLiquidation::default()),
            _ => Self::ForcedCancel(ForcedCancel::default()),
        }
    }
}
