"""Reading who knocks."""

from cyberdesk_server.gateway.handshake import Handshake, Refused, read_handshake
from hypothesis import given
from hypothesis import strategies as st

NEEDED = {"authorization": "Bearer ak_1", "x-piglet-fingerprint": "f-1"}


def test_a_handshake_needs_a_key_and_a_fingerprint() -> None:
    assert read_handshake(NEEDED) == Handshake(key="ak_1", fingerprint="f-1")


def test_everything_else_is_optional() -> None:
    handshake = read_handshake(
        NEEDED
        | {
            "x-piglet-version": "2.0.0",
            "x-piglet-hostname": "pc-7",
            "x-cyberdriver-name": "Front desk",
            "x-cyberdriver-features": "action-journal, Key-Hold,,<script>",
            "x-cyberdriver-peer-id": "123 456",
            "user-agent": "cyberdriver/2.0.0",
        }
    )

    assert handshake == Handshake(
        key="ak_1",
        fingerprint="f-1",
        version="2.0.0",
        name="Front desk",
        hostname="pc-7",
        features=frozenset({"action-journal", "key-hold"}),
        peer_id="123 456",
        user_agent="cyberdriver/2.0.0",
    )


def test_a_missing_fingerprint_is_named() -> None:
    refused = read_handshake({"authorization": "Bearer ak_1"})

    assert isinstance(refused, Refused)
    assert refused.status == 400
    assert "X-PIGLET-FINGERPRINT" in refused.detail


def test_display_texts_that_no_driver_sends_are_left_out() -> None:
    handshake = read_handshake(NEEDED | {"x-cyberdriver-name": "Zażółć", "x-piglet-hostname": "h" * 500})

    assert isinstance(handshake, Handshake)
    assert (handshake.name, handshake.hostname) == (None, "h" * 128)


@given(
    headers=st.dictionaries(
        st.sampled_from([*NEEDED, "x-piglet-version", "x-cyberdriver-name", "x-cyberdriver-features"]),
        st.text(st.characters(max_codepoint=255)),
    )
)
def test_any_headers_give_an_answer(headers: dict[str, str]) -> None:
    match read_handshake(headers):
        case Handshake() as handshake:
            assert handshake.key
            assert handshake.fingerprint.isascii()
        case Refused(status=status):
            assert status in (400, 403)


def test_a_key_is_in_no_repr() -> None:
    assert "ak_1" not in repr(read_handshake(NEEDED))
