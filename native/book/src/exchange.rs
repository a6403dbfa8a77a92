//! Many books under one event sequence, with what spans instruments.
//!
//! A request that fails half-way (time went back in its second book, the desk failed) leaves what
//! it did, and the events of that with the recorder.

use std::collections::BTreeMap;

use crate::book::{Book, Done, Revision, Session};
use crate::desk::Desk;
use crate::event::{Reason, Recorder};
use crate::id_map::IdMap;
use crate::order::{Order, QUOTE, QUOTES_PER_SHEET_MAX, Sheet};
use crate::packed::{EventRecord, Operation, Records, Request};

/// The matching of a venue. Events gather until they are taken.
#[derive(Default)]
pub struct Exchange {
    books: Vec<Book>,
    places: IdMap<u64, u32>,
    by_instrument: BTreeMap<u64, u32>,
    /// Instrument and order id of the quotes that an account's last sheet placed.
    sheets: IdMap<u32, Vec<(u64, u64)>>,
    recorder: Recorder,
}

impl Exchange {
    /// The place of the instrument's book; an empty one the first time. Whether the instrument may
    /// trade is admission's to say.
    #[inline]
    fn place(&mut self, instrument: u64) -> usize {
        if let Some(&place) = self.places.get(&instrument) {
            return place as usize;
        }
        let place = u32::try_from(self.books.len()).expect("fewer than 2^32 books");
        self.books.push(Book::new(instrument));
        self.places.insert(instrument, place);
        self.by_instrument.insert(instrument, place);
        place as usize
    }

    /// The instrument's book; an empty one the first time.
    pub fn book(&mut self, instrument: u64) -> &Book {
        let place = self.place(instrument);
        &self.books[place]
    }

    /// The instruments that have a book, ascending.
    pub fn instruments(&self) -> impl Iterator<Item = u64> + '_ {
        self.by_instrument.keys().copied()
    }

    /// The records of the events since the last call.
    pub fn take(&mut self) -> Vec<EventRecord> {
        self.recorder.take()
    }

    /// Lots of all fills so far.
    pub fn traded(&self) -> u64 {
        self.recorder.traded()
    }

    /// A book, and a session with the desk.
    #[inline]
    fn open<'a, D: Desk>(
        &'a mut self,
        desk: &'a mut D,
        instrument: u64,
    ) -> (&'a mut Book, Session<'a, D>) {
        let place = self.place(instrument);
        (&mut self.books[place], Session { desk, recorder: &mut self.recorder })
    }

    /// Does the same with every book, by instrument.
    fn each<D: Desk>(
        &mut self,
        desk: &mut D,
        mut work: impl FnMut(&mut Book, &mut Session<'_, D>) -> Done<D>,
    ) -> Done<D> {
        let mut session = Session { desk, recorder: &mut self.recorder };
        for &place in self.by_instrument.values() {
            work(&mut self.books[place as usize], &mut session)?;
        }
        Ok(())
    }

    /// A new order; see [`Book::submit`].
    #[inline]
    pub fn submit<D: Desk>(
        &mut self,
        desk: &mut D,
        instrument: u64,
        order: &Order,
        now: u32,
    ) -> Done<D> {
        let (book, mut session) = self.open(desk, instrument);
        book.submit(&mut session, order, now)
    }

    /// A revision of a resting order; see [`Book::amend`].
    pub fn amend<D: Desk>(
        &mut self,
        desk: &mut D,
        instrument: u64,
        account: u32,
        revision: &Revision,
        now: u32,
    ) -> Done<D> {
        let (book, mut session) = self.open(desk, instrument);
        book.amend(&mut session, account, revision, now)
    }

    /// Takes one order out.
    pub fn cancel<D: Desk>(
        &mut self,
        desk: &mut D,
        instrument: u64,
        account: u32,
        order_id: u64,
        now: u32,
        reason: Reason,
    ) -> Done<D> {
        let (book, mut session) = self.open(desk, instrument);
        book.cancel(&mut session, account, order_id, now, reason)
    }

    /// Takes out every order and quote of an account, by instrument.
    pub fn cancel_all<D: Desk>(
        &mut self,
        desk: &mut D,
        account: u32,
        now: u32,
        reason: Reason,
    ) -> Done<D> {
        self.each(desk, |book, session| book.cancel_all(session, account, now, reason))?;
        self.sheets.remove(&account);
        Ok(())
    }

    /// Replaces the account's quotes: a quote no longer named goes first, by instrument; then
    /// quote by quote the old one goes and the new one comes. A refused quote does not hold up the
    /// others.
    pub fn mass_quote<D: Desk>(&mut self, desk: &mut D, sheet: &Sheet, now: u32) -> Done<D> {
        if sheet.quotes.len() > QUOTES_PER_SHEET_MAX {
            let mut session = Session { desk, recorder: &mut self.recorder };
            let size = Reason::SHEET_SIZE;
            return session.rejected(0, sheet.account, sheet.first_order_id, size);
        }
        let mut old: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (instrument, order_id) in self.sheets.remove(&sheet.account).unwrap_or_default() {
            old.entry(instrument).or_default().push(order_id);
        }
        let named = |instrument| sheet.quotes.iter().any(|quote| quote.instrument == instrument);
        for (&instrument, order_ids) in old.iter().filter(|(instrument, _)| !named(**instrument)) {
            self.withdraw(desk, sheet.account, instrument, order_ids, now)?;
        }
        let mut placed = Vec::with_capacity(2 * sheet.quotes.len());
        for (index, quote) in sheet.quotes.iter().enumerate() {
            let order_ids = old.remove(&quote.instrument).unwrap_or_default();
            self.withdraw(desk, sheet.account, quote.instrument, &order_ids, now)?;
            let sides = sheet.orders(index);
            let crossed = sides.iter().all(Option::is_some) && quote.bid_price >= quote.ask_price;
            let orders: Vec<Order> = sides.into_iter().flatten().collect();
            let (book, mut session) = self.open(desk, quote.instrument);
            book.quote(&mut session, &orders, crossed, now)?;
            placed.extend(orders.iter().map(|order| (quote.instrument, order.order_id)));
        }
        self.sheets.insert(sheet.account, placed);
        Ok(())
    }

    /// Cancels those of the account's old quotes that still rest.
    fn withdraw<D: Desk>(
        &mut self,
        desk: &mut D,
        account: u32,
        instrument: u64,
        order_ids: &[u64],
        now: u32,
    ) -> Done<D> {
        let (book, mut session) = self.open(desk, instrument);
        book.expire(&mut session, now)?;
        for &order_id in order_ids {
            let mine = |order: &Order| order.account == account && order.has(QUOTE);
            if book.resting(order_id).is_some_and(|found| mine(&found.order)) {
                book.cancel(&mut session, account, order_id, now, Reason::QUOTE_REPLACED)?;
            }
        }
        Ok(())
    }

    /// Cancels in every book what ends at `now` or before.
    pub fn expire<D: Desk>(&mut self, desk: &mut D, now: u32) -> Done<D> {
        self.each(desk, |book, session| book.expire(session, now))
    }

    /// Many requests in one call: records of [`crate::packed`]. It stops at the first record that
    /// is malformed or whose request fails; those before it are done.
    pub fn run<D: Desk>(&mut self, desk: &mut D, buffer: &[u8]) -> Done<D> {
        let mut records = Records::new(buffer)?;
        self.recorder.reserve(records.len());
        while let Some(request) = records.next_request()? {
            match request {
                Request::Sheet(sheet, now) => self.mass_quote(desk, &sheet, now)?,
                Request::Submit(operation, order) => {
                    self.submit(desk, operation.instrument, &order, operation.now)?;
                }
                Request::Amend(operation) => self.run_amend(desk, &operation)?,
                Request::Cancel(Operation { instrument, account, order_id, now, .. }) => {
                    self.cancel(desk, instrument, account, order_id, now, Reason::REQUESTED)?;
                }
                Request::CancelAll(Operation { account, now, .. }) => {
                    self.cancel_all(desk, account, now, Reason::REQUESTED)?;
                }
                Request::Expire(now) => self.expire(desk, now)?,
            }
        }
        Ok(())
    }

    fn run_amend<D: Desk>(&mut self, desk: &mut D, operation: &Operation) -> Done<D> {
        let &Operation { order_id, price, quantity, good_till, .. } = operation;
        let revision = Revision { order_id, price, quantity, good_till };
        self.amend(desk, operation.instrument, operation.account, &revision, operation.now)
    }
}
