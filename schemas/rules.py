"""The runner of rules: each a generator of problems that describes itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from castline.schemas.errors import CastlineError
from castline.schemas.values import Problem

Subject = TypeVar("Subject")
Rule = Callable[[Subject], Iterator[Problem]]
"""A rule looks at a subject and yields what is wrong; its docstring says what it asks for."""


def run(rules: Iterable[Rule[Subject]], subject: Subject) -> list[Problem]:
    """Return the problems that the rules find, in the order of the rules.

    A rule that cannot read its subject's data has found a problem too, and stops no other.
    """
    problems: list[Problem] = []
    for rule in rules:
        try:
            problems.extend(rule(subject))
        except CastlineError as error:
            problems.append(Problem(rule=rule_name(rule), where="cut", message=str(error)))
    return problems


def rule_name(rule: Rule[Subject]) -> str:
    """Return a rule's name as people write it."""
    return str(getattr(rule, "__name__", "rule")).replace("_", "-")


def describe(rule: Rule[Subject]) -> str:
    """Return the first sentence of what a rule asks for."""
    return (rule.__doc__ or "").strip().partition("\n")[0]
