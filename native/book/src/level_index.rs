//! The levels of one side by key, best (greatest) first at hand.
//!
//! Nearly all requests are about the best levels, so those are a short sorted array, searched from
//! its end; all others are a tree. Whoever opens many far levels pays for them in the tree's
//! logarithm, and nobody moves a long array.

use std::collections::BTreeMap;

/// Most levels of the array.
const NEAR_MAX: usize = 256;
/// Levels that go from one part to the other at once.
const MOVED: usize = NEAR_MAX / 2;
/// Levels looked at one by one from the best before searching by halves.
const LINEAR: usize = 8;

/// A key and the place of its level.
pub type Entry = (u32, u32);

/// Levels by key. Every far key is below every near one, and if any are far, some are near.
#[derive(Default)]
pub struct LevelIndex {
    near: Vec<Entry>,
    far: BTreeMap<u32, u32>,
}

impl LevelIndex {
    /// The greatest key.
    #[inline]
    pub fn best(&self) -> Option<Entry> {
        self.near.last().copied()
    }

    /// The level of a key.
    #[inline]
    pub fn get(&self, key: u32) -> Option<u32> {
        match self.search(key) {
            Ok(at) => Some(self.near[at].1),
            Err(0) => self.far.get(&key).copied(),
            Err(_) => None,
        }
    }

    /// Adds a key that is not there.
    pub fn insert(&mut self, key: u32, level: u32) {
        match self.search(key) {
            Err(0) if !self.far.is_empty() => {
                self.far.insert(key, level);
            }
            Ok(at) | Err(at) => self.near.insert(at, (key, level)),
        }
        if self.near.len() > NEAR_MAX {
            self.far.extend(self.near.drain(..MOVED));
        }
    }

    /// Takes out a key that is there.
    pub fn remove(&mut self, key: u32) {
        match self.search(key) {
            Ok(at) => {
                self.near.remove(at);
            }
            Err(_) => {
                self.far.remove(&key);
            }
        }
        if self.near.is_empty() {
            for _ in 0..MOVED.min(self.far.len()) {
                self.near.extend(self.far.pop_last());
            }
            self.near.reverse();
        }
    }

    /// The greatest key below this one.
    pub fn below(&self, key: u32) -> Option<Entry> {
        let (Ok(at) | Err(at)) = self.search(key);
        match at.checked_sub(1) {
            Some(worse) => Some(self.near[worse]),
            None => self.far.range(..key).next_back().map(|(&key, &level)| (key, level)),
        }
    }

    /// All, greatest first.
    pub fn descending(&self) -> impl Iterator<Item = Entry> + '_ {
        let far = self.far.iter().rev().map(|(&key, &level)| (key, level));
        self.near.iter().rev().copied().chain(far)
    }

    /// Where the key is in the array, or would be.
    #[inline]
    fn search(&self, key: u32) -> Result<usize, usize> {
        let mut at = self.near.len();
        let stop = at.saturating_sub(LINEAR);
        while at > stop {
            let found = self.near[at - 1].0;
            if found <= key {
                return if found == key { Ok(at - 1) } else { Err(at) };
            }
            at -= 1;
        }
        self.near[..at].binary_search_by_key(&key, |entry| entry.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// A plain tree beside it, over phases that grow and shrink, at the near end or anywhere.
    #[test]
    fn agrees_with_a_tree() {
        let mut rng = StdRng::seed_from_u64(1);
        let (mut index, mut tree) = (LevelIndex::default(), BTreeMap::new());
        let mut most = 0;
        for phase in 0..40 {
            let (grows, lowest) = (phase % 2 == 0, if phase % 4 < 2 { 0 } else { 1_900 });
            for step in 0..1_500 {
                let key = rng.random_range(lowest..2_000);
                assert_eq!(index.get(key), tree.get(&key).copied());
                if index.get(key).is_some() {
                    if !grows || rng.random_ratio(1, 10) {
                        index.remove(key);
                        tree.remove(&key);
                    }
                } else if grows || rng.random_ratio(1, 10) {
                    index.insert(key, step);
                    tree.insert(key, step);
                }
                let entry = |(&key, &level): (&u32, &u32)| (key, level);
                assert_eq!(index.best(), tree.iter().next_back().map(entry));
                assert_eq!(index.below(key), tree.range(..key).next_back().map(entry));
                assert!(index.near.len() <= NEAR_MAX);
                most = most.max(index.far.len());
            }
            assert!(index.descending().eq(tree.iter().rev().map(|(&key, &level)| (key, level))));
        }
        assert!(most > 500);
    }

    /// One far level is enough to send what is worse than the array to the tree.
    #[test]
    fn the_last_far_level_keeps_its_place() {
        let mut index = LevelIndex::default();
        let keys: Vec<u32> = (0..=NEAR_MAX as u32).map(|place| 10 + 2 * place).collect();
        keys.iter().for_each(|&key| index.insert(key, key));
        assert_eq!(index.far.len(), MOVED);
        keys[1..MOVED].iter().for_each(|&key| index.remove(key));
        index.insert(5, 5);
        index.insert(11, 11);
        let left: Vec<u32> = [5, 10, 11].iter().chain(&keys[MOVED..]).copied().collect();
        assert!(index.descending().map(|(key, _)| key).eq(left.into_iter().rev()));
        assert_eq!(index.below(keys[MOVED]), Some((11, 11)));
    }

    /// The array runs dry while the tree is full: it fills up again.
    #[test]
    fn the_best_levels_come_near() {
        let mut index = LevelIndex::default();
        (0..1_000).rev().for_each(|key| index.insert(key, key));
        for key in (0..1_000).rev() {
            assert_eq!(index.best(), Some((key, key)));
            index.remove(key);
        }
        assert_eq!(index.best(), None);
    }
}
