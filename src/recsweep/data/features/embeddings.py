"""Sentence embeddings, through the optional library `sentence-transformers`.

The model is a folder on this machine. Nothing is fetched, and no code that comes with a model is
run: its weights must be safetensors.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsweep.config.files import expand
from recsweep.errors import BadInput, one_line


def embed(model: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """(n_texts, width).

    Raises:
        BadInput: the library isn't installed, or `model` is no folder with a model.
    """
    found = _load(model).encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
    return np.asarray(found, np.float64)


@lru_cache(maxsize=1)
def _load(model: str) -> Any:
    folder = expand(model)
    if not folder.is_dir():
        raise BadInput(
            f"text.model: {folder} is no folder; give one that holds a sentence-transformers model "
            "(fetch it yourself: recsweep downloads none)"
        )
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise BadInput(
            "text.method: embeddings needs sentence-transformers; "
            "install it with pip install 'recsweep[embeddings]', or use tfidf"
        ) from None
    try:
        return SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BadInput(f"text.model: {folder} can't be loaded ({one_line(error)})") from None
