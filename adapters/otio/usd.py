"""Cuts as USD stages: usd, usda, usdc, usdz; nothing of a timeline is lost.

A stage that holds a cut reads back as the object that was written. Needs usd-core:
`pip install 'castline[usd]'`.
"""

from castline.adapters.usd.adapter import read_from_file, write_to_file

__all__ = ["read_from_file", "write_to_file"]
