"""Asking the driver of a machine, from anywhere in the server: over the bus, whoever holds the tunnel."""

from cyberdesk_server.questions.calls import Call
from cyberdesk_server.questions.driver import Driver, detail_of, expect_ok, json_of, outcome_is_unknown
from cyberdesk_server.questions.messages import (
    ACTION_JOURNAL,
    CONDITIONAL_SCREENSHOT,
    DEFAULT_ANSWER_SECONDS,
    DriverAnswer,
    NoAnswer,
    Question,
    machine_topic,
    read_answer,
)

__all__ = [
    "ACTION_JOURNAL",
    "CONDITIONAL_SCREENSHOT",
    "DEFAULT_ANSWER_SECONDS",
    "Call",
    "Driver",
    "DriverAnswer",
    "NoAnswer",
    "Question",
    "detail_of",
    "expect_ok",
    "json_of",
    "machine_topic",
    "outcome_is_unknown",
    "read_answer",
]
