import pytest
from pydantic import ValidationError

from recsweep.models.families.matrix_factorization import FactorizationConfig

ALS = {"loss": "als", "factors": 4, "regularization": 0.1, "alpha": 1.0}
GRADIENT = {
    "loss": "bpr", "factors": 4, "learning_rate": 0.1, "weight_decay": 0.0, "batch_size": 8,
    "window": 5, "history_exponent": 0.5, "dropout": 0.0,
}  # fmt: skip


@pytest.mark.parametrize("keys", [ALS, GRADIENT])
def test_what_a_loss_needs_is_asked_for_by_name_and_nothing_else(keys: dict[str, object]) -> None:
    assert FactorizationConfig.model_validate(keys).loss == keys["loss"]
    for name in set(keys) - {"loss", "factors"}:
        rest = {key: value for key, value in keys.items() if key != name}
        with pytest.raises(ValidationError, match=f"loss {keys['loss']} needs {name}"):
            FactorizationConfig.model_validate(rest)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ValidationError, match="loss als needs regularization, alpha"):
        FactorizationConfig.model_validate({"loss": "als", "factors": 4})
