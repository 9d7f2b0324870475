"""The values that ride in a cut: small, frozen, versioned records."""
