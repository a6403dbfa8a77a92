//! One side of a book: price levels, best first, and in each level a queue, oldest first.

use crate::level_index::LevelIndex;
use crate::order::Side;
use crate::store::{BY_LEVEL, NIL, Queue, Store};

/// A price with what rests there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    pub price: u32,
    pub quantity: u64,
    pub orders: u32,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    price: u32,
    orders: u32,
    /// Open lots; < 2^31 an order, < 2^32 orders.
    quantity: u64,
    queue: Queue,
}

/// Resting orders of one side in price-time priority.
pub struct Ladder {
    side: Side,
    index: LevelIndex,
    levels: Vec<Level>,
    free: Vec<u32>,
}

impl Ladder {
    /// An empty side.
    pub fn new(side: Side) -> Self {
        Self { side, index: LevelIndex::default(), levels: Vec::new(), free: Vec::new() }
    }

    /// Greater is better.
    #[inline]
    fn key(&self, price: u32) -> u32 {
        match self.side {
            Side::Buy => price,
            Side::Sell => !price,
        }
    }

    /// Best price.
    pub fn best_price(&self) -> Option<u32> {
        self.index.best().map(|(_, level)| self.levels[level as usize].price)
    }

    /// The order that trades next with an opposite order of this limit, [`NIL`] if none does.
    #[inline]
    pub fn front(&self, limit: u32) -> u32 {
        match self.index.best() {
            Some((key, level)) if key >= self.key(limit) => {
                self.levels[level as usize].queue.oldest
            }
            _ => NIL,
        }
    }

    /// The order that would trade after the one at `place`, within the limit; [`NIL`] if none.
    pub fn after(&self, store: &Store, place: u32, limit: u32) -> u32 {
        let younger = store.younger::<BY_LEVEL>(place);
        if younger != NIL {
            return younger;
        }
        let key = self.key(store.get(place).order.price);
        match self.index.below(key) {
            Some((key, level)) if key >= self.key(limit) => {
                self.levels[level as usize].queue.oldest
            }
            _ => NIL,
        }
    }

    /// Last in the queue of its price.
    #[inline]
    pub fn add(&mut self, store: &mut Store, place: u32) {
        let resting = store.get(place);
        let (price, open) = (resting.order.price, resting.open);
        let key = self.key(price);
        let level = match self.index.get(key) {
            Some(level) => level,
            None => {
                let level = self.new_level(price);
                self.index.insert(key, level);
                level
            }
        };
        store.get_mut(place).level = level;
        let level = &mut self.levels[level as usize];
        level.orders += 1;
        level.quantity += u64::from(open);
        store.append::<BY_LEVEL>(&mut level.queue, place);
    }

    fn new_level(&mut self, price: u32) -> u32 {
        let level = Level { price, orders: 0, quantity: 0, queue: Queue::EMPTY };
        match self.free.pop() {
            Some(at) => {
                self.levels[at as usize] = level;
                at
            }
            None => {
                self.levels.push(level);
                (self.levels.len() - 1) as u32 // fewer than orders
            }
        }
    }

    /// Takes an order out.
    #[inline]
    pub fn remove(&mut self, store: &mut Store, place: u32) {
        let resting = store.get(place);
        let (open, at) = (resting.open, resting.level);
        let level = &mut self.levels[at as usize];
        level.orders -= 1;
        level.quantity -= u64::from(open);
        store.unlink::<BY_LEVEL>(&mut level.queue, place);
        if level.orders == 0 {
            let key = self.key(self.levels[at as usize].price);
            self.index.remove(key);
            self.free.push(at);
        }
    }

    /// Says that an order's open quantity is now `open`.
    #[inline]
    pub fn set_open(&mut self, store: &mut Store, place: u32, open: u32) {
        let resting = store.get_mut(place);
        let level = &mut self.levels[resting.level as usize];
        level.quantity = level.quantity - u64::from(resting.open) + u64::from(open);
        resting.open = open;
    }

    /// The best levels.
    pub fn depth(&self, levels: usize) -> Vec<Depth> {
        let best = self.index.descending().take(levels);
        best.map(|(_, level)| {
            let level = &self.levels[level as usize];
            Depth { price: level.price, quantity: level.quantity, orders: level.orders }
        })
        .collect()
    }
}
