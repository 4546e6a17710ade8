"""What a bundle's record says of itself."""

from pathlib import Path

from recsweep.bundle.format import bundle_schema


def test_the_schema_in_the_repository_is_the_bundles() -> None:
    path = Path(__file__).parents[2] / "docs" / "bundle.schema.json"
    write = f"from recsweep.bundle.format import bundle_schema as s; print(s(), end='') > {path}"
    assert path.read_text("utf-8") == bundle_schema(), write
