"""What the server can ask of this machine: one module per concern, and the dispatcher that runs them."""

from cyberdriver.commands.desk import Desk
from cyberdriver.commands.dispatcher import Dispatcher

__all__ = ["Desk", "Dispatcher"]
