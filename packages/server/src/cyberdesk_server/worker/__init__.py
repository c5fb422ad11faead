"""Workers: they claim runs that can start, have the executor carry them out, and write how they ended."""

from cyberdesk_server.worker.worker import Worker, WorkerLimits

__all__ = ["Worker", "WorkerLimits"]
