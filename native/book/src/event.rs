//! What the books say happened, in order, numbered from 0 without gaps.

use crate::order::Side;
use crate::packed::{EventRecord, pack_event};

/// Why something was refused or cancelled: a number of the book's own below [`Reason::OWN_LIMIT`],
/// or one that the caller gave a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason(pub u16);

impl Reason {
    pub const NONE: Self = Self(0);
    pub const PRICE_RANGE: Self = Self(1);
    pub const QUANTITY_RANGE: Self = Self(2);
    pub const FLAGS: Self = Self(3);
    pub const DUPLICATE_ORDER_ID: Self = Self(4);
    pub const POST_ONLY_WOULD_TRADE: Self = Self(5);
    pub const FILL_OR_KILL: Self = Self(6);
    pub const UNKNOWN_ORDER: Self = Self(7);
    pub const QUOTE_NOT_AMENDABLE: Self = Self(8);
    pub const QUOTE_CROSSED: Self = Self(9);
    pub const SHEET_SIZE: Self = Self(10);
    pub const EXPIRED: Self = Self(11);
    pub const REDUCE_ONLY: Self = Self(12);
    pub const OTHER_SIDE_REFUSED: Self = Self(13);
    pub const REQUESTED: Self = Self(14);
    pub const IMMEDIATE_OR_CANCEL: Self = Self(15);
    pub const SELF_TRADE: Self = Self(16);
    pub const AMENDED_TO_FILLED: Self = Self(17);
    pub const QUOTE_REPLACED: Self = Self(18);

    /// Reasons of the caller's begin here.
    pub const OWN_LIMIT: u16 = 256;

    /// The names of the book's own, by number, as the reference writes them.
    pub const NAMES: [&'static str; 19] = [
        "",
        "price_range",
        "quantity_range",
        "flags",
        "duplicate_order_id",
        "post_only_would_trade",
        "fill_or_kill",
        "unknown_order",
        "quote_not_amendable",
        "quote_crossed",
        "sheet_size",
        "expired",
        "reduce_only",
        "other_side_refused",
        "requested",
        "immediate_or_cancel",
        "self_trade",
        "amended_to_filled",
        "quote_replaced",
    ];
}

/// Which event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The order is in: it trades at once, then rests.
    Accepted = 0,
    /// The request changed nothing.
    Rejected = 1,
    /// A trade at the maker's price.
    Filled = 2,
    /// The order is gone; `quantity` is what was still open.
    Cancelled = 3,
    /// A revision took the order's place.
    Amended = 4,
}

/// One event. Fields that its kind does not name are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub sequence: u64,
    pub instrument: u64,
    /// All; of a fill the maker's.
    pub order_id: u64,
    /// Filled.
    pub taker_order_id: u64,
    /// All; of a fill the maker's.
    pub account: u32,
    /// Filled.
    pub taker_account: u32,
    /// Accepted, Filled, Amended.
    pub price: u32,
    /// Accepted and Amended: the total asked for. Filled: traded. Cancelled: what was open.
    pub quantity: u32,
    /// Accepted and Amended: what may trade from now on. Filled: what the maker has left.
    pub open: u32,
    /// Filled: what the taker has left.
    pub taker_open: u32,
    /// Rejected and Cancelled: why. Accepted and Amended: why `open` is less than asked for.
    pub reason: Reason,
    pub kind: Kind,
    /// Accepted, Amended; of a fill the taker's. Buy where the kind names none.
    pub side: Side,
    /// Amended.
    pub kept_priority: bool,
}

/// Numbers the events and keeps their records until they are taken.
#[derive(Default)]
pub struct Recorder {
    next: u64,
    traded: u64,
    records: Vec<EventRecord>,
}

impl Recorder {
    /// The records of the events since the last call.
    pub fn take(&mut self) -> Vec<EventRecord> {
        std::mem::take(&mut self.records)
    }

    /// Lots of all fills so far.
    pub fn traded(&self) -> u64 {
        self.traded
    }

    /// Room for so many events more.
    pub fn reserve(&mut self, events: usize) {
        self.records.reserve(events);
    }

    /// Gives the event its number and keeps its record.
    #[inline]
    pub fn add(&mut self, mut event: Event) -> Event {
        event.sequence = self.next;
        self.next += 1;
        if event.kind == Kind::Filled {
            self.traded += u64::from(event.quantity);
        }
        self.records.push(pack_event(&event));
        event
    }
}
