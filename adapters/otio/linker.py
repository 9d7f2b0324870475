"""Choose the active take: `-m castline -M take=latest|approved|temp|<take id>`."""

from castline.adapters.linker import link_media_reference

__all__ = ["link_media_reference"]
