"""Every family of the task `purchase` by its name in a search space."""

from collections.abc import Mapping

from recsweep.models.protocol import Family
from recsweep.models.purchase.factorization import (
    FactorizationPurchaseConfig,
    build_matrix_factorization,
)
from recsweep.models.purchase.floors import (
    BoostingConfig,
    LogisticConfig,
    NoPurchaseConfig,
    build_base_rate,
    build_gradient_boosting,
    build_logistic_regression,
)
from recsweep.models.purchase.protocol import Purchaser
from recsweep.models.purchase.recurrent import RecurrentPurchaseConfig, build_gru, build_lstm
from recsweep.models.purchase.wide_deep import WideDeepPurchaseConfig, build_wide_deep

PURCHASE_FAMILIES: Mapping[str, Family[Purchaser]] = {
    "gru": Family(
        RecurrentPurchaseConfig, build_gru, uses_features=True, needs_history=True, portrays=True
    ),
    "lstm": Family(
        RecurrentPurchaseConfig, build_lstm, uses_features=True, needs_history=True, portrays=True
    ),
    "matrix_factorization": Family(
        FactorizationPurchaseConfig,
        build_matrix_factorization,
        uses_features=True,
        needs_history=True,
        portrays=True,
    ),
    "wide_deep": Family(WideDeepPurchaseConfig, build_wide_deep, uses_features=True, portrays=True),
    "gradient_boosting": Family(
        BoostingConfig, build_gradient_boosting, epochs=1, uses_features=True
    ),
    "logistic_regression": Family(
        LogisticConfig, build_logistic_regression, epochs=1, uses_features=True
    ),
    "base_rate": Family(NoPurchaseConfig, build_base_rate, epochs=1),
}
