"""The verb `portrait`: groups of learners as a fitted network sees them."""
