"""Names that are written into files, each once."""

METADATA_KEY = "castline"
"""The one key that castline's data lives under in OTIO metadata."""

PAYLOAD_VERSION = 1
"""Version of the dicts under the key; a newer one is left alone and reported."""
