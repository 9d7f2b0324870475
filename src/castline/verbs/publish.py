"""Put what a cut knows onto an artist's stage: the step of a USD pipeline."""

from castline.adapters.usd.publishing.publish import Published, publish

__all__ = ["Published", "publish"]
