"""TF-IDF of counts of terms (Salton & Buckley 1988), by scikit-learn."""

import numpy as np
from scipy.sparse import csr_matrix

from recsweep.data.types import Float64


def idf_of(found: csr_matrix) -> Float64:
    """(n_terms,) how rare each term is among texts, smoothed."""
    from sklearn.feature_extraction.text import TfidfTransformer

    if not found.shape[1]:
        return np.zeros(0)
    return np.asarray(TfidfTransformer().fit(found.astype(np.float64)).idf_)


def tfidf(found: csr_matrix, idf: Float64, *, sublinear: bool) -> csr_matrix:
    """(n_texts, n_terms) float64, rows of length one, or 0 where no term is known."""
    from sklearn.feature_extraction.text import TfidfTransformer

    values = found.astype(np.float64)
    if not len(idf):
        return values
    library = TfidfTransformer(sublinear_tf=sublinear)
    library.idf_ = idf
    return library.transform(values)
