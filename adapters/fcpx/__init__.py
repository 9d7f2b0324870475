"""FCPXML: the carrier, where its texts ride, the shape of the copy, and the stock arithmetic."""
