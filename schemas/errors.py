"""What can go wrong, a class per situation that a caller may catch."""

from __future__ import annotations

from opentimelineio.exceptions import OTIOError


class CastlineError(OTIOError):
    """Anything castline refuses; an `OTIOError`, so that otioconvert prints it as one line."""

    exit_code = 1


class UnreadableFileError(CastlineError):
    """A file that cannot be understood: missing, damaged, hostile or of another format."""


class UnwritableFileError(CastlineError):
    """An output that cannot be written: it exists, is read-only, or its writer refused."""


class InvalidValueError(CastlineError):
    """A value whose shape or type is not what its record declares."""


class NewerVersionError(CastlineError):
    """Data written by a later castline, which this one must not guess at."""


class MissingDependencyError(CastlineError):
    """An extra that is not installed; the message is the command that installs it."""


class UsageError(CastlineError):
    """A request that does not make sense as asked."""

    exit_code = 2


class NeedsPersonError(CastlineError):
    """Nothing is broken, but a person must decide."""

    exit_code = 3
