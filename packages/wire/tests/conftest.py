"""Strategies for messages that are allowed to travel."""

import string

import pytest
from hypothesis import strategies as st

from cyberdesk_wire import Request, Response
from cyberdesk_wire.meta import NEVER_FORWARDED

_NAMES = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=20).filter(
    lambda name: name.lower() not in NEVER_FORWARDED
)
_VALUES = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=40
)
_HEADERS = st.dictionaries(_NAMES, _VALUES, max_size=8)
_IDS = st.text(min_size=1, max_size=40)
_PATHS = st.text(st.characters(exclude_characters="?#"), max_size=40).map(lambda rest: "/" + rest)

REQUESTS = st.builds(
    Request,
    request_id=_IDS,
    method=st.text(string.ascii_uppercase, min_size=1, max_size=8),
    path=_PATHS,
    query=st.text(max_size=40).map(lambda query: query.lstrip("?")),
    headers=_HEADERS,
    body=st.binary(max_size=300),
)
RESPONSES = st.builds(
    Response,
    request_id=_IDS,
    status=st.integers(100, 599),
    headers=_HEADERS,
    body=st.binary(max_size=300),
)


@pytest.fixture(scope="session")
def requests() -> st.SearchStrategy[Request]:
    return REQUESTS


@pytest.fixture(scope="session")
def responses() -> st.SearchStrategy[Response]:
    return RESPONSES
