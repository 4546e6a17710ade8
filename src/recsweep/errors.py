"""The two ways a command can end badly, and their exit status."""


class RecsweepError(Exception):
    """One line for a person: what went wrong and what to do. Never shown with a traceback."""

    exit_status = 1


class WorkFailed(RecsweepError):
    """The input was fine, the work was not done."""

    exit_status = 1


class BadInput(RecsweepError):
    """A file, key or value that the user can mend: names it, what was found, what is allowed."""

    exit_status = 2
