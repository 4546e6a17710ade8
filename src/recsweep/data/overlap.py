"""Can trials of one data set have seen what is sealed in another?"""

from recsweep.data.manifest import Manifest

CLOCK = ("time", "sessions")
"""Rules of folds whose sealed test is all that happened from one moment on."""


def overlap(earlier: Manifest, now: Manifest) -> str | None:
    """Say how the development period of `earlier` reaches into the sealed test of `now`; None: it
    ends before.

    The same fingerprint means the same events under the same cuts. Of other data only the clock
    can tell, so both have to be cut by it.
    """
    if earlier.fingerprint == now.fingerprint:
        return None
    if not (_by_clock(earlier) and _by_clock(now)):
        return (
            "its data are others, and without a cut of the clock in both nobody can tell whether "
            "they hold this study's sealed test"
        )
    end, start = earlier.sealed_test.start, now.sealed_test.start
    if end.microseconds <= start.microseconds:
        return None
    return (
        f"its trials were scored on data up to {end.iso}, and this study's sealed test begins at "
        f"{start.iso}"
    )


def _by_clock(manifest: Manifest) -> bool:
    return manifest.fold_rule.rule in CLOCK and manifest.data.timed
