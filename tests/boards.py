"""What the dashboards of a study in W&B are made of, with all that may be told."""

from recsweep.records.board import Board

BOARD = Board(
    project="recsweep",
    study="mine",
    title="mine: tuned recommenders compared",
    metric="ndcg@10",
    lower_is_better=False,
    folds=2,
    tuned={"gru": {"hidden_size": True}},
    losses=("loss/bpr", "loss/cross_entropy"),
    compared=("gru", "wide_deep"),
    question="Does gru beat markov?",
    verdict=("gru beats markov.", "Opened once."),
    tables={"Leaderboard": "| family | mean |\n| --- | --- |\n| gru | 0.2 |"},
)
