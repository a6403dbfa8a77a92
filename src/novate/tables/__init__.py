"""The law as constraints: one table a rule family, each compiled by `novate.circuit`."""
