"""Each refusal has its answer."""

from collections.abc import Iterator

from cyberdesk_server.api.errors import STATUS
from cyberdesk_server.domain.refusals import Refused


def kinds_of(refusal: type[Refused]) -> Iterator[type[Refused]]:
    for kind in refusal.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def test_every_refusal_has_a_status_and_no_status_is_left_over() -> None:
    assert set(kinds_of(Refused)) == set(STATUS)


def test_a_malformed_request_is_the_only_422() -> None:
    malformed = {kind.__name__ for kind, status in STATUS.items() if status == 422}

    assert malformed == {"InvalidFields", "IdempotencyKeyReused"}
