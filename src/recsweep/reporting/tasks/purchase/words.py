"""The words of purchases."""

ENGLISH = {
    "reliability": "Are probabilities what they say?",
    "reliability_note": "Examples in ten bins of equal size by their probability: what the model "
    "promised to the right, the share that was bought upwards. On the dashed line both are the "
    "same. Of the first seed’s model.",
    "reliability_label": "Reliability diagram of {family}",
    "reliability_bin": "promised {promised}, bought {happened}, {n} examples",
    "promised": "Mean probability",
    "happened": "Share bought",
    "decisions": "Decisions at the threshold",
    "decisions_note": "The threshold with the best F1 on other learners’ examples (cross-fitted in "
    "five parts; the mean of the five is shown). Top tenth: the examples with the highest "
    "probability, or for revenue the highest probability times price; revenue is money an example.",
    "decisions_note:sessions": "The threshold with the best F1 on other sessions (cross-fitted in "
    "five parts; the mean of the five is shown). Top tenth: the sessions with the highest "
    "probability.",
    "threshold": "Threshold",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "support": "support",
    "term:purchase": "purchase",
    "term:no purchase": "no purchase",
    "term:lift in the top tenth": "lift in the top tenth",
    "term:revenue in the top tenth": "revenue in the top tenth",
    "term:expected revenue in the top tenth": "expected revenue in the top tenth",
    "sealed_cold": "Of its {targets} examples, {share} are on courses that training "
    "doesn’t know; they are scored by what else is known.",
    "metrics_note": "Less is better of log loss, Brier score and ECE (expected calibration "
    "error), more of the areas under the curves.",
    "term:exposures": "looks at a course in the window",
    "term:window not over by the end": "– too late for the answer to be known",
    "term:course bought before": "– course bought before",
    "term:purchases": "of the examples: bought",
    "term:training: window not over by the cut": "left out of training: answer unknown at the cut",
    "term:training examples": "training examples",
    "term:training purchases": "of the training examples: bought",
    "protocol_examples": "Example: a look at a course ({exposures}); bought if a purchase of it "
    "follows within {days} days. It reads only what is strictly earlier. Its whole window lies "
    "before the cut (in training) or the end of the window (in scoring); later ones are left out "
    "and counted. The unit that is resampled is the learner.",
    "protocol_probability": "Loss: binary cross-entropy without weights, for imbalance is no "
    "reason to bend probabilities; it is met by the metrics (PR AUC, lift) and by the threshold. "
    "Thresholds and calibrators (here: {calibration}) are cross-fitted over learners: never scored "
    "on what they were fitted on. Means are over examples.",
    "protocol_probability:sessions": "Loss: binary cross-entropy without weights, for imbalance is "
    "no reason to bend probabilities; it is met by the metrics (PR AUC, lift) and by the "
    "threshold. Thresholds and calibrators (here: {calibration}) are cross-fitted over sessions: "
    "never scored on what they were fitted on. Means are over sessions.",
}

CHINESE = {
    "reliability": "概率名副其实吗？",
    "reliability_note": "按概率把样本分成十个等量的组：横轴是模型承诺的概率，纵轴是实际购买的比例。"
    "虚线上两者相同。取第一个种子的模型。",
    "reliability_label": "{family} 的可靠性图",
    "reliability_bin": "承诺 {promised}，购买 {happened}，{n} 个样本",
    "promised": "平均概率",
    "happened": "购买比例",
    "decisions": "按阈值作出的判断",
    "decisions_note": "阈值取在其他学员的样本上 F1 最高者（分五份交叉拟合，表中为五个阈值的均值）。"
    "前十分之一：概率最高的样本；对收入而言是概率乘价格最高的样本；收入按每个样本计。",
    "decisions_note:sessions": "阈值取在其他会话上 F1 最高者"
    "（分五份交叉拟合，表中为五个阈值的均值）。"
    "前十分之一：概率最高的会话。",
    "threshold": "阈值",
    "precision": "精确率",
    "recall": "召回率",
    "f1": "F1",
    "support": "样本数",
    "term:purchase": "购买",
    "term:no purchase": "未购买",
    "term:lift in the top tenth": "最高十分之一的提升度",
    "term:revenue in the top tenth": "最高十分之一的收入",
    "term:expected revenue in the top tenth": "最高十分之一的预期收入",
    "sealed_cold": "其 {targets} 个样本中，{share} 是训练里没有的课程，按其他已知信息评分。",
    "metrics_note": "log loss、Brier score 和 ECE（期望校准误差）越低越好，曲线下面积越高越好。",
    "term:exposures": "窗口内的课程浏览",
    "term:window not over by the end": "– 太晚，答案尚未可知",
    "term:course bought before": "– 课程此前已购买",
    "term:purchases": "样本中：已购买",
    "term:training: window not over by the cut": "未用于训练：到切分点答案尚未可知",
    "term:training examples": "训练样本",
    "term:training purchases": "训练样本中：已购买",
    "protocol_examples": "样本：一次课程浏览（{exposures}）；{days} 天内购买该课程即为购买。"
    "只读取严格更早的信息。整个期限须在切分点（训练）或窗口末尾（评分）之前结束，"
    "更晚的样本不用并计数。重抽样的单位是学员。",
    "protocol_probability": "损失：不加权的二元交叉熵，因为类别不平衡不是扭曲概率的理由；"
    "由指标（PR AUC、提升度）和阈值来应对。阈值与校准器（此处：{calibration}）按学员交叉拟合，"
    "从不在拟合它的样本上评分。均值按样本计。",
    "protocol_probability:sessions": "损失：不加权的二元交叉熵，因为类别不平衡不是扭曲概率的理由；"
    "由指标（PR AUC、提升度）和阈值来应对。阈值与校准器（此处：{calibration}）按会话交叉拟合，"
    "从不在拟合它的会话上评分。均值按会话计。",
}

WORDS = {"en": ENGLISH, "zh": CHINESE}
