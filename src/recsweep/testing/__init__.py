"""The contract of a family as checks that any package can run on its own.

    @pytest.mark.parametrize("check", recsweep.testing.checks(FAMILY), ids=str)
    def test_contract(check):
        check()

or `recsweep.testing.check_family(FAMILY)`.
"""

from recsweep.testing.cases import Case, cases_of
from recsweep.testing.contract import Check, check_family, checks

__all__ = ["Case", "Check", "cases_of", "check_family", "checks"]
