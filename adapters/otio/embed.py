"""Put castline's data into the fields of the format that is about to be written."""

from castline.adapters.hooks import before_write as hook_function

__all__ = ["hook_function"]
