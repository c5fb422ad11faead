"""Options of single calls, and HTTP clients that the caller brought."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from cyberdesk import ClientClosed, CyberdeskClient, KeyAlreadyUsed, RunCreate
from cyberdesk.testing import Scripted, a_page, a_run

RUN = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
NEW = RunCreate(workflow_id=RUN)


def keys(api):
    return [asked.headers.get("idempotency-key") for asked in api.asked]


class TestOptions:
    def test_a_timeout_is_for_the_view_alone(self, api, client, call):
        api.answers(*[Scripted(200, json=a_page(), delay_seconds=0.3)] * 2)

        hasty = call(client.with_options(timeout=0.05).runs, "list")
        patient = call(client.runs, "list")

        assert isinstance(hasty.error, httpx.ReadTimeout)
        assert patient.error is None

    def test_retries_are_for_the_view_alone(self, api, patient_client, call):
        api.answers(Scripted(503), Scripted(503), Scripted(200, json=a_page()))

        once = call(patient_client.with_options(max_retries=0).runs, "list")
        again = call(patient_client.runs, "list")

        assert (once.status, again.status) == (503, 200)

    def test_headers_are_sent_too(self, api, client, call):
        api.answers(*[Scripted(200, json=a_page())] * 2)

        call(client.with_options(headers={"X-Tenant": "a b", "user-agent": "clinic"}).runs, "list")
        call(client.runs, "list")

        first, second = (asked.headers for asked in api.asked)
        assert (first["x-tenant"], first["user-agent"]) == ("a b", "clinic")
        assert first["authorization"] == "Bearer test-key"
        assert "x-tenant" not in second

    def test_a_view_of_a_view_keeps_what_it_does_not_name(self, api, client, call):
        api.answers(Scripted(200, json=a_page()))
        view = client.with_options(headers={"X-A": "1", "X-B": "1"}, timeout=7)

        call(view.with_options(headers={"x-b": "2"}).runs, "list")

        assert (api.asked[0].headers["x-a"], api.asked[0].headers["x-b"]) == ("1", "2")
        assert view.with_options(max_retries=1)._options.timeout == httpx.Timeout(7)

    def test_a_view_shares_the_connections(self, api, client):
        view = client.with_options(timeout=5)

        assert view._http is client._http
        view.close()
        assert isinstance(client.runs.list_sync().error, ClientClosed)

    def test_a_view_is_of_the_same_class(self):
        class Clinic(CyberdeskClient):
            ward = 7

        assert Clinic("key").with_options(timeout=5).ward == 7

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"timeout": 0}, "timeout: 0 is neither"),
            ({"max_retries": -1}, "max_retries: -1 is less"),
            ({"headers": {"two words": "a"}}, "headers: 'two words' is no name"),
            ({"headers": {"X-A": "line\nbreak"}}, "headers: X-A has a value"),
            ({"headers": {"X-A": 7}}, "headers: X-A has a value"),
            ({"headers": {"idempotency-key": "a"}}, "headers: give idempotency-key as idempotency_key"),
            ({"idempotency_key": ""}, "idempotency_key: must be"),
            ({"idempotency_key": "line\n"}, "idempotency_key: must be"),
        ],
    )
    def test_an_option_that_cannot_work_is_refused(self, client, options, message):
        with pytest.raises(ValueError, match=f"^{message}"):
            client.with_options(**options)

    def test_the_value_of_a_header_is_in_no_refusal_and_no_repr(self, client):
        with pytest.raises(ValueError, match="X-Secret") as refusal:
            client.with_options(headers={"X-Secret": "s3cret\n\x00"})

        assert "s3cret" not in str(refusal.value)
        assert "s3cret" not in repr(client.with_options(headers={"X-Secret": "s3cret"})._options)


class TestOneIdempotencyKey:
    def test_all_attempts_of_the_call_carry_it(self, api, patient_client, call):
        api.answers(Scripted(503), Scripted(201, json=a_run()))

        call(patient_client.with_options(idempotency_key="order-7").runs, "create", NEW)

        assert keys(api) == ["order-7", "order-7"]

    def test_a_second_write_is_refused_and_not_sent(self, api, client, call):
        api.answers(Scripted(201, json=a_run()), Scripted(200, json=a_page()))
        view = client.with_options(idempotency_key="order-7")

        call(view.runs, "create", NEW)
        second = call(view.machines, "delete", RUN)
        read = call(view.runs, "list")

        assert isinstance(second.error, KeyAlreadyUsed)
        assert isinstance(second.error, ValueError)
        assert (read.error, keys(api)) == (None, ["order-7", None])

    def test_the_same_key_may_be_given_again(self, api, client, call):
        api.answers(*[Scripted(201, json=a_run())] * 2)

        for _ in range(2):
            call(client.with_options(idempotency_key="order-7").runs, "create", NEW)

        assert keys(api) == ["order-7", "order-7"]

    def test_a_view_of_the_view_does_not_bring_the_key_back(self, api, client, call):
        api.answers(Scripted(201, json=a_run()))
        view = client.with_options(idempotency_key="order-7")

        call(view.runs, "create", NEW)

        assert isinstance(call(view.with_options(timeout=5).runs, "create", NEW).error, KeyAlreadyUsed)

    def test_it_makes_a_write_repeatable_where_keys_are_switched_off(self, api, call):
        api.answers(Scripted(503, headers={"Retry-After": "0"}), Scripted(201, json=a_run()))

        with CyberdeskClient("key", api.base_url, idempotency_enabled=False) as client:
            response = call(client.with_options(idempotency_key="order-7").runs, "create", NEW)

        assert response.error is None


class TestBroughtClients:
    def test_they_send_what_ours_would(self, api):
        api.answers(*[Scripted(201, json=a_run())] * 2)

        address = f"{api.base_url}/tenant"

        async def create():
            async with httpx.AsyncClient() as mine:
                return await CyberdeskClient("key", address, async_http_client=mine).runs.create(NEW)

        with httpx.Client(headers={"X-Mine": "a"}) as mine:
            responses = [CyberdeskClient("key", address, http_client=mine).runs.create_sync(NEW)]
        responses.append(asyncio.run(create()))

        assert [response.error for response in responses] == [None, None]
        assert [asked.path for asked in api.asked] == ["/tenant/v1/runs"] * 2
        assert [asked.headers["authorization"] for asked in api.asked] == ["Bearer key"] * 2
        assert api.asked[0].headers["x-mine"] == "a"
        assert api.asked[0].json == api.asked[1].json

    def test_their_transport_is_used(self):
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json=a_page()))

        with httpx.Client(transport=transport) as sync:
            response = CyberdeskClient("key", "http://nowhere.invalid", http_client=sync).runs.list_sync()

        assert list(response.unwrap()) == []

    def test_closing_them_stays_with_the_caller(self, api):
        async def close(client):
            await client.aclose()

        with httpx.Client() as sync:
            mine = httpx.AsyncClient()
            client = CyberdeskClient("key", api.base_url, http_client=sync, async_http_client=mine)
            asyncio.run(close(client))
            assert (sync.is_closed, mine.is_closed) == (False, False)
            assert isinstance(client.runs.list_sync().error, ClientClosed)

    def test_their_timeout_counts_unless_one_was_given(self, api):
        api.answers(*[Scripted(200, json=a_page(), delay_seconds=0.3)] * 2)

        with httpx.Client(timeout=0.05) as sync:
            hasty = CyberdeskClient("key", api.base_url, http_client=sync).with_options(max_retries=0)
            patient = CyberdeskClient("key", api.base_url, http_client=sync, timeout=5)
            errors = [client.runs.list_sync().error for client in (hasty, patient)]

        assert [type(error) for error in errors] == [httpx.ReadTimeout, type(None)]

    def test_the_wrong_kind_is_refused(self):
        with pytest.raises(ValueError, match=r"^http_client: is a AsyncClient, not an httpx.Client"):
            CyberdeskClient("key", http_client=httpx.AsyncClient())
        with pytest.raises(ValueError, match=r"^async_http_client: is a str"):
            CyberdeskClient("key", async_http_client="http://proxy")
