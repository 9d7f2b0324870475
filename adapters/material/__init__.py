"""What comes in beside a cut: media, lists of takes, casts, and how takes were made."""
