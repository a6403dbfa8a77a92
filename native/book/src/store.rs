//! Resting orders in a slab, chained into queues: by price level and by account, oldest first.

use crate::order::Order;

/// No place.
pub const NIL: u32 = u32::MAX;

/// Which chain: an order is in one queue of each.
pub const BY_LEVEL: usize = 0;
pub const BY_ACCOUNT: usize = 1;

#[derive(Clone, Copy, Debug)]
struct Links {
    next: u32,
    previous: u32,
}

/// An order in the book, or on its way through it. One cache line of 64 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Resting {
    pub order: Order,
    pub open: u32,
    /// Over all revisions; open + filled < 2^31.
    pub filled: u32,
    /// Place of its account in the book's accounts.
    pub account: u32,
    /// Place of its level in the ladder, while it rests.
    pub level: u32,
    links: [Links; 2],
}

impl Resting {
    /// An order that does not rest yet.
    pub fn new(order: Order, open: u32, filled: u32, account: u32) -> Self {
        let links = [Links { next: NIL, previous: NIL }; 2];
        Self { order, open, filled, account, level: NIL, links }
    }
}

/// The ends of a queue.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    pub oldest: u32,
    newest: u32,
}

impl Queue {
    /// A queue without orders.
    pub const EMPTY: Self = Self { oldest: NIL, newest: NIL };
}

/// The slab. A place is valid until its order is removed.
pub struct Store {
    places: Vec<Resting>,
    /// First free place, chained by the level links.
    free: u32,
    len: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self { places: Vec::new(), free: NIL, len: 0 }
    }
}

impl Store {
    /// Number of orders.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The order at a place.
    #[inline]
    pub fn get(&self, place: u32) -> &Resting {
        &self.places[place as usize]
    }

    /// The order at a place, to change.
    #[inline]
    pub fn get_mut(&mut self, place: u32) -> &mut Resting {
        &mut self.places[place as usize]
    }

    /// Puts an order somewhere, in no queue yet.
    #[inline]
    pub fn insert(&mut self, resting: Resting) -> u32 {
        self.len += 1;
        if self.free == NIL {
            // 2^32 places would be 256 GiB
            assert!(self.places.len() < NIL as usize, "store is full: 2^32 - 1 resting orders");
            self.places.push(resting);
            return (self.places.len() - 1) as u32;
        }
        let place = self.free;
        self.free = self.get(place).links[BY_LEVEL].next;
        *self.get_mut(place) = resting;
        place
    }

    /// Frees a place that is in no queue any more.
    #[inline]
    pub fn remove(&mut self, place: u32) {
        self.len -= 1;
        self.get_mut(place).links[BY_LEVEL].next = self.free;
        self.free = place;
    }

    /// Last in a queue.
    #[inline]
    pub fn append<const BY: usize>(&mut self, queue: &mut Queue, place: u32) {
        let previous = queue.newest;
        self.get_mut(place).links[BY] = Links { next: NIL, previous };
        match previous {
            NIL => queue.oldest = place,
            _ => self.get_mut(previous).links[BY].next = place,
        }
        queue.newest = place;
    }

    /// Out of its queue.
    #[inline]
    pub fn unlink<const BY: usize>(&mut self, queue: &mut Queue, place: u32) {
        let Links { next, previous } = self.get(place).links[BY];
        match previous {
            NIL => queue.oldest = next,
            _ => self.get_mut(previous).links[BY].next = next,
        }
        match next {
            NIL => queue.newest = previous,
            _ => self.get_mut(next).links[BY].previous = previous,
        }
    }

    /// The next younger of a queue, [`NIL`] after the youngest.
    #[inline]
    pub fn younger<const BY: usize>(&self, place: u32) -> u32 {
        self.get(place).links[BY].next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{GOOD_TILL_CANCELLED, SelfTrade, Side, TimeInForce};

    fn resting(order_id: u64) -> Resting {
        let order = Order {
            order_id,
            account: 1,
            owner_group: 1,
            price: 5,
            quantity: 5,
            good_till: GOOD_TILL_CANCELLED,
            side: Side::Buy,
            flags: 0,
            time_in_force: TimeInForce::GoodTill,
            self_trade: SelfTrade::CancelMaker,
        };
        Resting::new(order, 5, 0, 0)
    }

    fn ids(store: &Store, queue: &Queue) -> Vec<u64> {
        let mut found = Vec::new();
        let mut place = queue.oldest;
        while place != NIL {
            found.push(store.get(place).order.order_id);
            place = store.younger::<BY_ACCOUNT>(place);
        }
        found
    }

    #[test]
    fn an_order_is_one_cache_line() {
        assert_eq!(size_of::<Resting>(), 64);
    }

    #[test]
    fn queues_keep_age_and_places_are_used_again() {
        let mut store = Store::default();
        let mut queue = Queue::EMPTY;
        let places: Vec<u32> = (0..4)
            .map(|id| {
                let place = store.insert(resting(id));
                store.append::<BY_ACCOUNT>(&mut queue, place);
                place
            })
            .collect();
        for (gone, left) in [(1, vec![0, 2, 3]), (0, vec![2, 3]), (3, vec![2])] {
            store.unlink::<BY_ACCOUNT>(&mut queue, places[gone]);
            store.remove(places[gone]);
            assert_eq!(ids(&store, &queue), left);
        }
        let place = store.insert(resting(9));
        store.append::<BY_ACCOUNT>(&mut queue, place);
        assert_eq!((place, store.len()), (places[3], 2));
        assert_eq!(ids(&store, &queue), [2, 9]);
    }
}
