"""What castline knows of a cut, put onto an artist's stage without touching the artist's files.

One overlay layer says it all; a small root layer sublayers overlay and stage and holds the range.

| step | module | where |
|---|---|---|
| what the stage is, and what of it may be meant | `survey` | the child of `sandbox` |
| the same as a value | `stage` | here, as all up to the order |
| which of its cameras a clip is, which prims are a character | `match`, by `names` | |
| what of each clip the cut shows | `seen` | |
| which clips the stage holds, and where in its time | `choose`, `placed`, in `stagetime` | |
| those as a cut of their own | `stagecut` | |
| what is to be laid | `order` | told to the child |
| the two layers | `lay`: `overlay`, `root` | the child |
| all of it, in order | `publish` | |
"""
