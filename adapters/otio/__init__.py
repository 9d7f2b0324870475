"""The OpenTimelineIO plugin: the manifest and the files it names."""
