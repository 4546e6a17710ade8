"""What the files leave open: asked where somebody can answer, else settled by the best guess."""

from collections.abc import Callable
from dataclasses import dataclass, field

from recsweep.errors import BadInput


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that the files don't tell."""

    text: str
    why: str  # what was found
    options: tuple[str, ...]  # empty: any text
    best: str | None  # None: no guess is better than another
    remedy: str  # what to type or change where nobody answers


Ask = Callable[[Question], str]
"""Puts a question to somebody; an answer that is no option is asked for again there."""


@dataclass(slots=True)
class Answers:
    """Settles questions, and remembers what was guessed."""

    ask: Ask | None  # None: never ask
    guessed: list[str] = field(default_factory=list)

    def settle(self, question: Question) -> str:
        """The answer, or the best guess.

        Raises:
            BadInput: nobody is asked, and no guess is better than another.
        """
        if self.ask is not None:
            return self.ask(question)
        if question.best is None:
            raise BadInput(f"{question.text} {question.why}; {question.remedy}")
        self.guessed.append(f"{question.text} Guessed: {question.best} ({question.why}).")
        return question.best
