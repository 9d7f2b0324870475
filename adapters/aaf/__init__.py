"""AAF: the carrier, and the ids of its mobs."""
