"""What castline knows of a cut, put onto an artist's stage without touching the artist's files.

One overlay layer says it all; a small root layer sublayers overlay and stage and holds the range.

| step | module |
|---|---|
| what the stage is, and what of it may be meant | `look` in `sandbox`'s child, `stage` |
| which of its cameras a clip is, which prims are a character | `match`, by `names` |
| which clips it holds, and where in its time they lie | `choose`, `placed` |
| the two layers | `overlay`, `root` |
| all of it, in order | `publish` |
"""
