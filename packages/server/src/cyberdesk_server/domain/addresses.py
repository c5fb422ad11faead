"""How callers name a stored file: blob `K` is `supabase://K` to them, whatever the blob store is."""

SCHEME = "supabase://"


def address_of(blob_key: str) -> str:
    return SCHEME + blob_key


def blob_key_of(address: str) -> str:
    """The blob's key; an address of another scheme names no blob of ours and comes back as it is."""
    return address.removeprefix(SCHEME)
