"""How the readers of sentences say that something is no step."""


class NotReadable(Exception):
    """A line, or a part of one, is no sentence of the language; the message says why, for its author."""
