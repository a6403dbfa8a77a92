//! Order slots of all accounts, kept in the groups that are hashed together.

use rustc_hash::FxHashMap;

use crate::bounds::SLOT_GROUP;
use crate::types::state::Slot;

/// Slots of one leaf of an account's slot tree.
pub type Group = [Slot; SLOT_GROUP];

const EMPTY: Group = [Slot { nonce: 0, filled: 0 }; SLOT_GROUP];

/// Every slot that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    groups: FxHashMap<(u32, u32), Group>,
}

/// The group and the place in it of a slot.
fn place(slot: u32) -> (u32, usize) {
    (slot / SLOT_GROUP as u32, slot as usize % SLOT_GROUP)
}

impl Slots {
    /// The slot of an account; an empty one if it was never used.
    #[must_use]
    pub fn get(&self, account: u32, slot: u32) -> Slot {
        let (group, place) = place(slot);
        self.group(account, group)[place]
    }

    /// Writes a slot; returns what it was.
    pub fn set(&mut self, account: u32, slot: u32, value: Slot) -> Slot {
        let (group, place) = place(slot);
        let held = self.groups.entry((account, group)).or_insert(EMPTY);
        let before = std::mem::replace(&mut held[place], value);
        if *held == EMPTY {
            self.groups.remove(&(account, group));
        }
        before
    }

    /// One group of an account.
    #[must_use]
    pub fn group(&self, account: u32, group: u32) -> Group {
        *self.groups.get(&(account, group)).unwrap_or(&EMPTY)
    }

    /// (account, group) of every group with a slot that is not empty, ascending.
    #[must_use]
    pub fn groups(&self) -> Vec<(u32, u32)> {
        let mut found: Vec<_> = self.groups.keys().copied().collect();
        found.sort_unstable();
        found
    }

    /// (account, slot) and content of every slot that is not empty, ascending.
    pub fn iter(&self) -> impl Iterator<Item = ((u32, u32), Slot)> + '_ {
        self.groups().into_iter().flat_map(|(account, group)| {
            let first = group * SLOT_GROUP as u32;
            let slots = self.group(account, group);
            let numbered = (first..).zip(slots).filter(|(_, slot)| *slot != Slot::default());
            numbered.map(move |(number, slot)| ((account, number), slot))
        })
    }
}
