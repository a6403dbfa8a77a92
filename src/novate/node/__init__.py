"""The node: a log on disk, one writer that turns it into rounds and batches, and its processes.

The log is the only source of truth off-chain. `log` keeps it, `records` says what stands in it,
`desk` is the deterministic machine that applies it, `sequencer` decides what comes next, `restart`
replays. `archive` and `batcher` hand sealed batches on; `oracle`, `submitter` and `inbox` are the
processes around; `processes` runs them.
"""
