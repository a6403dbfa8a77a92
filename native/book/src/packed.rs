//! Requests and events as fixed little-endian records: what a log stores and a buffer carries.
//!
//! Operation, 56 bytes (`novate.book.operations` says which kind reads which fields):
//!
//! | offset | field | type | | offset | field | type |
//! |---|---|---|---|---|---|---|
//! | 0 | kind | u8, 0 to 6 | | 16 | owner_group | u32 |
//! | 1 | side | u8, 0 or 1 | | 20 | good_till | u32, seconds |
//! | 2 | flags | u8 | | 24 | instrument | u64 |
//! | 3 | time_in_force | u8, 0 to 2 | | 32 | order_id | u64 |
//! | 4 | self_trade | u8, 0 to 2 | | 40 | price | i64, ticks |
//! | 8 | now | u32, seconds | | 48 | quantity | i64, lots |
//! | 12 | account | u32 | | | | |
//!
//! Event, 64 bytes ([`Event`] says which kind has which fields; the others are 0):
//!
//! | offset | field | type | | offset | field | type |
//! |---|---|---|---|---|---|---|
//! | 0 | sequence | u64 | | 44 | quantity | u32 |
//! | 8 | instrument | u64 | | 48 | open | u32 |
//! | 16 | order_id | u64 | | 52 | taker_open | u32 |
//! | 24 | taker_order_id | u64 | | 56 | reason | u16 |
//! | 32 | account | u32 | | 58 | kind | u8 |
//! | 36 | taker_account | u32 | | 59 | side | u8 |
//! | 40 | price | u32 | | 60 | kept_priority | u8, 0 or 1 |
//!
//! Bytes that no field names are not read, and written as 0.

use crate::error::Error;
use crate::event::Event;
use crate::order::{Order, QUOTES_PER_SHEET_MAX, Quote, SelfTrade, Sheet, Side, TimeInForce, term};

/// Bytes of an operation.
pub const OPERATION_BYTES: usize = 56;
/// Bytes of an event.
pub const EVENT_BYTES: usize = 64;
/// An event as it is written.
pub type EventRecord = [u8; EVENT_BYTES];

const SUBMIT: u8 = 0;
const AMEND: u8 = 1;
const CANCEL: u8 = 2;
const CANCEL_ALL: u8 = 3;
const EXPIRE: u8 = 4;
const SHEET: u8 = 5;
const QUOTE: u8 = 6;

/// The fields of one record, as they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    pub kind: u8,
    pub side: u8,
    pub flags: u8,
    pub time_in_force: u8,
    pub self_trade: u8,
    pub now: u32,
    pub account: u32,
    pub owner_group: u32,
    pub good_till: u32,
    pub instrument: u64,
    pub order_id: u64,
    pub price: i64,
    pub quantity: i64,
}

impl Operation {
    /// The fields of a record.
    #[inline]
    fn unpack(record: &[u8; OPERATION_BYTES]) -> Self {
        Self {
            kind: record[0],
            side: record[1],
            flags: record[2],
            time_in_force: record[3],
            self_trade: record[4],
            now: u32::from_le_bytes(bytes(record, 8)),
            account: u32::from_le_bytes(bytes(record, 12)),
            owner_group: u32::from_le_bytes(bytes(record, 16)),
            good_till: u32::from_le_bytes(bytes(record, 20)),
            instrument: u64::from_le_bytes(bytes(record, 24)),
            order_id: u64::from_le_bytes(bytes(record, 32)),
            price: i64::from_le_bytes(bytes(record, 40)),
            quantity: i64::from_le_bytes(bytes(record, 48)),
        }
    }

    /// The record of the fields.
    pub fn pack(&self) -> [u8; OPERATION_BYTES] {
        let mut record = [0; OPERATION_BYTES];
        let small = [self.kind, self.side, self.flags, self.time_in_force, self.self_trade];
        record[..5].copy_from_slice(&small);
        record[8..12].copy_from_slice(&self.now.to_le_bytes());
        record[12..16].copy_from_slice(&self.account.to_le_bytes());
        record[16..20].copy_from_slice(&self.owner_group.to_le_bytes());
        record[20..24].copy_from_slice(&self.good_till.to_le_bytes());
        record[24..32].copy_from_slice(&self.instrument.to_le_bytes());
        record[32..40].copy_from_slice(&self.order_id.to_le_bytes());
        record[40..48].copy_from_slice(&self.price.to_le_bytes());
        record[48..].copy_from_slice(&self.quantity.to_le_bytes());
        record
    }

    /// The order of a SUBMIT record, the `record`-th of its buffer.
    #[inline]
    fn order(&self, record: usize) -> Result<Order, Error> {
        let time_in_force = TimeInForce::from_number(self.time_in_force)
            .ok_or_else(|| wrong(record, "time_in_force", self.time_in_force, "0, 1 or 2"))?;
        Ok(Order {
            order_id: self.order_id,
            account: self.account,
            owner_group: self.owner_group,
            price: term(self.price),
            quantity: term(self.quantity),
            good_till: self.good_till,
            side: self.side(record)?,
            flags: self.flags,
            time_in_force,
            self_trade: self.self_trade(record)?,
        })
    }

    #[inline]
    fn side(&self, record: usize) -> Result<Side, Error> {
        Side::from_number(self.side).ok_or_else(|| wrong(record, "side", self.side, "0 or 1"))
    }

    #[inline]
    fn self_trade(&self, record: usize) -> Result<SelfTrade, Error> {
        SelfTrade::from_number(self.self_trade)
            .ok_or_else(|| wrong(record, "self_trade", self.self_trade, "0, 1 or 2"))
    }
}

/// N bytes of a record; both are constants, so nothing is checked at run time.
#[inline(always)]
fn bytes<const N: usize>(record: &[u8; OPERATION_BYTES], at: usize) -> [u8; N] {
    core::array::from_fn(|i| record[at + i])
}

#[cold]
fn wrong(record: usize, field: &'static str, value: impl ToString, limit: &'static str) -> Error {
    Error::Field { record, field, value: value.to_string(), limit }
}

/// A well-formed request: its fields are in range, its terms may still be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Its instrument and time, and the order.
    Submit(Operation, Order),
    Amend(Operation),
    Cancel(Operation),
    CancelAll(Operation),
    Expire(u32),
    /// And its time.
    Sheet(Sheet, u32),
}

/// Reads requests from a buffer, one after another.
pub struct Records<'a> {
    records: &'a [[u8; OPERATION_BYTES]],
    next: usize,
}

impl<'a> Records<'a> {
    /// The records of a buffer; an error unless it is whole records.
    pub fn new(buffer: &'a [u8]) -> Result<Self, Error> {
        match buffer.as_chunks() {
            (records, []) => Ok(Self { records, next: 0 }),
            _ => Err(Error::Length { bytes: buffer.len(), record_bytes: OPERATION_BYTES }),
        }
    }

    /// Number of records, read or not.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The next request, `None` after the last.
    #[inline]
    pub fn next_request(&mut self) -> Result<Option<Request>, Error> {
        let Some(record) = self.records.get(self.next) else { return Ok(None) };
        let number = self.next;
        let operation = Operation::unpack(record);
        self.next += 1;
        Ok(Some(match operation.kind {
            SUBMIT => Request::Submit(operation, operation.order(number)?),
            AMEND => Request::Amend(operation),
            CANCEL => Request::Cancel(operation),
            CANCEL_ALL => Request::CancelAll(operation),
            EXPIRE => Request::Expire(operation.now),
            SHEET => Request::Sheet(self.sheet(number, &operation)?, operation.now),
            QUOTE => return Err(wrong(number, "kind", QUOTE, "0 to 5 outside a sheet")),
            kind => return Err(wrong(number, "kind", kind, "0 to 6")),
        }))
    }

    /// The sheet of the header at `number` and the QUOTE records that follow, bid and ask each.
    fn sheet(&mut self, number: usize, header: &Operation) -> Result<Sheet, Error> {
        let following = &self.records[self.next..];
        let count = usize::try_from(header.quantity).ok();
        let Some(count) = count.filter(|&count| count <= following.len() / 2) else {
            let limit = "a number of quotes, each with two records after the sheet's";
            return Err(wrong(number, "quantity", header.quantity, limit));
        };
        // A sheet that is too large is refused whole, so its orders have no ids.
        let orders = 2 * count.min(QUOTES_PER_SHEET_MAX) as u64;
        if header.order_id.checked_add(orders.saturating_sub(1)).is_none() {
            let limit = "at most 2^64 less twice the number of quotes";
            return Err(wrong(number, "order_id", header.order_id, limit));
        }
        let self_trade = header.self_trade(number)?;
        let mut quotes = Vec::with_capacity(count);
        for (index, [bid, ask]) in following.as_chunks().0[..count].iter().enumerate() {
            quotes.push(quote(number + 1 + 2 * index, bid, ask)?);
        }
        self.next += 2 * count;
        let &Operation { account, owner_group, order_id: first_order_id, flags, .. } = header;
        let good_till = header.good_till;
        Ok(Sheet { account, owner_group, first_order_id, quotes, flags, self_trade, good_till })
    }
}

/// The quote of two records, the first of which is the `number`-th of its buffer.
fn quote(
    number: usize,
    bid: &[u8; OPERATION_BYTES],
    ask: &[u8; OPERATION_BYTES],
) -> Result<Quote, Error> {
    let (bid, ask) = (Operation::unpack(bid), Operation::unpack(ask));
    for (number, operation) in [(number, &bid), (number + 1, &ask)] {
        if operation.kind != QUOTE {
            return Err(wrong(number, "kind", operation.kind, "6 inside a sheet"));
        }
    }
    if bid.side != 0 {
        return Err(wrong(number, "side", bid.side, "0, a bid, as first of a quote of a sheet"));
    }
    if ask.side != 1 {
        return Err(wrong(
            number + 1,
            "side",
            ask.side,
            "1, an ask, as second of a quote of a sheet",
        ));
    }
    if ask.instrument != bid.instrument {
        let limit = "the bid's in a quote of a sheet";
        return Err(wrong(number + 1, "instrument", ask.instrument, limit));
    }
    Ok(Quote {
        instrument: bid.instrument,
        bid_price: bid.price,
        bid_quantity: bid.quantity,
        ask_price: ask.price,
        ask_quantity: ask.quantity,
    })
}

/// The record of an event.
#[inline]
pub fn pack_event(event: &Event) -> EventRecord {
    let mut record = [0; EVENT_BYTES];
    let long = [event.sequence, event.instrument, event.order_id, event.taker_order_id];
    record[..32].as_chunks_mut().0.copy_from_slice(&long.map(u64::to_le_bytes));
    let words = [
        event.account,
        event.taker_account,
        event.price,
        event.quantity,
        event.open,
        event.taker_open,
    ];
    record[32..56].as_chunks_mut().0.copy_from_slice(&words.map(u32::to_le_bytes));
    record[56..58].copy_from_slice(&event.reason.0.to_le_bytes());
    let small = [event.kind as u8, event.side as u8, u8::from(event.kept_priority)];
    record[58..61].copy_from_slice(&small);
    record
}
