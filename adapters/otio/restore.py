"""Put castline's data back on the objects of the timeline that was read."""

from castline.adapters.hooks import after_read as hook_function

__all__ = ["hook_function"]
