from cyberdesk.models import RunCompletedEvent as RunCompletedEvent
