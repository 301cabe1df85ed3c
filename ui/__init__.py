"""How it is shown. No retrieval, no prompts, no state of its own."""
