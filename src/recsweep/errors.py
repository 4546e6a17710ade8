"""The two ways a command can end badly, and their exit status."""


class RecsweepError(Exception):
    """One line for a person: what went wrong and what to do. Never shown with a traceback."""

    exit_status = 1

    def __str__(self) -> str:
        """The message; line ends and control characters in what a file holds are spelt out."""
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in super().__str__())


class WorkFailed(RecsweepError):
    """The input was fine, the work was not done."""

    exit_status = 1


class BadInput(RecsweepError):
    """A file, key or value that the user can mend: names it, what was found, what is allowed."""

    exit_status = 2
