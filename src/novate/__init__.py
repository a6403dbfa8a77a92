"""Novate: a Layer 2 settlement system for derivatives."""
