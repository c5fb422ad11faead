"""A language model drives a real desktop through a real server; only the provider is a script."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyberdesk import ModelConfigurationCreate, RunCreate, WorkflowModelMetadata
from cyberdesk_server.testing.model_servers import (
    ModelServer,
    completion,
    computer_use,
    in_a_thread,
    message,
    refused,
)
from cyberdesk_server.testing.programs import ServerProgram

pytestmark = pytest.mark.slow

KEY, SECRET = "sk-canary-key", "canary-hunter22"


def test_a_model_types_into_a_real_program_and_another_takes_over(
    tmp_path: Path, site_of: Callable[..., Any]
) -> None:
    provider, written = ModelServer(), tmp_path / "written"
    with in_a_thread(provider):
        folder = tmp_path / "server"
        folder.mkdir()
        server = ServerProgram(
            folder, {"CYBERDESK_ANTHROPIC_URL": provider.url, "CYBERDESK_MODEL_URLS": f"{provider.url}/v1"}
        )
        with server.up(), site_of(server) as site, site.machines(tmp_path) as machine_for:
            machine = machine_for("xterm", name="terminal")
            main = _configured(site, provider="anthropic", model="claude-opus-5", api_key=KEY, max_retries=0)
            second = _configured(
                site, provider="vllm", model="open", additional_params={"base_url": f"{provider.url}/v1"}
            )
            workflow_id = site.workflow(
                f"Write {{$pin}} into {written}",
                model_metadata=WorkflowModelMetadata(main_agent_model_id=main, fallback_model_1_id=second),
            )
            provider.answers(
                message(
                    computer_use("left_click", "toolu_1", coordinate=[100, 100]),
                    computer_use("type", "toolu_2", text=f"echo '{{$pin}}' > {written}"),
                ),
                refused(529),
                completion("Only Enter is missing.", ("key", {"keys": "Return"})),
                completion("It is written."),
            )

            made = site.client.runs.create_sync(
                RunCreate(
                    workflow_id=workflow_id, machine_id=machine.id, sensitive_input_values={"pin": SECRET}
                )
            )
            run = site.ended(str(made.data.id))
            costs = site.client.runs.get_llm_costs_sync(made.data.id).data

    assert (run.status, run.error) == ("success", None)
    assert written.read_text() == f"{SECRET}\n"
    assert not [asked for asked in provider.asked if SECRET in asked.text]
    assert "claude-opus-5 is overloaded (529). second takes over." in str(run.run_message_history)
    assert KEY not in str(run.run_message_history)
    assert [(row.model, row.call_count, row.endpoint_type) for row in costs.rows] == [
        ("claude-opus-5", 1, "messages"),
        ("open", 2, "chat_completions"),
    ]
    assert costs.has_unpriced
    assert [entry for entry in folder.glob("server-*.log") if KEY in entry.read_text()] == []


def _configured(site: Any, **fields: Any) -> Any:
    name = "main" if fields["provider"] == "anthropic" else "second"
    made = site.client.model_configurations.create_sync(
        ModelConfigurationCreate(name=name, is_computer_use_model=True, **fields)
    )
    assert made.error is None, made.error
    return made.data.id
