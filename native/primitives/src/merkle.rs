//! The dense binary Merkle tree: fixed depth, leaf digests at level 0.
//!
//! An absent leaf is the zero digest; an absent inner node the digest of its all-absent subtree.
//! Levels are held in pages, so a dense tree is nearly flat and a sparse one costs little.

use std::collections::HashMap;

use crate::hash::compress_rows;
use crate::{Digest, Error, ZERO_DIGEST, hash};

/// The deepest tree.
pub const DEPTH_MAX: u32 = 32;

/// Nodes of a page.
const PAGE: usize = 32;

/// The nodes of one level; those of a page never written have the level's absent digest.
#[derive(Clone, Debug)]
struct Level {
    pages: HashMap<u64, Box<[Digest; PAGE]>>,
    absent: Digest,
}

impl Level {
    fn node(&self, index: u64) -> Digest {
        let page = self.pages.get(&(index / PAGE as u64));
        page.map_or(self.absent, |page| page[index as usize % PAGE])
    }

    fn set(&mut self, index: u64, digest: Digest) {
        let absent = self.absent;
        let page =
            self.pages.entry(index / PAGE as u64).or_insert_with(|| Box::new([absent; PAGE]));
        page[index as usize % PAGE] = digest;
    }
}

/// A tree of 2^depth leaves.
#[derive(Clone, Debug)]
pub struct Tree {
    /// From the leaves up to the root.
    levels: Vec<Level>,
}

impl Tree {
    /// The tree of `depth` without any leaf.
    pub fn new(depth: u32) -> Result<Self, Error> {
        if depth > DEPTH_MAX {
            return Err(Error::Range {
                field: "depth",
                value: depth.to_string(),
                limit: format!("at most {DEPTH_MAX}"),
            });
        }
        let mut levels = vec![Level { pages: HashMap::new(), absent: ZERO_DIGEST }];
        for level in 0..depth as usize {
            let below = levels[level].absent;
            levels.push(Level { pages: HashMap::new(), absent: hash::compress(&below, &below) });
        }
        Ok(Self { levels })
    }

    /// The tree of `depth` with these leaves at indices 0, 1, 2, ….
    pub fn from_leaves(depth: u32, leaves: &[Digest]) -> Result<Self, Error> {
        let mut tree = Self::new(depth)?;
        let indices: Vec<u64> = (0..leaves.len() as u64).collect();
        tree.update(&indices, leaves)?;
        Ok(tree)
    }

    /// The tree's depth.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.levels.len() as u32 - 1
    }

    /// The root digest.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.levels[self.levels.len() - 1].node(0)
    }

    fn check_index(&self, index: u64) -> Result<(), Error> {
        if index >> self.depth() == 0 {
            return Ok(());
        }
        Err(Error::Range {
            field: "index",
            value: index.to_string(),
            limit: format!("below 2^{}", self.depth()),
        })
    }

    /// The leaf digest at `index`, zero if absent.
    pub fn leaf(&self, index: u64) -> Result<Digest, Error> {
        self.check_index(index)?;
        Ok(self.levels[0].node(index))
    }

    /// The nodes of a level (0: the leaves) at indices in any order.
    pub fn nodes(&self, level: u32, indices: &[u64]) -> Result<Vec<Digest>, Error> {
        let depth = self.depth();
        let range =
            |field, value: u64, limit| Err(Error::Range { field, value: value.to_string(), limit });
        if level > depth {
            return range("level", level.into(), format!("at most {depth}"));
        }
        let limit = depth - level;
        match indices.iter().find(|&&index| index >> limit != 0) {
            Some(&index) => range("indices", index, format!("below 2^{limit} in level {level}")),
            None => Ok(indices.iter().map(|&i| self.levels[level as usize].node(i)).collect()),
        }
    }

    /// The siblings from the leaf at `index` up to below the root.
    pub fn path(&self, index: u64) -> Result<Vec<Digest>, Error> {
        self.check_index(index)?;
        let below_root = self.levels.iter().take(self.levels.len() - 1);
        Ok(below_root.enumerate().map(|(k, level)| level.node(index >> k ^ 1)).collect())
    }

    /// Sets leaves (distinct indices, any order) and hashes each touched node once, level by level.
    ///
    /// Nothing changes on an error.
    pub fn update(&mut self, indices: &[u64], leaves: &[Digest]) -> Result<(), Error> {
        if indices.len() != leaves.len() {
            return Err(Error::Length {
                field: "leaves",
                length: leaves.len(),
                expected: format!("{} as indices", indices.len()),
            });
        }
        let mut touched = indices.to_vec();
        touched.sort_unstable();
        if let Some(twice) = touched.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::Range {
                field: "indices",
                value: format!("{} twice", twice[0]),
                limit: "distinct".into(),
            });
        }
        let Some(&last) = touched.last() else { return Ok(()) };
        self.check_index(last)?;
        for (&index, leaf) in indices.iter().zip(leaves) {
            self.levels[0].set(index, *leaf);
        }
        for level in 0..self.levels.len() - 1 {
            touched.iter_mut().for_each(|index| *index >>= 1);
            touched.dedup();
            let pairs: Vec<[u64; 8]> = touched
                .iter()
                .map(|&parent| {
                    let left = self.levels[level].node(2 * parent);
                    let right = self.levels[level].node(2 * parent + 1);
                    core::array::from_fn(|i| if i < 4 { left[i] } else { right[i - 4] })
                })
                .collect();
            for (&parent, digest) in touched.iter().zip(compress_rows(&pairs)) {
                self.levels[level + 1].set(parent, digest);
            }
        }
        Ok(())
    }
}

/// The root over a leaf and its siblings.
pub fn root_from_path(leaf: &Digest, index: u64, path: &[Digest]) -> Result<Digest, Error> {
    if path.len() > DEPTH_MAX as usize || index >> path.len() != 0 {
        return Err(Error::Range {
            field: "index",
            value: index.to_string(),
            limit: format!("below 2^{} and the path at most {DEPTH_MAX} long", path.len()),
        });
    }
    Ok(path.iter().enumerate().fold(*leaf, |node, (level, sibling)| {
        if index >> level & 1 == 1 {
            hash::compress(sibling, &node)
        } else {
            hash::compress(&node, sibling)
        }
    }))
}
