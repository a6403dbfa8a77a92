//! Orders, quotes and sheets. Prices are ticks and quantities lots; the book needs no more.

/// Prices and quantities of live orders are below it.
pub const TERM_LIMIT: u32 = 1 << 31;
/// The end of an order that has none, in seconds.
pub const GOOD_TILL_CANCELLED: u32 = u32::MAX;
/// Most quotes of a sheet.
pub const QUOTES_PER_SHEET_MAX: usize = 64;

/// Refused if it would trade at once.
pub const POST_ONLY: u8 = 1;
/// Never fills past a flat position.
pub const REDUCE_ONLY: u8 = 2;
/// One side of a quote; set by the book, not by the sender.
pub const QUOTE: u8 = 4;

/// Side of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Side {
    Buy = 0,
    Sell = 1,
}

impl Side {
    /// Both, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Buy, Self::Sell];

    /// The side of a number, `None` if it is neither.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The side it trades with.
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// What a fill of `lots` does to the position: up for a buy.
    pub fn signed(self, lots: u32) -> i64 {
        match self {
            Self::Buy => i64::from(lots),
            Self::Sell => -i64::from(lots),
        }
    }
}

/// What happens to the part that does not trade at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TimeInForce {
    /// Rests until its `good_till`.
    GoodTill = 0,
    /// Is cancelled.
    ImmediateOrCancel = 1,
    /// There is none: the whole order trades or nothing does.
    FillOrKill = 2,
}

impl TimeInForce {
    /// The value of a number, `None` if there is none.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::GoodTill, Self::ImmediateOrCancel, Self::FillOrKill]
            .get(usize::from(number))
            .copied()
    }
}

/// Who yields when an order meets one of the same owner; the taker's mode decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SelfTrade {
    /// The maker goes, matching goes on.
    CancelMaker = 0,
    /// The taker goes, the maker stays.
    CancelTaker = 1,
    /// Both go.
    CancelBoth = 2,
}

impl SelfTrade {
    /// The value of a number, `None` if there is none.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::CancelMaker, Self::CancelTaker, Self::CancelBoth].get(usize::from(number)).copied()
    }
}

/// One order. `quantity` is the total over all revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Unique among the resting orders of its instrument.
    pub order_id: u64,
    pub account: u32,
    /// Accounts of one owner share it.
    pub owner_group: u32,
    /// Ticks; refused outside `[1, 2^31)`, which [`term`] maps every integer outside to.
    pub price: u32,
    /// Lots; as `price`.
    pub quantity: u32,
    /// Seconds; dead from this second on.
    pub good_till: u32,
    pub side: Side,
    /// [`POST_ONLY`], [`REDUCE_ONLY`], [`QUOTE`]; other bits are refused.
    pub flags: u8,
    pub time_in_force: TimeInForce,
    pub self_trade: SelfTrade,
}

impl Order {
    /// Whether the order has this flag.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether a trade between the two is a self-trade; one account never trades with itself.
    pub fn same_owner(&self, other: &Self) -> bool {
        self.owner_group == other.owner_group || self.account == other.account
    }
}

/// A price or quantity as an order holds it: what is out of range stays out of range.
pub fn term(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

/// Both sides of one instrument; quantity 0 means no quote on that side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    pub instrument: u64,
    pub bid_price: i64,
    pub bid_quantity: i64,
    pub ask_price: i64,
    pub ask_quantity: i64,
}

/// A mass quote: replaces the account's previous sheet. Side s of quote k is the order
/// `first_order_id + 2k + s`, so `first_order_id` is at most `2^64` less twice the quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub account: u32,
    pub owner_group: u32,
    pub first_order_id: u64,
    /// At most [`QUOTES_PER_SHEET_MAX`].
    pub quotes: Vec<Quote>,
    /// Of every order of the sheet: [`POST_ONLY`] or none.
    pub flags: u8,
    pub self_trade: SelfTrade,
    pub good_till: u32,
}

impl Sheet {
    /// Bid and ask order of the quote `index`; `None` where its quantity is 0.
    pub fn orders(&self, index: usize) -> [Option<Order>; 2] {
        let quote = &self.quotes[index];
        let sides = [
            (Side::Buy, quote.bid_price, quote.bid_quantity),
            (Side::Sell, quote.ask_price, quote.ask_quantity),
        ];
        sides.map(|(side, price, quantity)| {
            (quantity != 0).then(|| Order {
                order_id: self.first_order_id.wrapping_add(2 * index as u64 + side as u64),
                account: self.account,
                owner_group: self.owner_group,
                price: term(price),
                quantity: term(quantity),
                good_till: self.good_till,
                side,
                flags: self.flags | QUOTE,
                time_in_force: TimeInForce::GoodTill,
                self_trade: self.self_trade,
            })
        })
    }
}
