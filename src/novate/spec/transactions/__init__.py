"""One file a kind of transaction. Each checks everything before its first lasting effect."""
