"""`naive_bayes`: terms that are independent given the label. A floor that is fitted by counting."""

from recsweep.config.schema import TEXT
from recsweep.models.family import Build, Family
from recsweep.models.text.linear import NaiveBayes, NaiveBayesConfig

FAMILY = Family(
    name="naive_bayes",
    title="naive Bayes",
    title_zh="朴素贝叶斯",
    role="floor",
    tasks={TEXT: Build(NaiveBayesConfig, NaiveBayes, epochs=1, random=False, reads_order=False)},
)
