//! What holds of the books whatever is asked of them, and whatever the desk answers.

use std::collections::HashMap;

use novate_book::book::Revision;
use novate_book::desk::{Candidate, Desk, Open, Stage, Verdict};
use novate_book::event::{Event, Kind, Reason};
use novate_book::exchange::Exchange;
use novate_book::order::{
    GOOD_TILL_CANCELLED, Order, REDUCE_ONLY, SelfTrade, Side, TERM_LIMIT, TimeInForce,
};
use novate_book::packed::{EVENT_BYTES, OPERATION_BYTES, Operation, Records, Request};
use novate_book::{Error, Failure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const INSTRUMENTS: u64 = 3;
const ACCOUNTS: u32 = 8;

/// A desk that follows the events, checks each, and answers at random.
struct Ledger {
    rng: StdRng,
    /// Percent of the questions that are answered with less than all.
    strict: u32,
    next: u64,
    open: HashMap<(u64, u64), u32>,
    position: HashMap<(u32, u64), i64>,
    fills: u64,
    planned: usize,
}

impl Ledger {
    fn new(seed: u64, strict: u32) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        let (open, position) = (HashMap::new(), HashMap::new());
        Self { rng, strict, next: 0, open, position, fills: 0, planned: 0 }
    }

    fn less(&mut self, key: (u64, u64), quantity: u32, left: u32) {
        let open = self.open.get_mut(&key).expect("the order is open");
        *open -= quantity;
        assert_eq!(*open, left);
        if left == 0 {
            self.open.remove(&key);
        }
    }

    fn fill(&mut self, event: &Event) {
        assert_ne!(event.account, event.taker_account);
        assert_ne!(group(event.account), group(event.taker_account));
        self.less((event.instrument, event.order_id), event.quantity, event.open);
        self.less((event.instrument, event.taker_order_id), event.quantity, event.taker_open);
        let lots = event.side.signed(event.quantity);
        *self.position.entry((event.taker_account, event.instrument)).or_default() += lots;
        *self.position.entry((event.account, event.instrument)).or_default() -= lots;
        self.fills += 1;
    }
}

impl Desk for Ledger {
    type Error = String;

    fn admit(&mut self, candidate: &Candidate<'_>) -> Result<Verdict, String> {
        let all = i64::from(candidate.quantity);
        assert!(all > 0);
        assert_eq!(candidate.counterparty.is_some(), candidate.stage == Stage::Fill);
        self.planned = self.planned.max(candidate.earlier.len());
        if self.rng.random_range(0..100) >= self.strict {
            return Ok(Verdict { quantity: all, reason: Reason::NONE });
        }
        let quantity = self.rng.random_range(0..all);
        Ok(Verdict { quantity, reason: Reason(Reason::OWN_LIMIT) })
    }

    fn position(&mut self, account: u32, instrument: u64, counted: i64) -> Result<i64, String> {
        let held = self.position.get(&(account, instrument)).copied().unwrap_or(0);
        assert_eq!(counted, held);
        Ok(counted)
    }

    fn listen(&mut self, event: &Event) -> Result<(), String> {
        assert_eq!(event.sequence, self.next);
        self.next += 1;
        let key = (event.instrument, event.order_id);
        match event.kind {
            Kind::Accepted => {
                assert!((1..=event.quantity).contains(&event.open));
                assert_eq!(self.open.insert(key, event.open), None);
            }
            Kind::Amended => {
                assert!(self.open.insert(key, event.open).is_some());
            }
            Kind::Cancelled => {
                assert_ne!(event.quantity, 0);
                assert_eq!(self.open.remove(&key), Some(event.quantity));
            }
            Kind::Filled => self.fill(event),
            Kind::Rejected => assert_ne!(event.reason, Reason::NONE),
        }
        Ok(())
    }
}

/// Pairs of accounts have one owner.
fn group(account: u32) -> u32 {
    account / 2
}

/// The records of a request, well-formed: one, or those of a sheet.
fn request(rng: &mut StdRng, now: u32) -> Vec<Operation> {
    let account = rng.random_range(0..ACCOUNTS);
    let largest = [10, 60][rng.random_range(0..2)];
    let base = Operation {
        kind: [0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5][rng.random_range(0..12)],
        side: rng.random_range(0..2),
        flags: [0, 0, 0, 0, 1, 2, 2, 3, 8][rng.random_range(0..9)],
        time_in_force: [0, 0, 0, 0, 1, 2][rng.random_range(0..6)],
        self_trade: rng.random_range(0..3),
        now,
        account,
        owner_group: group(account),
        good_till: if rng.random_ratio(1, 3) { now + rng.random_range(0..30) } else { u32::MAX },
        instrument: rng.random_range(0..INSTRUMENTS),
        order_id: rng.random_range(0..400),
        price: rng.random_range(0..20),
        quantity: rng.random_range(0..=largest),
    };
    if base.kind != 5 {
        return vec![base];
    }
    let count = rng.random_range(0..4);
    let first_order_id = rng.random_range(1_000..1_100);
    let mut records = vec![Operation { quantity: count, order_id: first_order_id, ..base }];
    for _ in 0..count {
        let (instrument, price) = (rng.random_range(0..INSTRUMENTS), rng.random_range(1..18));
        for side in 0..2 {
            let (price, quantity) = (price + 3 * i64::from(side), rng.random_range(0..9));
            records.push(Operation { kind: 6, side, instrument, price, quantity, ..base });
        }
    }
    records
}

fn pack(operations: &[Operation]) -> Vec<u8> {
    operations.iter().flat_map(Operation::pack).collect()
}

/// What rests is what the events say is open, and no book is crossed.
fn check_books(exchange: &mut Exchange, ledger: &Ledger) {
    let (mut resting, mut lots) = (0, 0);
    for instrument in 0..INSTRUMENTS {
        let book = exchange.book(instrument);
        let [bid, ask] = Side::ALL.map(|side| book.ladder(side).best_price());
        assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask), "{bid:?} {ask:?}");
        for side in Side::ALL {
            for level in book.ladder(side).depth(usize::MAX) {
                lots += level.quantity;
                resting += level.orders as usize;
            }
        }
    }
    assert_eq!(resting, ledger.open.len());
    assert_eq!(lots, ledger.open.values().map(|&open| u64::from(open)).sum::<u64>());
    for (&(instrument, order_id), &open) in &ledger.open {
        assert_eq!(exchange.book(instrument).resting(order_id).map(|found| found.open), Some(open));
    }
}

#[test]
fn nothing_appears_or_disappears() {
    let mut planned = 0;
    for (seed, strict) in [(1, 0), (2, 10), (3, 40)] {
        let mut ledger = Ledger::new(seed, strict);
        let mut rng = StdRng::seed_from_u64(seed + 100);
        let mut exchange = Exchange::default();
        let mut now = 1;
        for _ in 0..20_000 {
            now += u32::from(rng.random_ratio(1, 10));
            let records = pack(&request(&mut rng, now));
            exchange.run(&mut ledger, &records).expect("well-formed, and the ledger never fails");
            check_books(&mut exchange, &ledger);
        }
        assert_eq!(exchange.take().len() as u64, ledger.next);
        assert!(ledger.fills > 1_000, "{} fills", ledger.fills);
        assert_eq!(ledger.position.values().sum::<i64>(), 0);
        planned = planned.max(ledger.planned);
    }
    assert!(planned > 2, "{planned} fills planned at most");
}

/// The same requests with and without a desk that says yes give the same records.
#[test]
fn the_fast_path_is_the_same() {
    let mut ledger = Ledger::new(1, 0);
    let mut rng = StdRng::seed_from_u64(5);
    let flow: Vec<u8> =
        (0..30_000).flat_map(|now| pack(&request(&mut rng, 1 + now / 10))).collect();
    let (mut with, mut without) = (Exchange::default(), Exchange::default());
    with.run(&mut ledger, &flow).expect("well-formed");
    without.run(&mut Open, &flow).expect("well-formed");
    let records = without.take();
    assert_eq!(records.len() as u64, ledger.next);
    assert!(with.take() == records);
}

fn order(order_id: u64, account: u32, side: Side, price: u32, quantity: u32) -> Order {
    Order {
        order_id,
        account,
        owner_group: account,
        price,
        quantity,
        good_till: GOOD_TILL_CANCELLED,
        side,
        flags: 0,
        time_in_force: TimeInForce::GoodTill,
        self_trade: SelfTrade::CancelMaker,
    }
}

/// The kinds and reasons of the events since the last call.
fn shown(exchange: &mut Exchange) -> Vec<(u8, u16)> {
    let records = exchange.take();
    records.iter().map(|r| (r[58], u16::from_le_bytes([r[56], r[57]]))).collect()
}

/// A desk that fails or lies at one question.
struct Trap {
    questions: usize,
    answer: Option<Verdict>,
}

impl Desk for Trap {
    type Error = &'static str;

    fn admit(&mut self, candidate: &Candidate<'_>) -> Result<Verdict, &'static str> {
        if self.questions == 0 {
            return self.answer.ok_or("trap");
        }
        self.questions -= 1;
        Ok(Verdict { quantity: i64::from(candidate.quantity), reason: Reason::NONE })
    }

    fn position(&mut self, _: u32, _: u64, counted: i64) -> Result<i64, &'static str> {
        Ok(counted)
    }

    fn listen(&mut self, _: &Event) -> Result<(), &'static str> {
        Ok(())
    }
}

/// A plan that fails half-way leaves nothing planned: a reduce-only order sees its position.
#[test]
fn a_failed_plan_is_forgotten() {
    let mut exchange = Exchange::default();
    for (order, what) in [
        (order(1, 1, Side::Sell, 50, 10), "account 2 comes to hold 10 lots"),
        (order(2, 2, Side::Buy, 50, 10), ""),
        (order(3, 3, Side::Sell, 60, 4), "makers of the plan"),
        (order(4, 4, Side::Sell, 60, 4), ""),
    ] {
        exchange.submit(&mut Open, 7, &order, 1).expect(what);
    }
    let killed = Order { time_in_force: TimeInForce::FillOrKill, ..order(5, 2, Side::Buy, 60, 8) };
    // entry, maker and taker of the first fill, then the second maker
    let failed = exchange.submit(&mut Trap { questions: 3, answer: None }, 7, &killed, 1);
    assert_eq!(failed, Err(Failure::Desk("trap")));
    exchange.take();
    let reduces = Order { flags: REDUCE_ONLY, ..order(6, 2, Side::Sell, 70, 25) };
    exchange.submit(&mut Open, 7, &reduces, 1).expect("no desk");
    assert_eq!(shown(&mut exchange), [(Kind::Accepted as u8, Reason::REDUCE_ONLY.0)]);
    assert_eq!(exchange.book(7).resting(6).map(|found| found.open), Some(10));
    assert_eq!(exchange.book(7).len(), 3);
}

#[test]
fn an_impossible_answer_is_the_callers_error() {
    let own = Reason(Reason::OWN_LIMIT);
    for (quantity, reason) in [(-1, own), (6, Reason::NONE), (2, Reason::NONE), (i64::MAX, own)] {
        let mut desk = Trap { questions: 0, answer: Some(Verdict { quantity, reason }) };
        let failed = Exchange::default().submit(&mut desk, 7, &order(1, 1, Side::Buy, 5, 5), 1);
        let error = Error::Verdict { quantity, reason, limit: 5 };
        assert_eq!(failed, Err(Failure::Caller(error)));
    }
}

#[test]
fn time_does_not_go_back_in_a_book() {
    let mut exchange = Exchange::default();
    exchange.submit(&mut Open, 7, &order(1, 1, Side::Buy, 5, 5), 9).expect("first");
    exchange.submit(&mut Open, 8, &order(1, 1, Side::Buy, 5, 5), 3).expect("another book");
    let back = Error::TimeGoesBack { instrument: 7, from: 9, to: 8 };
    let failed = exchange.cancel(&mut Open, 7, 1, 1, 8, Reason::REQUESTED);
    assert_eq!(failed, Err(Failure::Caller(back)));
    let message = "instrument 7: time goes back from 9 to 8";
    assert!(matches!(failed, Err(Failure::Caller(error)) if error.to_string() == message));
}

/// Amends and cancels leave ends behind; whoever lives on goes by end and id.
#[test]
fn ends_are_swept_and_expiry_keeps_its_order() {
    let mut exchange = Exchange::default();
    let mut rng = StdRng::seed_from_u64(8);
    let mut ends: HashMap<u64, u32> = HashMap::new();
    for _ in 0..50_000 {
        let (order_id, good_till) = (rng.random_range(0..300), rng.random_range(10..200));
        if ends.insert(order_id, good_till).is_none() {
            let new = Order { good_till, ..order(order_id, 1, Side::Buy, 5, 5) };
            exchange.submit(&mut Open, 7, &new, 1).expect("no desk");
        } else if rng.random_bool(0.5) {
            let revision = Revision { order_id, price: 5, quantity: 5, good_till };
            exchange.amend(&mut Open, 7, 1, &revision, 1).expect("no desk");
        } else {
            ends.remove(&order_id);
            exchange.cancel(&mut Open, 7, 1, order_id, 1, Reason::REQUESTED).expect("no desk");
        }
    }
    exchange.take();
    exchange.expire(&mut Open, 150).expect("time goes on");
    let gone: Vec<u64> = exchange.take().iter().map(|record| word(record, 16)).collect();
    let mut expected: Vec<(u32, u64)> = ends.iter().map(|(&id, &end)| (end, id)).collect();
    expected.retain(|&(end, _)| end <= 150);
    expected.sort_unstable();
    assert!(expected.len() > 50);
    assert_eq!(gone, expected.iter().map(|&(_, id)| id).collect::<Vec<_>>());
    assert_eq!(exchange.book(7).len(), ends.len() - expected.len());
}

fn word(record: &[u8; EVENT_BYTES], at: usize) -> u64 {
    record[at..at + 8].iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

/// Many levels, most of them far: found, traded and cancelled as any.
#[test]
fn a_deep_book_is_swept_in_order() {
    let mut exchange = Exchange::default();
    let levels = 3_000;
    for step in 0..levels {
        let price = 1 + step * 7_919 % levels; // a permutation of 1 to `levels`
        let sell = order(u64::from(price), 1, Side::Sell, price, 2);
        exchange.submit(&mut Open, 7, &sell, 1).expect("no desk");
    }
    exchange.take();
    let sweep = order(9_999, 2, Side::Buy, TERM_LIMIT - 1, 2 * levels);
    exchange.submit(&mut Open, 7, &sweep, 1).expect("no desk");
    let makers: Vec<u64> = exchange.take()[1..].iter().map(|record| word(record, 16)).collect();
    assert_eq!(makers, (1..=u64::from(levels)).collect::<Vec<_>>());
    assert!(exchange.book(7).is_empty());
}

/// Whatever the bytes: requests or an error, never a panic, and the same twice.
#[test]
fn random_records_never_panic() {
    let mut rng = StdRng::seed_from_u64(9);
    let mut read = 0;
    for _ in 0..3_000 {
        let mut buffer: Vec<u8> = (0..20).flat_map(|_| pack(&request(&mut rng, 1))).collect();
        for _ in 0..rng.random_range(0..8) {
            let place = rng.random_range(0..buffer.len());
            buffer[place] = rng.random();
        }
        buffer.truncate(buffer.len() - rng.random_range(0..2) * rng.random_range(0..200));
        let answers = [0, 1].map(|_| {
            let mut exchange = Exchange::default();
            let failed = exchange.run(&mut Open, &buffer).err();
            (failed, exchange.take())
        });
        assert!(answers[0] == answers[1]);
        read += usize::from(answers[0].0.is_none());
    }
    assert!((300..2_700).contains(&read), "{read} buffers without an error");
}

#[test]
fn a_record_keeps_every_field() {
    let operation = Operation {
        kind: 0,
        side: 1,
        flags: 0xa5,
        time_in_force: 2,
        self_trade: 1,
        now: 0x0102_0304,
        account: 0x1112_1314,
        owner_group: 0x2122_2324,
        good_till: 0x3132_3334,
        instrument: 0x4142_4344_4546_4748,
        order_id: 0x5152_5354_5556_5758,
        price: -0x0102_0304_0506_0708,
        quantity: 0x6162_6364,
    };
    let record = operation.pack();
    assert_eq!(record.len(), OPERATION_BYTES);
    let mut records = Records::new(&record).expect("one record");
    let Ok(Some(Request::Submit(read, order))) = records.next_request() else { panic!("no order") };
    assert_eq!(read, operation);
    assert_eq!((order.price, order.quantity, order.side), (0, 0x6162_6364, Side::Sell));
    assert_eq!(records.next_request(), Ok(None));
}
