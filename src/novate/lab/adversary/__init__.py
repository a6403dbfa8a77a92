"""An adversary against the law: colluding accounts, and an operator in league with them."""
