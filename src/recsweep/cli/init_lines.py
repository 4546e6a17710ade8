"""What `init` asks and shows."""

from rich.console import Console
from rich.markup import escape
from rich.prompt import Prompt
from rich.table import Table

from recsweep.cli.console import counted, tell
from recsweep.errors import BadInput
from recsweep.stages.init.preview import Preview
from recsweep.stages.init.questions import Ask, Question
from recsweep.stages.init.stage import Started

COLUMNS, WIDTH = 5, 24  # columns beside each other, and their characters


def asking(console: Console) -> Ask:
    """Asks at the terminal, or takes answers from a pipe, a line each."""

    def ask(question: Question) -> str:
        console.print(f"[bold]{escape(question.text)}[/]", highlight=False)
        try:
            why, choices = escape(question.why), list(question.options) or None
            if question.best is None:
                return Prompt.ask(why, console=console, choices=choices)
            return Prompt.ask(why, console=console, choices=choices, default=question.best)
        except EOFError:
            raise BadInput(
                f"{question.text} {question.why}; nobody answers: "
                f"{question.remedy or 'give --yes to take the best guess'}"
            ) from None

    return ask


def show(started: Started, console: Console) -> None:
    """The first rows of each table, and what was guessed."""
    for preview in started.previews:
        console.print(f"[bold]{escape(preview.title)}[/]", highlight=False)
        console.print(_table(preview))
    for guess in started.guessed:
        tell(console, guess, warning=True)


def _table(preview: Preview) -> Table:
    left = len(preview.columns) - COLUMNS
    caption = f"and {counted(left, 'more column')}" if left > 0 else None
    table = Table(caption=caption, caption_justify="left", box=None, pad_edge=False)
    for column in preview.columns[:COLUMNS]:
        table.add_column(escape(column), overflow="ellipsis", no_wrap=True, max_width=WIDTH)
    for row in preview.rows:
        table.add_row(*map(escape, row[:COLUMNS]))
    return table
