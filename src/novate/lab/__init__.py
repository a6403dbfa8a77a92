"""Experiments on market data: what turns recorded markets into requests."""
