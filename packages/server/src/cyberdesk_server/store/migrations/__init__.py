"""The database's shape, version by version. Run by `store.migrate`."""
