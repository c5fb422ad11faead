"""`client.runs`: run workflows and see what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import List, Optional, Union  # noqa: UP035  # `list` is a method here
from uuid import UUID

from cyberdesk import models
from cyberdesk._answers import done, one
from cyberdesk._arguments import identifier, joined, optional_identifier, query
from cyberdesk._flow import Flow, clock, paused
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking
from cyberdesk.errors import RunStillGoing
