"""Which model carries a run out.

`steps` needs neither a key nor a network and carries out every run. It is imported with the first run,
so that an idle server does without it.
"""

from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.ports import Model
from cyberdesk_server.store.claims import Claim


def model_for(claim: Claim, reader: ScreenReader) -> Model:
    """The model of this run. `reader` is the run's own and remembers what it read."""
    from cyberdesk_server.executor.steps.model import StepsModel

    return StepsModel(reader)
