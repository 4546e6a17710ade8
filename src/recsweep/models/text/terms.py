"""TF-IDF of counts of terms (Salton & Buckley 1988)."""

import numpy as np
from scipy.sparse import csr_matrix, diags

from recsweep.data.types import Float64
from recsweep.models.text.texts import document_counts


def idf_of(found: csr_matrix) -> Float64:
    """(n_terms,) how rare each term is among texts, smoothed as scikit-learn does."""
    n = found.shape[0]
    return np.asarray(np.log((1 + n) / (1 + document_counts(found))) + 1)


def tfidf(found: csr_matrix, idf: Float64, *, sublinear: bool) -> csr_matrix:
    """(n_texts, n_terms) float64, rows of length one, or 0 where no term is known."""
    values = found.astype(np.float64)
    if sublinear:
        values.data = 1 + np.log(values.data)
    values = values @ diags(idf, format="csr") if len(idf) else values
    length = np.sqrt(values.multiply(values).sum(axis=1).A1)
    return diags(1 / np.where(length > 0, length, 1), format="csr") @ values
