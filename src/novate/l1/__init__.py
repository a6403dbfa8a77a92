"""The door to the base chain (L1): reads its events, sends it batches, rebuilds the state from it.

`rpc` speaks to a node, `abi` to contracts, `wallet` signs; `follower` walks blocks and survives
reorganisations, and on it stand `inbox_reader` and `chain_reader`. `submitter` brings batches to
L1, `rebuild` reads them all back. Nothing here decides money, and no engine is known here: what
replays a batch is passed in.
"""
