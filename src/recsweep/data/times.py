"""Raw times as microseconds since 1970 UTC."""

import warnings

import polars as pl

from recsweep.errors import BadInput

ISO_PATTERNS = tuple(
    f"%Y-%m-%d{time}{zone}"
    for time in (" %H:%M:%S%.f", " %H:%M", "")
    for zone in ("", "%#z")
    if time or not zone
)
UNIX_FACTORS = {"unix": 1_000_000, "unix_ms": 1_000}
FARTHEST = 4 * 10**18  # µs; numbers beyond are cut off, so that they count as impossible times


def to_microseconds(column: pl.Series, time_format: str, zone: str | None = None) -> pl.Series:
    """Int64 microseconds; null where a value can't be read as `time_format` or is null.

    A column of Parquet that already is a date or time is taken as it is. A time without a zone is
    one of `zone`, else of UTC: where clocks are put back, the earlier of two moments; a time that
    they skip when they are put forward is null.

    Raises:
        BadInput: `time_format` is no pattern.
    """
    if isinstance(column.dtype, pl.Date | pl.Datetime):
        # A moment with a zone is stored as UTC: its integer is what we want.
        return _placed(
            column.cast(pl.Datetime("us", getattr(column.dtype, "time_zone", None))), zone
        )
    if factor := UNIX_FACTORS.get(time_format):
        return _numbers(column, factor)
    text = column.cast(pl.String)
    if time_format != "iso":
        return _parse(text, time_format, zone)
    text = text.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "$1 ")
    parsed = pl.Series(column.name, [None] * len(text), pl.Int64)
    for pattern in ISO_PATTERNS:
        left = parsed.is_null() & text.is_not_null()
        if not left.any():
            break
        parsed = parsed.scatter(left.arg_true(), _parse(text.filter(left), pattern, zone))
    return parsed


def _numbers(column: pl.Series, factor: int) -> pl.Series:
    limit = FARTHEST // factor
    if not column.dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        if whole.null_count() == column.null_count():
            return whole.clip(-limit, limit) * factor
    real = column.cast(pl.Float64, strict=False)
    real = real.set(~real.is_finite(), None).clip(-limit, limit)
    return (real * factor).round().cast(pl.Int64)


def _parse(text: pl.Series, pattern: str, zone: str | None) -> pl.Series:
    # Python writes decimals of a second as `.%f`, the parser as `%.f`.
    pattern = pattern.replace(".%f", "%.f")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _placed(text.str.to_datetime(pattern, time_unit="us", strict=False), zone)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"time_format {pattern!r}: is not a pattern of times ({reason})") from None


def _placed(time: pl.Series, zone: str | None) -> pl.Series:
    if zone is not None and isinstance(time.dtype, pl.Datetime) and time.dtype.time_zone is None:
        time = time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return time.cast(pl.Int64)
