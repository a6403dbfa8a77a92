//! The border encoding of the law's types: their fields in the order of the specification.

use std::collections::BTreeMap;

use crate::border::{Border, Encoded, Reader, encode, put_integer, put_text, refuse};
use crate::engine::Changes;
use crate::error::Reason;
use crate::slots::Slots;
use crate::types::account::{
    CancelAll, Change, Move, MovePosition, RotateKey, SetTier, Signed, Transfer, Withdrawal,
};
use crate::types::batch::{Batch, Due, Fill, MarketReports, Round, SideKind, SideOf, Trade};
use crate::types::inbox::{
    AllowOwner, Deposit, ForcedCancel, ForcedClose, ForcedLiquidation, ForcedWithdrawal,
    FundDeposit, RegisterKey, Request,
};
use crate::types::journal::{
    ChangeEntry, ChangeKind, DeleverageEntry, FillEntry, FundingEntry, Health, Journal, LazyFlow,
    LedgerRow, LiquidationEntry, LiquidationStage, MarginEntry, RequestEntry, RequestOutcome,
    SettlementEntry, SnapshotEntry, SnapshotOutcome, TransferEntry, WithdrawalEntry,
};
use crate::types::numbers::{Address, Signature};
use crate::types::oracle::{Report, SignedReport};
use crate::types::orders::{
    Authorization, Certificate, Order, Quote, Sheet, SignedOrder, SignedSheet,
};
use crate::types::parameters::{FeeTier, MarketParameters, Parameters, RiskParameters, Scenario};
use crate::types::preset::Preset;
use crate::types::state::{
    Account, ExpiryFields, Fund, Halt, InstrumentState, Market, Position, Roots, Side, Slot,
    Snapshot, State, System,
};

/// Records whose encoding is that of their fields, one after another.
macro_rules! records {
    ($($record:ident { $($field:ident),* $(,)? })*) => {$(
        impl Encoded for $record {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($field.put(out);)*
            }

            fn take(reader: &mut Reader<'_>) -> Border<Self> {
                Ok(Self { $($field: Encoded::take(reader)?),* })
            }
        }
    )*};
}

/// One of several records: its number, then it.
macro_rules! unions {
    ($($union:ident { $($number:literal => $case:ident),* $(,)? })*) => {$(
        impl Encoded for $union {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$case(record) => {
                        out.push($number);
                        record.put(out);
                    })*
                }
            }

            fn take(reader: &mut Reader<'_>) -> Border<Self> {
                match reader.byte()? {
                    $($number => Ok(Self::$case(Encoded::take(reader)?)),)*
                    other => refuse(format!(concat!(stringify!($union), " {}"), other)),
                }
            }
        }
    )*};
}

/// Enumerations, as their numbers.
macro_rules! numbered {
    ($($name:ident { $($number:literal => $case:ident),* $(,)? })*) => {$(
        impl Encoded for $name {
            fn put(&self, out: &mut Vec<u8>) {
                put_integer(out, false, &[*self as u8]);
            }

            fn take(reader: &mut Reader<'_>) -> Border<Self> {
                match u32::take(reader)? {
                    $($number => Ok(Self::$case),)*
                    other => refuse(format!(concat!(stringify!($name), " {}"), other)),
                }
            }
        }
    )*};
}

numbered! {
    SideKind { 0 => Order, 1 => Quote, 2 => Liquidation, 3 => Fund }
    SnapshotOutcome { 0 => Accepted, 1 => Halted, 2 => Pending, 3 => Resumed }
    RequestOutcome { 0 => Done, 1 => Refunded, 2 => Deferred, 3 => Marked, 4 => NoOp }
    LiquidationStage {
        0 => StatusSet, 1 => StatusCleared, 2 => Step, 3 => Takeover, 4 => Deleverage,
        5 => FundDebt, 6 => FundDeleverage,
    }
}

unions! {
    Change { 0 => RotateKey, 1 => CancelAll, 2 => SetTier }
    Move { 0 => Transfer, 1 => Position, 2 => Withdrawal }
    Request {
        0 => Deposit, 1 => FundDeposit, 2 => RegisterKey, 3 => AllowOwner, 4 => ForcedWithdrawal,
        5 => ForcedClose, 6 => ForcedLiquidation, 7 => ForcedCancel,
    }
}

records! {
    Preset {
        name, account_depth, market_depth, instrument_depth, slot_depth, positions_max, rounds_max,
        fills_max, inbox_max, reports_max, expiries_max, sheet_quotes_max,
    }
    Scenario { spot_ppm, vol_direction, weight_ppm }
    RiskParameters {
        scenarios, vol_up_ppm, vol_down_ppm, vol_min_ppm, vol_max_ppm, initial_factor_ppm,
        short_option_minimum_ppm, basis_shock_ppm, vega_offset_ppm, concentration_free,
        concentration_slope_ppm, concentration_cap_ppm, concentration_ramp_ppm_h,
    }
    FeeTier { maker_ppm, taker_ppm }
    MarketParameters {
        symbol, price_decimals, strike_tick, strike_step, horizon_days, band_ppm, gap_s,
        halt_jump_ppm, halt_drift_ppm_s, funding_rate_max_ppm, premium_max_ppm, vol_default_ppm,
        penalty_ppm, close_penalty_ppm, fund_inventory_max, deleverage_cap_ppm, risk,
    }
    Parameters {
        chain_id, settlement_contract, markets, oracle_keys, fee_tiers, option_fee_cap_ppm,
        step_loss_ppm, fund_loss_ppm, give_tolerance_ppm, overshoot_ppm, resume_snapshots,
        reference_age_s, oracle_spread_ppm, forced_close_wait_s,
    }
    ExpiryFields { day, basis_ppm, vols_ppm }
    Snapshot { time, index_price, premium_ppm, mean, expiries }
    Halt { since, agreeing, pending }
    Side { factor, cash }
    InstrumentState {
        instrument, mark, open_interest, long, short, clearing, holders, settled,
    }
    Position { instrument, quantity, factor, cash }
    Account {
        owner, key, key_epoch, cash, positions, last_underlying, cancel_epoch, liquidation_since,
        tier, allowed_owner, forced_close_instrument, forced_close_time,
    }
    Fund { cash, positions, debt }
    Market { current, reference, candidate, halt, concentration_ppm, fund }
    Slot { nonce, filled }
    System {
        batch_number, time, inbox_cursor, fork, venue_epoch, vault, account_count,
    }
    Roots { system, markets, instruments, accounts, slots, settlement_root, root }

    Certificate { key, scope, expiry, signature }
    Authorization { signature, certificate }
    Order {
        account, instrument, is_buy, limit_price, quantity, slot, nonce, good_till, max_fee_ppm,
        trigger_price, flags,
    }
    Quote { instrument, bid_price, bid_quantity, ask_price, ask_quantity }
    Sheet { account, base_slot, nonce, good_till, max_fee_ppm, quotes }
    SignedOrder { message, authorization }
    SignedSheet { message, authorization }
    RotateKey { account, key }
    CancelAll { account }
    Transfer { account, recipient, amount, slot, nonce, good_till }
    MovePosition { account, recipient, instrument, quantity, slot, nonce, good_till }
    Withdrawal { account, amount, min_payout, slot, nonce, good_till }
    SetTier { account, tier }
    Deposit { account, owner, sender, amount }
    FundDeposit { underlying, sender, amount }
    RegisterKey { account, owner, key }
    AllowOwner { account, owner, allowed }
    ForcedWithdrawal { account, owner, amount }
    ForcedClose { account, owner, instrument }
    ForcedLiquidation { account }
    ForcedCancel { account, owner }
    Report { underlying, time, index_price, premium_ppm, mean, expiries }
    SignedReport { oracle, report, signature }
    SideOf { kind, number, quote }
    Fill { instrument, price, quantity, buyer, seller, maker_is_buyer }
    Trade { fills }
    MarketReports { underlying, reports }
    Round { time, reports, requests, changes, due, orders, sheets, trades, moves }
    Batch { number, fork, parameters, reset_slots, rounds }

    SnapshotEntry { underlying, median, outcome, smiles_refused }
    FundingEntry { instrument, rate_ppm, seconds, long_cash, short_cash }
    SettlementEntry { instrument, value, by_expiry }
    ChangeEntry { account, kind, value }
    FillEntry { fill, buyer, seller, buyer_fee, seller_fee }
    LedgerRow { holder, instrument, sequence, quantity, cash, running }
    LazyFlow { holder, instrument, quantity_before, quantity_after, cash }
    LiquidationEntry { stage, holder, underlying, amount }
    DeleverageEntry { holder, instrument, quantity, price, factor_before, factor_after }
    TransferEntry { sender, recipient, amount, instrument, quantity }
    WithdrawalEntry { account, recipient, debit, payout }
    Health { equity, maintenance, initial }
    MarginEntry { account, before, after, gave, risk_reducing }
    Changes { parameters, system, markets, instruments, accounts, slots, slots_reset }
}

impl<T: Encoded> Encoded for Signed<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.message.put(out);
        self.authorization.put(out);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        Ok(Self { message: T::take(reader)?, authorization: Encoded::take(reader)? })
    }
}

impl Encoded for Due {
    fn put(&self, out: &mut Vec<u8>) {
        let (number, named) = match self {
            Self::Touch { account } => (0, account),
            Self::Liquidate { account } => (1, account),
            Self::DeleverageFund { underlying } => (2, underlying),
        };
        out.push(number);
        named.put(out);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        match (reader.byte()?, i64::take(reader)?) {
            (0, account) => Ok(Self::Touch { account }),
            (1, account) => Ok(Self::Liquidate { account }),
            (2, underlying) => Ok(Self::DeleverageFund { underlying }),
            (other, _) => refuse(format!("Due {other}")),
        }
    }
}

impl Encoded for Address {
    fn put(&self, out: &mut Vec<u8>) {
        let mut bytes = self.0;
        bytes.reverse();
        put_integer(out, false, &bytes);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        let (is_negative, magnitude) = reader.integer()?;
        let mut bytes = [0; 20];
        if is_negative || magnitude.len() > bytes.len() {
            return refuse("an integer that is no address");
        }
        bytes[..magnitude.len()].copy_from_slice(magnitude);
        bytes.reverse();
        Ok(Self(bytes))
    }
}

impl Encoded for Signature {
    fn put(&self, out: &mut Vec<u8>) {
        self.e0.put(out);
        self.e1.put(out);
        let response: Vec<u8> = self.s.iter().flat_map(|word| word.to_le_bytes()).collect();
        put_integer(out, false, &response);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        let (e0, e1) = (u64::take(reader)?, u64::take(reader)?);
        let (is_negative, magnitude) = reader.integer()?;
        let mut bytes = [0; 40];
        if is_negative || magnitude.len() > bytes.len() {
            return refuse("an integer that is no response of a signature");
        }
        bytes[..magnitude.len()].copy_from_slice(magnitude);
        let (words, _) = bytes.as_chunks();
        Ok(Self { e0, e1, s: std::array::from_fn(|i| u64::from_le_bytes(words[i])) })
    }
}

impl Encoded for ChangeKind {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(out, self.as_str());
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        let name = String::take(reader)?;
        let found = Self::ALL.iter().find(|kind| kind.as_str() == name);
        found.copied().map_or_else(|| refuse(format!("change {name:?}")), Ok)
    }
}

/// The reason is text, empty for none.
impl Encoded for RequestEntry {
    fn put(&self, out: &mut Vec<u8>) {
        self.request.put(out);
        self.outcome.put(out);
        put_text(out, self.reason.map_or("", Reason::as_str));
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        let (request, outcome) = (Encoded::take(reader)?, Encoded::take(reader)?);
        let name = String::take(reader)?;
        let reason = Reason::from_name(&name);
        if reason.is_none() && !name.is_empty() {
            return refuse(format!("reason {name:?}"));
        }
        Ok(Self { request, outcome, reason })
    }
}

/// Accounts are a mapping by index, slots one by (account, slot).
impl Encoded for State {
    fn put(&self, out: &mut Vec<u8>) {
        self.preset.put(out);
        self.parameters.put(out);
        self.system.put(out);
        self.markets.put(out);
        self.instruments.put(out);
        out.extend_from_slice(&(self.accounts.len() as u32).to_le_bytes());
        for (index, account) in (0_u32..).zip(&self.accounts) {
            index.put(out);
            account.put(out);
        }
        let slots: BTreeMap<(u32, u32), Slot> = self.slots.iter().collect();
        slots.put(out);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        let (preset, parameters) = (Encoded::take(reader)?, Encoded::take(reader)?);
        let (system, markets) = (Encoded::take(reader)?, Encoded::take(reader)?);
        let instruments = Encoded::take(reader)?;
        let mut accounts = Vec::new();
        for place in 0..reader.count()? {
            let index = u32::take(reader)?;
            if index as usize != place {
                return refuse(format!("account {index} where {place} should be"));
            }
            accounts.push(Account::take(reader)?);
        }
        let mut slots = Slots::default();
        for ((account, slot), content) in BTreeMap::<(u32, u32), Slot>::take(reader)? {
            if content == Slot::default() {
                return refuse(format!("slot {slot} of account {account} is empty"));
            }
            slots.set(account, slot, content);
        }
        Ok(Self { preset, parameters, system, markets, instruments, accounts, slots })
    }
}

/// The fields of a journal, each encoded by itself, so that who reads one need not read all.
macro_rules! parts {
    ($($field:ident),* $(,)?) => {
        impl Journal {
            /// The encoding of each field, in order.
            #[must_use]
            pub fn parts(&self) -> Vec<Vec<u8>> {
                let Self { $($field),* } = self;
                vec![$(encode($field)),*]
            }
        }
    };
}

parts! {
    snapshots, funding, settlements, requests, changes, fills, ledger, flows, liquidations,
    deleverages, transfers, withdrawals, margins, accounts_before, roots_before, roots_after,
}
