"""castline carries AI-generated shots and their characters between the cut and the scene."""

__version__ = "0.1.0"
