//! Commitments of a state: what goes to L1 as two roots, and how a batch moves them
//! (`novate.spec.commitment`).
//!
//! The trees of accounts and slots are kept beside the state and updated; those of markets and
//! instruments are small and built anew.

use novate_primitives::hash::{compress, compress_rows, hash, hash_ragged, hash_rows};
use novate_primitives::merkle::Tree;
use novate_primitives::{Digest, Error, ZERO_DIGEST};
use rustc_hash::FxHashMap;

use crate::bounds::SLOT_GROUP;
use crate::draft::Touched;
use crate::error::{Law, LawError, corrupt};
use crate::layout;
use crate::types::state::{InstrumentState, Market, Roots, State};

impl From<Error> for LawError {
    fn from(error: Error) -> Self {
        corrupt(error.to_string())
    }
}

/// The trees of a state, and its roots.
#[derive(Debug)]
pub struct Commitment {
    accounts: Tree,
    slots: Tree,
    account_slots: SlotTrees,
    roots: Roots,
}

impl Commitment {
    /// All trees of a state from scratch.
    pub fn build(state: &State) -> Law<Self> {
        let depth = state.preset.account_depth;
        let mut accounts = Tree::new(depth)?;
        let all: Vec<u32> = (0..state.accounts.len() as u32).collect();
        update_accounts(&mut accounts, state, &all)?;
        let mut slots = Tree::new(depth)?;
        let mut account_slots = SlotTrees::new(state.preset.slot_depth);
        account_slots.update(&mut slots, state, &state.slots.groups())?;
        let roots = roots_of(state, &accounts, &slots)?;
        Ok(Self { accounts, slots, account_slots, roots })
    }

    /// Follows a batch that changed these leaves; what was before is kept to go back to.
    pub fn update(&mut self, state: &State, touched: &Touched) -> Law<()> {
        if touched.slots_reset {
            self.slots = Tree::new(state.preset.account_depth)?;
            self.account_slots = SlotTrees::new(state.preset.slot_depth);
        }
        let changed: Vec<u32> = touched.accounts.keys().copied().collect();
        update_accounts(&mut self.accounts, state, &changed)?;
        let group = |&(account, slot): &(u32, u32)| (account, slot / SLOT_GROUP as u32);
        let mut groups: Vec<(u32, u32)> = touched.slots.iter().map(group).collect();
        groups.dedup(); // slots ascend, so groups do
        self.account_slots.update(&mut self.slots, state, &groups)?;
        self.roots = roots_of(state, &self.accounts, &self.slots)?;
        Ok(())
    }

    /// The roots of the state that it stands at.
    #[must_use]
    pub fn roots(&self) -> &Roots {
        &self.roots
    }
}

/// Hashes the leaves of some accounts, distinct, into their tree.
fn update_accounts(tree: &mut Tree, state: &State, changed: &[u32]) -> Law<()> {
    let mut elements = Vec::with_capacity(32 * changed.len());
    let mut offsets = Vec::with_capacity(changed.len() + 1);
    offsets.push(0);
    for &index in changed {
        layout::account_elements(&state.accounts[index as usize], &mut elements)?;
        offsets.push(elements.len());
    }
    let digests = hash_ragged(layout::ACCOUNT, &elements, &offsets);
    let indices: Vec<u64> = changed.iter().map(|&index| u64::from(index)).collect();
    tree.update(&indices, &digests)?;
    Ok(())
}

/// The slot trees of all accounts: only nodes that differ from the tree of no leaves are held.
///
/// Nodes are numbered as in a heap: 1 is the root, 2i and 2i + 1 are the children of i, and leaf k
/// of a tree of depth d is node 2^d + k.
#[derive(Debug)]
struct SlotTrees {
    depth: u32,
    nodes: FxHashMap<(u32, u32), Digest>,
    /// Digests of the trees without leaves of heights 0 to depth.
    absent: Vec<Digest>,
}

impl SlotTrees {
    fn new(depth: u32) -> Self {
        let mut absent = vec![ZERO_DIGEST];
        for height in 0..depth as usize {
            let below = absent[height];
            absent.push(compress(&below, &below));
        }
        Self { depth, nodes: FxHashMap::default(), absent }
    }

    /// Hashes changed (account, group) pairs, ascending, and puts the accounts' roots into `slots`.
    fn update(&mut self, slots: &mut Tree, state: &State, groups: &[(u32, u32)]) -> Law<()> {
        let mut rows = Vec::with_capacity(SLOT_GROUP * groups.len());
        for &(account, group) in groups {
            rows.extend(layout::slot_group_elements(&state.slots.group(account, group))?);
        }
        let digests = hash_rows(layout::SLOTS, &rows, SLOT_GROUP, groups.len());
        let leaf = |group: u32| (1 << self.depth) | group;
        let mut changed: Vec<(u32, u32)> =
            groups.iter().map(|&(account, group)| (account, leaf(group))).collect();
        self.nodes.extend(changed.iter().copied().zip(digests));
        for height in 0..self.depth as usize {
            changed.iter_mut().for_each(|(_, node)| *node >>= 1);
            changed.dedup();
            let pairs: Vec<[u64; 8]> = changed
                .iter()
                .map(|&(account, node)| self.children(account, node, height))
                .collect();
            self.nodes.extend(changed.iter().copied().zip(compress_rows(&pairs)));
        }
        let indices: Vec<u64> = changed.iter().map(|&(account, _)| u64::from(account)).collect();
        let roots: Vec<Digest> = changed.iter().map(|key| self.nodes[key]).collect();
        slots.update(&indices, &roots)?;
        Ok(())
    }

    /// Both children, of a height, of a node.
    fn children(&self, account: u32, node: u32, height: usize) -> [u64; 8] {
        let of = |child: u32| self.nodes.get(&(account, child)).unwrap_or(&self.absent[height]);
        let (left, right) = (of(2 * node), of(2 * node + 1));
        std::array::from_fn(|i| if i < 4 { left[i] } else { right[i - 4] })
    }
}

/// Leaf digests of all markets; snapshots enter by their own digests.
fn market_digests(markets: &[Market]) -> Law<Vec<Digest>> {
    let mut elements = Vec::new();
    let mut offsets = vec![0];
    for market in markets {
        for snapshot in
            [&market.current, &market.reference, &market.candidate, &market.halt.pending]
        {
            layout::snapshot_elements(snapshot, &mut elements)?;
            offsets.push(elements.len());
        }
    }
    let snapshots = hash_ragged(layout::SNAPSHOT, &elements, &offsets);
    elements.clear();
    offsets.truncate(1);
    for (market, remembered) in markets.iter().zip(snapshots.chunks(4)) {
        elements.extend(remembered.iter().flatten());
        let numbers = [market.halt.since, market.halt.agreeing, market.concentration_ppm];
        if let Some(negative) = numbers.iter().find(|number| **number < 0) {
            return Err(corrupt(format!("halt or concentration of a market is {negative}")));
        }
        elements.extend(numbers.map(|number| number as u64));
        layout::fund_elements(&market.fund, &mut elements)?;
        offsets.push(elements.len());
    }
    Ok(hash_ragged(layout::MARKET, &elements, &offsets))
}

/// H(count and root of the open tree, count and root of the settled tree).
fn instruments_digest(state: &State) -> Law<Digest> {
    let mut elements = Vec::with_capacity(10);
    for settled in [false, true] {
        let listed: Vec<&InstrumentState> =
            state.instruments.values().filter(|held| held.settled == settled).collect();
        let mut rows = Vec::with_capacity(8 * listed.len());
        for held in &listed {
            rows.extend(layout::instrument_elements(held)?);
        }
        let leaves = hash_rows(layout::INSTRUMENT, &rows, 8, listed.len());
        let tree = Tree::from_leaves(state.preset.instrument_depth, &leaves)?;
        elements.push(listed.len() as u64);
        elements.extend(tree.root());
    }
    Ok(hash(layout::INSTRUMENTS, &elements))
}

/// All commitments of a state whose large trees are at hand.
fn roots_of(state: &State, accounts: &Tree, slots: &Tree) -> Law<Roots> {
    let parameters = hash(layout::PARAMETERS, &layout::parameters_elements(&state.parameters)?);
    let system = hash(layout::SYSTEM, &layout::system_elements(&state.system, &parameters)?);
    let leaves = market_digests(&state.markets)?;
    let markets = Tree::from_leaves(state.preset.market_depth, &leaves)?.root();
    let instruments = instruments_digest(state)?;
    let (accounts, slots) = (accounts.root(), slots.root());
    let settlement_root =
        hash(layout::SETTLEMENT, [system, markets, instruments, accounts].as_flattened());
    let root = hash(layout::ROOT, [settlement_root, slots].as_flattened());
    Ok(Roots { system, markets, instruments, accounts, slots, settlement_root, root })
}
