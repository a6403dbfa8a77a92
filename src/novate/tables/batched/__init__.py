"""Primary columns of many rows at once, from the native core: those of each table's `fill`."""
