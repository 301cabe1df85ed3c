"""How it is shown. No retrieval, no prompts, no state of its own."""

from ui.app import build
from ui.server import serve

__all__ = ["build", "serve"]
