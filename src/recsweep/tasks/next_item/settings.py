"""What a study of the next course may say. Its rules are the shared key `targets`."""

from recsweep.config.schema import MetricKind, Question

QUESTION = Question(
    metrics={
        "recall": MetricKind("recall", at_k=True, within=(0, 1)),
        "ndcg": MetricKind("NDCG", at_k=True, within=(0, 1)),
        "mrr": MetricKind("MRR", at_k=True, within=(0, 1)),
    },
    metric="ndcg",
    folds=("time", "sessions", "leave_one_out", "learners"),
)
