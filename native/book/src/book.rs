//! All resting orders of one instrument: the requests, and the bookkeeping they share.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::accounts::Accounts;
use crate::desk::{Candidate, Desk, Stage};
use crate::error::{Error, Failure};
use crate::event::{Event, Kind, Reason, Recorder};
use crate::id_map::IdMap;
use crate::ladder::Ladder;
use crate::order::{
    GOOD_TILL_CANCELLED, Order, POST_ONLY, QUOTE, REDUCE_ONLY, Side, TERM_LIMIT, TimeInForce, term,
};
use crate::store::{BY_ACCOUNT, NIL, Resting, Store};

const SENDER_FLAGS: u8 = POST_ONLY | REDUCE_ONLY;
const QUOTE_SIDE_FLAGS: u8 = POST_ONLY | QUOTE;
/// Stale ends are swept when they may outnumber the resting orders by this many.
const STALE_ENDS: usize = 1_024;

/// What a request comes to if neither the caller nor the desk is at fault.
pub type Done<D, T = ()> = Result<T, Failure<<D as Desk>::Error>>;

/// Who answers and who writes down, for one request.
pub struct Session<'a, D: Desk> {
    pub desk: &'a mut D,
    pub recorder: &'a mut Recorder,
}

impl<D: Desk> Session<'_, D> {
    #[inline]
    fn say(&mut self, event: Event) -> Done<D> {
        let event = self.recorder.add(event);
        self.desk.listen(&event).map_err(Failure::Desk)
    }

    /// The request changed nothing.
    pub fn rejected(
        &mut self,
        instrument: u64,
        account: u32,
        order_id: u64,
        reason: Reason,
    ) -> Done<D> {
        let kind = Kind::Rejected;
        self.say(Event { order_id, account, reason, ..blank(instrument, kind, Side::Buy) })
    }

    fn cancelled(
        &mut self,
        instrument: u64,
        order: &Order,
        quantity: u32,
        reason: Reason,
    ) -> Done<D> {
        let &Order { order_id, account, .. } = order;
        let event = blank(instrument, Kind::Cancelled, Side::Buy);
        self.say(Event { order_id, account, quantity, reason, ..event })
    }

    #[inline]
    fn entered(
        &mut self,
        instrument: u64,
        kind: Kind,
        order: &Order,
        open: u32,
        reason: Reason,
    ) -> Done<D> {
        let &Order { order_id, account, price, quantity, side, .. } = order;
        let event = blank(instrument, kind, side);
        self.say(Event { order_id, account, price, quantity, open, reason, ..event })
    }

    #[inline]
    pub(crate) fn filled(
        &mut self,
        instrument: u64,
        maker: &Resting,
        taker: &Resting,
        quantity: u32,
    ) -> Done<D> {
        self.say(Event {
            order_id: maker.order.order_id,
            taker_order_id: taker.order.order_id,
            account: maker.order.account,
            taker_account: taker.order.account,
            price: maker.order.price,
            quantity,
            open: maker.open,
            taker_open: taker.open,
            ..blank(instrument, Kind::Filled, taker.order.side)
        })
    }
}

#[inline]
fn blank(instrument: u64, kind: Kind, side: Side) -> Event {
    Event {
        sequence: 0,
        instrument,
        order_id: 0,
        taker_order_id: 0,
        account: 0,
        taker_account: 0,
        price: 0,
        quantity: 0,
        open: 0,
        taker_open: 0,
        reason: Reason::NONE,
        kind,
        side,
        kept_priority: false,
    }
}

/// The new terms of a resting order.
#[derive(Clone, Copy, Debug)]
pub struct Revision {
    pub order_id: u64,
    pub price: i64,
    /// The new total; what is filled stays filled.
    pub quantity: i64,
    pub good_till: u32,
}

/// One instrument's book.
pub struct Book {
    pub(crate) instrument: u64,
    pub(crate) store: Store,
    pub(crate) ladders: [Ladder; 2],
    pub(crate) accounts: Accounts,
    places: IdMap<u64, u32>,
    /// (good_till, order id), soonest first; an entry counts while it is its order's current end.
    ends: BinaryHeap<Reverse<(u32, u64)>>,
    now: u32,
}

impl Book {
    /// An empty book.
    pub fn new(instrument: u64) -> Self {
        Self {
            instrument,
            store: Store::default(),
            ladders: Side::ALL.map(Ladder::new),
            accounts: Accounts::default(),
            places: IdMap::default(),
            ends: BinaryHeap::new(),
            now: 0,
        }
    }

    // Reading.

    /// The instrument.
    pub fn instrument(&self) -> u64 {
        self.instrument
    }

    /// One side's levels.
    pub fn ladder(&self, side: Side) -> &Ladder {
        &self.ladders[side as usize]
    }

    /// A resting order.
    pub fn resting(&self, order_id: u64) -> Option<&Resting> {
        self.places.get(&order_id).map(|&place| self.store.get(place))
    }

    /// Number of resting orders.
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether nothing rests.
    pub fn is_empty(&self) -> bool {
        self.store.is_empty()
    }

    // Requests. Each carries the time, which never goes back.

    /// A new order: trades what it can, then rests or ends as its time in force says.
    #[inline]
    pub fn submit<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        order: &Order,
        now: u32,
    ) -> Done<D> {
        self.expire(session, now)?;
        let objection = self.objection(order);
        if objection != Reason::NONE {
            return self.reject(session, order, objection);
        }
        let account = self.accounts.place(order.account);
        let candidate = self.whole(Stage::Enter, order, order.quantity);
        let (allowed, reason) = self.allowance(session, &candidate, account)?;
        if allowed == 0 {
            return self.reject(session, order, reason);
        }
        let taker = Resting::new(*order, allowed, 0, account);
        if order.time_in_force == TimeInForce::FillOrKill {
            return self.fill_or_kill(session, taker, reason);
        }
        session.entered(self.instrument, Kind::Accepted, order, allowed, reason)?;
        self.match_and_rest(session, taker)
    }

    /// A revision. Time priority is lost if the price changes or the open quantity grows. A
    /// refused revision leaves the order as it was; a total not above what is filled ends it.
    pub fn amend<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        account: u32,
        revision: &Revision,
        now: u32,
    ) -> Done<D> {
        self.expire(session, now)?;
        let Some(place) = self.owned(account, revision.order_id) else {
            let unknown = Reason::UNKNOWN_ORDER;
            return session.rejected(self.instrument, account, revision.order_id, unknown);
        };
        let resting = *self.store.get(place);
        let order = Order {
            price: term(revision.price),
            quantity: term(revision.quantity),
            good_till: revision.good_till,
            ..resting.order
        };
        let objection = match resting.order.has(QUOTE) {
            true => Reason::QUOTE_NOT_AMENDABLE,
            false => self.objection_to_terms(&order),
        };
        if objection != Reason::NONE {
            return self.reject(session, &order, objection);
        }
        match order.quantity.saturating_sub(resting.filled) {
            0 => self.cancel_place(session, place, Reason::AMENDED_TO_FILLED),
            asked if order.price == resting.order.price && asked <= resting.open => {
                self.amend_in_place(session, place, order, asked)
            }
            asked => self.amend_to_back(session, place, order, asked),
        }
    }

    /// Takes an order out.
    pub fn cancel<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        account: u32,
        order_id: u64,
        now: u32,
        reason: Reason,
    ) -> Done<D> {
        self.expire(session, now)?;
        match self.owned(account, order_id) {
            Some(place) => self.cancel_place(session, place, reason),
            None => session.rejected(self.instrument, account, order_id, Reason::UNKNOWN_ORDER),
        }
    }

    /// Takes out every order of an account, oldest first.
    pub fn cancel_all<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        account: u32,
        now: u32,
        reason: Reason,
    ) -> Done<D> {
        self.expire(session, now)?;
        let Some(account) = self.accounts.find(account) else { return Ok(()) };
        loop {
            match self.accounts.get(account).queue.oldest {
                NIL => return Ok(()),
                oldest => self.cancel_place(session, oldest, reason)?,
            }
        }
    }

    /// A quote of one or two sides, bid first: both are accepted or neither is. `crossed` says
    /// that the bid is not below the ask.
    pub fn quote<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        orders: &[Order],
        crossed: bool,
        now: u32,
    ) -> Done<D> {
        self.expire(session, now)?;
        let objection = self.objection_to_quote(orders, crossed);
        if objection != Reason::NONE {
            return orders.iter().try_for_each(|order| self.reject(session, order, objection));
        }
        for (index, order) in orders.iter().enumerate() {
            let account = self.accounts.place(order.account);
            let candidate = self.whole(Stage::Enter, order, order.quantity);
            let (allowed, reason) = self.allowance(session, &candidate, account)?;
            if allowed < order.quantity {
                for other in &orders[..index] {
                    let withdrawn = Reason::OTHER_SIDE_REFUSED;
                    session.cancelled(self.instrument, other, other.quantity, withdrawn)?;
                }
                return self.reject(session, order, reason);
            }
            session.entered(self.instrument, Kind::Accepted, order, allowed, Reason::NONE)?;
        }
        for order in orders {
            let account = self.accounts.place(order.account);
            self.match_and_rest(session, Resting::new(*order, order.quantity, 0, account))?;
        }
        Ok(())
    }

    /// Cancels what ends at `now` or before, by end and order id. Every request begins with it.
    #[inline]
    pub fn expire<D: Desk>(&mut self, session: &mut Session<'_, D>, now: u32) -> Done<D> {
        if now < self.now {
            let (instrument, from) = (self.instrument, self.now);
            return Err(Error::TimeGoesBack { instrument, from, to: now }.into());
        }
        self.now = now;
        while let Some(&Reverse((end, order_id))) = self.ends.peek() {
            if end > now {
                break;
            }
            self.ends.pop();
            let place = self.places.get(&order_id).copied();
            if let Some(place) = place.filter(|&at| self.store.get(at).order.good_till == end) {
                self.cancel_place(session, place, Reason::EXPIRED)?;
            }
        }
        Ok(())
    }

    // Whether a request may go ahead: a reason, or none.

    #[inline]
    fn objection(&self, order: &Order) -> Reason {
        let may_rest = order.time_in_force == TimeInForce::GoodTill;
        if order.has(!SENDER_FLAGS) || (order.has(POST_ONLY) && !may_rest) {
            return Reason::FLAGS;
        }
        self.objection_to_entry(order)
    }

    fn objection_to_entry(&self, order: &Order) -> Reason {
        if self.places.contains_key(&order.order_id) {
            return Reason::DUPLICATE_ORDER_ID;
        }
        self.objection_to_terms(order)
    }

    fn objection_to_terms(&self, order: &Order) -> Reason {
        let within = 1..TERM_LIMIT;
        if !within.contains(&order.price) {
            Reason::PRICE_RANGE
        } else if !within.contains(&order.quantity) {
            Reason::QUANTITY_RANGE
        } else if order.good_till <= self.now {
            Reason::EXPIRED
        } else if order.has(POST_ONLY) && self.would_trade(order) {
            Reason::POST_ONLY_WOULD_TRADE
        } else {
            Reason::NONE
        }
    }

    fn objection_to_quote(&self, orders: &[Order], crossed: bool) -> Reason {
        if crossed {
            return Reason::QUOTE_CROSSED;
        }
        let objections = orders.iter().map(|order| match order.has(!QUOTE_SIDE_FLAGS) {
            true => Reason::FLAGS,
            false => self.objection_to_entry(order),
        });
        objections.into_iter().find(|&reason| reason != Reason::NONE).unwrap_or(Reason::NONE)
    }

    fn would_trade(&self, order: &Order) -> bool {
        self.ladder(order.side.opposite()).front(order.price) != NIL
    }

    /// The place of a resting order, if it is this account's.
    #[inline]
    fn owned(&self, account: u32, order_id: u64) -> Option<u32> {
        let place = *self.places.get(&order_id)?;
        (self.store.get(place).order.account == account).then_some(place)
    }

    // Revisions.

    /// Smaller or as large at the same price: nothing to admit, the place is kept.
    fn amend_in_place<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        place: u32,
        order: Order,
        asked: u32,
    ) -> Done<D> {
        self.ladders[order.side as usize].set_open(&mut self.store, place, asked);
        let before = std::mem::replace(&mut self.store.get_mut(place).order, order);
        if before.good_till != order.good_till {
            self.note_end(&order);
        }
        let &Order { order_id, account, price, quantity, side, .. } = &order;
        let event = blank(self.instrument, Kind::Amended, side);
        let open = asked;
        let kept_priority = true;
        session.say(Event { order_id, account, price, quantity, open, kept_priority, ..event })
    }

    /// Another price or more quantity: enters again behind the others, may trade at once.
    fn amend_to_back<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        place: u32,
        order: Order,
        asked: u32,
    ) -> Done<D> {
        let Resting { filled, account, .. } = *self.store.get(place);
        let candidate = self.whole(Stage::Amend, &order, asked);
        let (allowed, reason) = self.allowance(session, &candidate, account)?;
        if allowed == 0 {
            return self.reject(session, &order, reason);
        }
        self.forget(place);
        session.entered(self.instrument, Kind::Amended, &order, allowed, reason)?;
        self.match_and_rest(session, Resting::new(order, allowed, filled, account))
    }

    // Bookkeeping.

    /// The candidate of an order on its own, at its limit.
    fn whole<'a>(&self, stage: Stage, order: &'a Order, quantity: u32) -> Candidate<'a> {
        let (instrument, price) = (self.instrument, order.price);
        Candidate { stage, instrument, order, price, quantity, counterparty: None, earlier: &[] }
    }

    /// Puts an order into the ladder and the indexes.
    #[inline]
    pub(crate) fn rest(&mut self, resting: Resting) {
        let Resting { order, account, .. } = resting;
        let place = self.store.insert(resting);
        self.ladders[order.side as usize].add(&mut self.store, place);
        self.store.append::<BY_ACCOUNT>(&mut self.accounts.get_mut(account).queue, place);
        self.places.insert(order.order_id, place);
        self.note_end(&order);
    }

    /// Takes an order out of the ladder and the indexes.
    #[inline]
    pub(crate) fn forget(&mut self, place: u32) -> Resting {
        let resting = *self.store.get(place);
        self.ladders[resting.order.side as usize].remove(&mut self.store, place);
        let account = self.accounts.get_mut(resting.account);
        self.store.unlink::<BY_ACCOUNT>(&mut account.queue, place);
        self.places.remove(&resting.order.order_id);
        self.store.remove(place);
        resting
    }

    /// Remembers when an order ends.
    #[inline]
    fn note_end(&mut self, order: &Order) {
        if order.good_till < GOOD_TILL_CANCELLED {
            self.ends.push(Reverse((order.good_till, order.order_id)));
            if self.ends.len() > 2 * self.store.len() + STALE_ENDS {
                self.sweep_ends();
            }
        }
    }

    /// Forgets the ends that are nobody's; at most one is left for each resting order.
    #[cold]
    fn sweep_ends(&mut self) {
        let mut ends = std::mem::take(&mut self.ends).into_vec();
        ends.retain(|&Reverse((end, order_id))| {
            self.resting(order_id).is_some_and(|resting| resting.order.good_till == end)
        });
        ends.sort_unstable();
        ends.dedup();
        self.ends = BinaryHeap::from(ends);
    }

    /// Takes a resting order out and says so.
    #[inline]
    pub(crate) fn cancel_place<D: Desk>(
        &mut self,
        session: &mut Session<'_, D>,
        place: u32,
        reason: Reason,
    ) -> Done<D> {
        let resting = self.forget(place);
        self.cancelled(session, &resting, reason)
    }

    /// Says that what was open of an order is gone.
    #[inline]
    pub(crate) fn cancelled<D: Desk>(
        &self,
        session: &mut Session<'_, D>,
        gone: &Resting,
        reason: Reason,
    ) -> Done<D> {
        session.cancelled(self.instrument, &gone.order, gone.open, reason)
    }

    /// Says that an order is in.
    pub(crate) fn accepted<D: Desk>(
        &self,
        session: &mut Session<'_, D>,
        entered: &Resting,
        reason: Reason,
    ) -> Done<D> {
        session.entered(self.instrument, Kind::Accepted, &entered.order, entered.open, reason)
    }

    /// Says that nothing changed.
    pub(crate) fn reject<D: Desk>(
        &self,
        session: &mut Session<'_, D>,
        order: &Order,
        reason: Reason,
    ) -> Done<D> {
        session.rejected(self.instrument, order.account, order.order_id, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Open;
    use crate::order::SelfTrade;

    /// However often orders come, change and go, only so many of their ends are remembered.
    #[test]
    fn ends_that_came_to_nothing_are_swept() {
        let mut recorder = Recorder::default();
        let mut session = Session { desk: &mut Open, recorder: &mut recorder };
        let mut book = Book::new(7);
        for turn in 0..20_000 {
            let order = Order {
                order_id: u64::from(turn % 10),
                account: 1,
                owner_group: 1,
                price: 5,
                quantity: 5,
                good_till: 100 + turn % 3,
                side: Side::Buy,
                flags: 0,
                time_in_force: TimeInForce::GoodTill,
                self_trade: SelfTrade::CancelMaker,
            };
            book.submit(&mut session, &order, 1).expect("no desk");
            let Order { order_id, good_till, .. } = order;
            let revision = Revision { order_id, price: 6, quantity: 9, good_till: good_till + 5 };
            book.amend(&mut session, 1, &revision, 1).expect("no desk");
            assert!(book.ends.len() <= 2 * book.len() + STALE_ENDS + 1);
            if turn % 10 == 9 {
                book.cancel_all(&mut session, 1, 1, Reason::REQUESTED).expect("no desk");
                assert!(book.is_empty());
            }
        }
    }
}
