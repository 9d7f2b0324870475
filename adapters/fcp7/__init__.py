"""Final Cut Pro 7 XML: the carrier, and what its stock writer needs of media, time and tracks."""
