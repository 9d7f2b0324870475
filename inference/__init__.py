"""What can be measured in frames; nothing yet, character scoring comes here."""
