"""A scene that holds no cut, read as one: what it says of time, cameras, characters and sound.

Opening and looking is done in `sandbox`'s child, which composes what others made: `opening`,
`survey`, and what a survey consists of: `people`, `pictures`, `sounds`, `clipsets`, `sequencer`.
From the plain facts that it answers, `clock` tells the time and `cut` makes the timeline.
"""
