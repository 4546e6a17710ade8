"""A configuration of every family of the task `purchase`."""

import torch

from recsweep.models.registry import families_of

CPU = torch.device("cpu")
PURCHASE_FAMILIES = families_of("purchase")
GRADIENT: dict[str, object] = {
    "learning_rate": 0.02,
    "weight_decay": 0.0,
    "batch_size": 4,
    "dropout": 0.0,
}
RECURRENT: dict[str, object] = GRADIENT | {"depth": 1, "hidden_size": 16, "embedding_size": 8}
ATTENTION: dict[str, object] = GRADIENT | {
    "block": "ligr", "depth": 1, "heads": 2, "embedding_size": 16, "positions": "time",
    "window": 10,
}  # fmt: skip
BOOSTING: dict[str, object] = {
    "learning_rate": 0.1, "trees": 20, "leaves": 7, "min_samples_leaf": 5, "l2": 0.0,
    "columns_a_split": 1.0,
}  # fmt: skip
CONFIGS: dict[str, tuple[str, dict[str, object]]] = {
    "gru": ("gru", RECURRENT),
    "lstm": ("lstm", RECURRENT),
    "gru both ways": ("gru", RECURRENT | {"bidirectional": True}),
    "lstm both ways": ("lstm", RECURRENT | {"bidirectional": True, "depth": 2}),
    "gru_unordered": ("gru_unordered", RECURRENT),
    "lstm_unordered": ("lstm_unordered", RECURRENT | {"fading": "step", "fading_weight": 0.7}),
    "sasrec": ("sasrec", ATTENTION),
    "sasrec_unordered": ("sasrec_unordered", ATTENTION | {"fading": "step", "fading_weight": 0.7}),
    "matrix_factorization": (
        "matrix_factorization",
        GRADIENT | {"factors": 8, "history_exponent": 0.5},
    ),
    "wide_deep": (
        "wide_deep",
        GRADIENT | {"embedding_size": 8, "hidden_size": 16, "depth": 2, "wide_learning_rate": 0.02},
    ),
    "neumf": ("neumf", GRADIENT | {"factors": 8, "hidden_size": 16, "depth": 2}),
    "gradient_boosting": ("gradient_boosting", BOOSTING),
    "logistic_regression": ("logistic_regression", {"inverse_penalty": 1.0}),
    "base_rate": ("base_rate", {}),
}
GRADIENT_CASES = [c for c in CONFIGS if PURCHASE_FAMILIES[CONFIGS[c][0]].epochs is None]
