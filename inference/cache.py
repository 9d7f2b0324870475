"""What was measured, kept by content: nothing is decoded or embedded twice.

A SQLite file. The key is the hash of the media's bytes, the frame, and the hash of the model's
specification. Vectors of faces are biometric data: they are here and nowhere else, and `purge`
takes them out.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from castline.inference.faces import Face
from castline.inference.find.box import Box
from castline.schemas.errors import NewerVersionError, UnreadableFileError, UnwritableFileError

VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS looks (
    media TEXT NOT NULL, frame INTEGER NOT NULL, model TEXT NOT NULL, faces BLOB NOT NULL,
    PRIMARY KEY (media, model, frame)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS whose (
    media TEXT NOT NULL, character TEXT NOT NULL, PRIMARY KEY (media, character)
) WITHOUT ROWID, STRICT;
"""
_NAMES = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
_TABLES = frozenset({"looks", "whose"})
_HEAD = struct.Struct("<4i3fi")  # box, confidence, turn, eyes, length of the vector
_MAX_DIMENSIONS = 1 << 14


class Cache:
    """Faces by media, frame and model; open it in a `with`, and writes last when it ends well."""

    def __init__(self, path: Path) -> None:
        """Open the cache at a path, and make it where there is none.

        Raises `UnreadableFileError` for a file that is no cache, `NewerVersionError` for one of a
        later castline, `UnwritableFileError` where none can be made.
        """
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None)
        except (OSError, sqlite3.OperationalError) as error:
            raise UnwritableFileError(f"{path}: {error}") from None
        with self._one_line():
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise NewerVersionError(f"{path}: found version {version}, expected {VERSION}")
            names = {row[0] for row in self._database.execute(_NAMES)}
            if names - _TABLES:  # of another program, which nothing is to be written into
                raise ValueError(f"a database with {', '.join(sorted(names - _TABLES))[:60]}")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
            self._database.execute(f"PRAGMA user_version = {VERSION}")

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def get(self, media: str, frames: Iterable[int], model: str) -> dict[int, tuple[Face, ...]]:
        """Return the faces of those of the frames that are known, by frame."""
        wanted = set(frames)
        if not wanted:
            return {}
        query = """
            SELECT frame, faces FROM looks
            WHERE media = ? AND model = ? AND frame BETWEEN ? AND ?
        """
        with self._one_line():
            rows = self._database.execute(query, (media, model, min(wanted), max(wanted)))
            return {frame: _unpack(blob) for frame, blob in rows if frame in wanted}

    def put(self, media: str, looks: Mapping[int, tuple[Face, ...]], model: str) -> None:
        """Keep the faces of frames, all or none."""
        rows = [(media, frame, model, _pack(faces)) for frame, faces in looks.items()]
        with self._all_or_none():
            self._database.executemany("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?)", rows)

    def note(self, media: str, characters: Iterable[str]) -> None:
        """Note who was seen in media, so that they can be purged."""
        rows = [(media, character) for character in characters]
        with self._all_or_none():
            self._database.executemany("INSERT OR IGNORE INTO whose VALUES (?, ?)", rows)

    def purge(self, character: str) -> int:
        """Take out all that was measured of media in which a character was seen; return how much.

        Others who were seen in the same media are measured anew when they are asked for.
        """
        with self._all_or_none():
            gone = self._database.execute(
                "DELETE FROM looks WHERE media IN (SELECT media FROM whose WHERE character = ?)",
                (character,),
            ).rowcount
            self._database.execute("DELETE FROM whose WHERE character = ?", (character,))
        with self._one_line():
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.execute("VACUUM")  # what is deleted is otherwise still in the file
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(gone)

    def merge(self, other: Path) -> int:
        """Take over what another cache knows and this one does not; return how much.

        Raises as opening does.
        """
        with Cache(other) as source, source._one_line():
            rows = source._database.execute("SELECT * FROM looks").fetchall()
            seen = source._database.execute("SELECT * FROM whose").fetchall()
            for *_, blob in rows:
                _unpack(blob)
        with self._all_or_none():
            before = self._database.total_changes
            self._database.executemany("INSERT OR IGNORE INTO looks VALUES (?, ?, ?, ?)", rows)
            taken = self._database.total_changes - before
            self._database.executemany("INSERT OR IGNORE INTO whose VALUES (?, ?)", seen)
        return taken

    @contextmanager
    def _all_or_none(self) -> Iterator[None]:
        with self._one_line():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, struct.error, ValueError, TypeError) as error:
            raise UnreadableFileError(f"{self._path}: found no sound cache: {error}") from None


def _pack(faces: tuple[Face, ...]) -> bytes:
    parts = []
    for face in faces:
        box, vector = face.box, face.vector.astype("<f4").tobytes()
        parts.append(
            _HEAD.pack(
                *(box.left, box.top, box.right, box.bottom),
                *(face.confidence, face.turn, face.eyes, len(vector) // 4),
            )
        )
        parts.append(vector)
    return b"".join(parts)


def _unpack(blob: bytes) -> tuple[Face, ...]:
    import numpy as np

    faces = []
    at = 0
    while at < len(blob):
        *edges, confidence, turn, eyes, size = _HEAD.unpack_from(blob, at)
        at += _HEAD.size
        if not 0 < size <= _MAX_DIMENSIONS or at + 4 * size > len(blob):
            raise ValueError("a vector beyond the end")
        vector = np.frombuffer(blob, "<f4", size, at).copy()
        at += 4 * size
        faces.append(Face(Box(*edges), confidence, turn, eyes, vector))
    return tuple(faces)
