"""The reference order book: `Exchange` is its door, admission is passed in."""
