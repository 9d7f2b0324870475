"""What carriers share: the payload text, the envelopes in it, and where they go."""
