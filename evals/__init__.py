"""Whether it is good. Uses rag as a guest would."""
