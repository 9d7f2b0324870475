"""The values that ride in a cut: small, frozen, versioned records."""

from castline.schemas.values.appearance import WARNING_STATES, Appearance, Score
from castline.schemas.values.cast import Cast, Character, Look, Reference
from castline.schemas.values.clearance import Approval, Clearance, Consent
from castline.schemas.values.decision import Decision
from castline.schemas.values.finding import Loss, Problem
from castline.schemas.values.plan import Check, Offer, OfferedMedia, Plan, Question
from castline.schemas.values.record import Record
from castline.schemas.values.scene import Prim, Scene
from castline.schemas.values.slot import Expected, Note, Sequence, Slot, Unplaced
from castline.schemas.values.take import Generation, Placement, Take

__all__ = [
    "WARNING_STATES",
    "Appearance",
    "Approval",
    "Cast",
    "Character",
    "Check",
    "Clearance",
    "Consent",
    "Decision",
    "Expected",
    "Generation",
    "Look",
    "Loss",
    "Note",
    "Offer",
    "OfferedMedia",
    "Placement",
    "Plan",
    "Prim",
    "Problem",
    "Question",
    "Record",
    "Reference",
    "Scene",
    "Score",
    "Sequence",
    "Slot",
    "Take",
    "Unplaced",
]
