//! The accounts that one book has met: their resting orders and what their fills add up to.

use crate::id_map::IdMap;
use crate::order::Side;
use crate::store::Queue;

/// One account in one book.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// Its resting orders, oldest first.
    pub queue: Queue,
    /// Signed lots of all its fills here; |position| < 2^63 for the first 2^32 fills.
    pub position: i64,
    /// Signed lots of the fills that a fill-or-kill order plans; 0 between requests.
    pub planned: i64,
}

/// Accounts by place; a place is for ever.
#[derive(Default)]
pub struct Accounts {
    places: IdMap<u32, u32>,
    accounts: Vec<Account>,
}

impl Accounts {
    /// The place of an account, a new one the first time.
    #[inline]
    pub fn place(&mut self, account: u32) -> u32 {
        let next = self.accounts.len() as u32; // one a 32-bit account number at most
        let place = *self.places.entry(account).or_insert(next);
        if place == next {
            self.accounts.push(Account { queue: Queue::EMPTY, position: 0, planned: 0 });
        }
        place
    }

    /// The place of an account, if the book has met it.
    pub fn find(&self, account: u32) -> Option<u32> {
        self.places.get(&account).copied()
    }

    /// The account at a place.
    #[inline]
    pub fn get(&self, place: u32) -> &Account {
        &self.accounts[place as usize]
    }

    /// The account at a place, to change.
    #[inline]
    pub fn get_mut(&mut self, place: u32) -> &mut Account {
        &mut self.accounts[place as usize]
    }

    /// Counts a fill of an account's order on this side.
    #[inline]
    pub fn fill(&mut self, place: u32, side: Side, lots: u32) {
        let account = self.get_mut(place);
        account.position = account.position.wrapping_add(side.signed(lots));
    }
}
