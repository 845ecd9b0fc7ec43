"""In what order: loading, saving, linking, deleting and transactions, as generators that yield requests. No I/O."""
