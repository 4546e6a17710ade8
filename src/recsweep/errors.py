"""The two ways a command can end badly, and their exit status."""


class RecsweepError(Exception):
    """One line for a person: what went wrong and what to do. Never shown with a traceback."""

    exit_status = 1

    def __str__(self) -> str:
        """The message; line ends and control characters in what a file holds are spelt out."""
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in super().__str__())


def one_line(error: BaseException) -> str:
    """The first line of an exception's message, cut to a readable length."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0] if len(lines[0]) <= 200 else lines[0][:199] + "…"


class WorkFailed(RecsweepError):
    """The input was fine, the work was not done."""

    exit_status = 1


class BadInput(RecsweepError):
    """A file, key or value that the user can mend: names it, what was found, what is allowed."""

    exit_status = 2
