from cyberdesk.models import RunResponse as RunResponse
