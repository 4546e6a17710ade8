"""Which tests are a module's: those that mirror its path."""

from pathlib import Path

ROOMS = ("data", "spaces", "models", "tasks", "evaluation", "training", "search", "records",
         "stages")  # fmt: skip
"""Packages with the rules that decide a number or guard something."""


def rule_modules(root: Path) -> list[Path]:
    """Modules of the rooms, below `root`."""
    found = [p for room in ROOMS for p in (root / "src/recsweep" / room).rglob("*.py")]
    return sorted(path.relative_to(root) for path in found)


def mirrored(root: Path, module: Path) -> list[list[str]]:
    """A module's tests in the order in which they are asked: its own file's, then all that mirror
    its folder, then all that mirror a folder above; of a folder, first the files that import it.
    """
    inside = module.relative_to("src/recsweep")
    folders = [root / "tests" / folder for folder in (inside.with_suffix(""), *inside.parents)]
    own, name = folders[1] / f"test_{inside.stem}.py", ".".join(module.with_suffix("").parts[1:])
    parts = [[own] if own.exists() else []]
    for folder in folders[:-1]:
        found = sorted(folder.glob("test_*.py"))
        parts.append(sorted(found, key=lambda path: name not in path.read_text("utf-8")))
    return [[str(path.relative_to(root)) for path in part] for part in parts if part]
