"""Moments as whole microseconds since 1970 UTC, and back for people."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000  # microseconds


def microseconds(moment: datetime) -> int:
    """One without a zone is read as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1)


def iso(time: int) -> str:
    """`2024-05-31T18:30:00+00:00`, with decimals only where there are any."""
    return (EPOCH + timedelta(microseconds=time)).isoformat()
