"""`shieldwire eval`: how the text verdict does on labelled texts, on crowds, and where a group's name is swapped."""

from gateway.evaluate.texts import Row, evaluate

__all__ = ["Row", "evaluate"]
