"""Other people's measures, from recorded features, to their published definitions."""
