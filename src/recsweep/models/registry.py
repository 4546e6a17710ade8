"""Every family by name. A new family is a file beside this one and a line here."""

from collections.abc import Mapping

from recsweep.models.families.counting import NoConfig, build_markov, build_popularity
from recsweep.models.families.factorization import FactorizationConfig, build_matrix_factorization
from recsweep.models.families.item_knn import ItemKnnConfig, build_item_knn
from recsweep.models.families.recurrent import RecurrentConfig, build_gru, build_lstm
from recsweep.models.families.wide_deep import WideDeepConfig, build_wide_deep
from recsweep.models.protocol import Family, Recommender

FAMILIES: Mapping[str, Family[Recommender]] = {
    "gru": Family(RecurrentConfig, build_gru, uses_features=True, portrays=True),
    "lstm": Family(RecurrentConfig, build_lstm, uses_features=True, portrays=True),
    "matrix_factorization": Family(
        FactorizationConfig, build_matrix_factorization, uses_features=True, portrays=True
    ),
    "wide_deep": Family(WideDeepConfig, build_wide_deep, uses_features=True, portrays=True),
    "item_knn": Family(ItemKnnConfig, build_item_knn, epochs=1),
    "popularity": Family(NoConfig, build_popularity, epochs=1),
    "markov": Family(NoConfig, build_markov, epochs=1),
}
