//! The door between matching and risk: the books ask, whoever holds the money answers.
//!
//! The desk is asked at entry and at a revision (may this rest or trade?) and once for each side
//! of each fill, the maker first. It hears of each event before it is asked again. A refused order
//! is cut or rejected, a refused maker is cancelled and matching goes on, a refused taker stops.

use core::convert::Infallible;

use crate::event::{Event, Reason};
use crate::order::Order;

/// When admission is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// A new order or quote, with the quantity that would be open.
    Enter = 0,
    /// A revision in place of the resting order of the same id.
    Amend = 1,
    /// One side of a trade.
    Fill = 2,
}

/// A fill of an all-or-nothing order that happens only if all the later ones do too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedFill {
    pub maker: Order,
    pub taker: Order,
    /// Lots, at the maker's price.
    pub quantity: u32,
}

/// What admission judges: `order`, for `quantity` lots at `price`.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub stage: Stage,
    pub instrument: u64,
    pub order: &'a Order,
    /// The limit, or the trade price of a fill.
    pub price: u32,
    pub quantity: u32,
    /// Of a fill.
    pub counterparty: Option<&'a Order>,
    /// To be counted as if they had happened. Within one order it only grows; the next order that
    /// plans begins with none.
    pub earlier: &'a [PlannedFill],
}

/// How much may go ahead, 0 to the candidate's quantity, with a reason if it is not all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub quantity: i64,
    pub reason: Reason,
}

/// Whoever holds the money. A request that meets an error of the desk stops where it is: what
/// happened before stays, what is left of a taker is lost.
pub trait Desk {
    type Error;

    /// How much of the candidate may go ahead.
    fn admit(&mut self, candidate: &Candidate<'_>) -> Result<Verdict, Self::Error>;

    /// Signed lots held now, for reduce-only; `counted` is what this book's fills add up to.
    fn position(&mut self, account: u32, instrument: u64, counted: i64)
    -> Result<i64, Self::Error>;

    /// Told of each event before the desk is asked again.
    fn listen(&mut self, event: &Event) -> Result<(), Self::Error>;
}

/// A desk without risk: everything goes ahead, positions are those of the fills.
pub struct Open;

impl Desk for Open {
    type Error = Infallible;

    #[inline(always)]
    fn admit(&mut self, candidate: &Candidate<'_>) -> Result<Verdict, Infallible> {
        Ok(Verdict { quantity: i64::from(candidate.quantity), reason: Reason::NONE })
    }

    #[inline(always)]
    fn position(&mut self, _: u32, _: u64, counted: i64) -> Result<i64, Infallible> {
        Ok(counted)
    }

    #[inline(always)]
    fn listen(&mut self, _: &Event) -> Result<(), Infallible> {
        Ok(())
    }
}
