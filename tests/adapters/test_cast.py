"""A cast is read from a folder, listed or not, and never from outside it."""

from __future__ import annotations

import hashlib

import pytest

from castline.adapters.material import cast
from castline.schemas.errors import UnreadableFileError
from castline.schemas.values import Cast, Character, Clearance, Consent, Look, Reference

LIST = """
show = "Harbour"

[[character]]
id = "mira"
name = "Mira Vale"
description = "Lighthouse keeper."
union = "local 3"

[[character.look]]
id = "oilskin"
name = "Oilskin"
description = "Yellow coat."

[[character.look]]
id = "sunday"

[[character.reference]]
path = "mira/front.png"

[[character.reference]]
path = "mira/../mira/coat.png"
look = "oilskin"
kind = "figure"

[character.clearance]
use = "final"
likeness = "synthetic_performer"
[character.clearance.consent]
ref = "contract 12"
valid_until = 2027-01-31

[[character]]
id = "dog"
"""


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "cast"
    (folder / "mira").mkdir(parents=True)
    for name in ("front", "coat"):
        (folder / "mira" / f"{name}.png").write_bytes(name.encode())
    return folder


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_listed_cast_is_read_whole(home):
    (home / "cast.toml").write_text(LIST)
    mira = Character(
        character_id="mira",
        name="Mira Vale",
        description="Lighthouse keeper.",
        looks=(
            Look(look_id="oilskin", name="Oilskin", description="Yellow coat."),
            Look(look_id="sunday"),
        ),
        references=(
            Reference(path="mira/front.png", sha256=sha("front")),
            Reference(
                path="mira/../mira/coat.png", sha256=sha("coat"), look_id="oilskin", kind="figure"
            ),
        ),
        clearance=Clearance(
            use="final",
            likeness="synthetic_performer",
            consent=Consent(ref="contract 12", valid_until="2027-01-31"),
        ),
        extra={"union": "local 3"},
    )
    dog = Character(character_id="dog", name="dog")
    expected = Cast(characters=(mira, dog), extra={"show": "Harbour"})
    assert cast.read(home) == cast.read(home / "cast.toml") == expected
    assert Cast.from_data(expected.to_data()) == expected


def test_folders_are_characters_and_their_folders_looks(home):
    for name in ("tom_lee/b.jpg", "tom_lee/a.webp", "tom_lee/old_coat/c.png", "mira/.x.png"):
        (home / name).parent.mkdir(exist_ok=True, parents=True)
        (home / name).write_bytes(name.encode())
    (home / "tom_lee" / "notes.txt").write_text("x")
    (home / "tom_lee" / "empty look").mkdir()
    (home / "nobody").mkdir()
    (home / ".cache").mkdir()
    assert cast.read(home) == Cast(
        characters=(
            Character(
                character_id="mira",
                name="mira",
                references=(
                    Reference(path="mira/coat.png", sha256=sha("coat")),
                    Reference(path="mira/front.png", sha256=sha("front")),
                ),
            ),
            Character(
                character_id="tom_lee",
                name="tom lee",
                looks=(Look(look_id="old_coat", name="old coat"),),
                references=(
                    Reference(path="tom_lee/a.webp", sha256=sha("tom_lee/a.webp")),
                    Reference(path="tom_lee/b.jpg", sha256=sha("tom_lee/b.jpg")),
                    Reference(
                        path="tom_lee/old_coat/c.png",
                        sha256=sha("tom_lee/old_coat/c.png"),
                        look_id="old_coat",
                    ),
                ),
            ),
        )
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[[character]]\nid = "a"\n[[character.reference]]\npath = "../../x.png"', "climbs out"),
        ('[[character]]\nid = "a"\n[[character.reference]]\npath = "/etc/passwd"', "climbs out"),
        ('[[character]]\nid = "a"\n[[character.reference]]\npath = "x.png"', "no such file"),
        ('[[character]]\nid = "a"\n[[character.reference]]\nkind = "face"', "without a path"),
        ('[[character]]\nname = "a"', "character 1: found no id"),
        ('[[character]]\nid = "a"\n[[character]]\nid = "A"', "found twice"),
        ('[[character]]\nid = "a"\nname = 3', "expected str"),
        ('[character]\nid = "a"', "expected [[character]]"),
        (
            '[[character]]\nid = "a"\n[[character.look]]\nid = "l"\n[[character.look]]\nid = "l"',
            "found twice",
        ),
        (
            '[[character]]\nid = "a"\n[[character.reference]]\npath = "mira/coat.png"\nlook = "z"',
            "the look 'z'",
        ),
        (
            '[[character]]\nid = "a"\n[[character.reference]]\npath = "mira/coat.png"\nkind = "z"',
            "found 'z', expected one of face",
        ),
        ('[[character]]\nid = "a"\n[character.clearance]\nuse = "always"', "found 'always'"),
        ('show = "x"', "found no [[character]]"),
        ("[[", "no valid TOML"),
        ("a = " + "[" * 20000, "no valid TOML"),
    ],
)
def test_a_list_that_cannot_be_is_one_line_that_names_file_and_character(home, text, found):
    (home / "cast.toml").write_text(text)
    with pytest.raises(UnreadableFileError) as caught:
        cast.read(home)
    message = str(caught.value)
    assert message.startswith(str(home))
    assert found in message
    assert "\n" not in message


def test_an_empty_folder_says_what_is_expected(tmp_path):
    with pytest.raises(UnreadableFileError, match=r"no pictures; expected cast\.toml, or one fol"):
        cast.read(tmp_path)
    (tmp_path / "mira.png").write_bytes(b"x")
    with pytest.raises(UnreadableFileError, match="beside each other; expected"):
        cast.read(tmp_path)
    with pytest.raises(UnreadableFileError, match="found no folder"):
        cast.read(tmp_path / "none")


def test_links_out_of_the_cast_are_refused_and_links_within_are_followed(home, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"x")
    (home / "mira" / "again.png").symlink_to(home / "mira" / "front.png")
    assert [r.path for r in cast.read(home).characters[0].references] == [
        "mira/again.png",
        "mira/coat.png",
        "mira/front.png",
    ]
    (home / "mira" / "secret.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(UnreadableFileError, match="climbs out"):
        cast.read(home)


def test_a_list_that_grew_without_end_is_refused(home):
    with (home / "cast.toml").open("wb") as stream:
        stream.truncate(17 << 20)
    with pytest.raises(UnreadableFileError, match="more than 16 MB"):
        cast.read(home)
