"""What of a cut is seen and heard in its stage, and when."""
