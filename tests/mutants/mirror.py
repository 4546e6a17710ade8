"""Which tests are a module's: those that mirror its path."""

from pathlib import Path

ROOMS = ("data", "evaluation", "models", "training", "search", "records", "stages", "tasks")
"""Packages with the rules that decide a number or guard something."""


def rule_modules(root: Path) -> list[Path]:
    """Modules of the rooms, below `root`."""
    found = [p for room in ROOMS for p in (root / "src/recsweep" / room).rglob("*.py")]
    return sorted(path.relative_to(root) for path in found)


def mirrored(root: Path, module: Path) -> list[list[str]]:
    """A module's tests in the order in which they are asked: its own file's, then its folder's.

    The folder is the nearest that mirrors one above the module and holds tests.
    """
    inside = module.relative_to("src/recsweep")
    folders = [Path("tests") / folder for folder in (inside.with_suffix(""), *inside.parents)]
    own = root / folders[1] / f"test_{inside.stem}.py"
    first = [str(own.relative_to(root))] if own.exists() else []
    for folder in folders[:-1]:
        rest = sorted(str(p.relative_to(root)) for p in (root / folder).glob("test_*.py"))
        if rest:
            others = [name for name in rest if name not in first]
            return [part for part in (first, others) if part]
    return [first] if first else []
