"""The words of the next course."""

ENGLISH = {
    "protocol_targets": "Targets: {which} events of the window. A metric is the mean over a "
    "learner’s targets first, then over learners.",
    "protocol_catalogue": "The whole catalogue is ranked, nothing is sampled, and ties count "
    "against the model. Courses that the learner already has: {seen}.",
    "which_all": "all",
    "which_last": "each learner’s last of the",
    "which_first": "each learner’s first of the",
    "seen_drop": "not recommended again, and no targets",
    "seen_keep": "recommended again",
    "protocol_candidates": "Courses without events are candidates if the course table knew them "
    "by the cut.",
    "metrics_note": "Coverage: the share of all courses that appear in any learner’s list. "
    "Novelty: how surprising a list’s courses are by their popularity; more bits, less popular. "
    "Neither is better for being higher: read them beside the metric.",
    "sealed_cold": "Of its {targets} targets, {share} are on courses that training doesn’t know: "
    "a miss for every family.",
    "term:in the window": "events in the window",
    "term:empty history": "– no history at the target’s time",
    "term:course already in the history": "– course already in the history",
    "term:not the last of its learner": "– not the last of its learner",
    "term:not the first of its learner": "– not the first of its learner",
    "term:of these in the catalogue": "– of these in the course table: ranked",
}

CHINESE = {
    "protocol_targets": "目标：窗口内{which}事件。指标先对一名学员的各目标取均值，再对学员取均值。",
    "protocol_catalogue": "对整个课程目录排序，不做抽样；同分按不利于模型的方式计算。"
    "学员已有的课程：{seen}。",
    "which_all": "的全部",
    "which_last": "每名学员的最后一个",
    "which_first": "每名学员的第一个",
    "seen_drop": "不再推荐，也不作为目标",
    "seen_keep": "仍可推荐",
    "protocol_candidates": "没有事件的课程，若课程表在切分时刻已有，也参与排序。",
    "metrics_note": "覆盖率：出现在任一学员列表中的课程占全部课程的份额。"
    "新颖度：按流行程度，列表中的课程有多出人意料；比特越多，课程越冷门。"
    "两者都不是越高越好，应与指标一并看待。",
    "sealed_cold": "其 {targets} 个目标中，{share} 是训练里没有的课程：对每个模型族都算未命中。",
    "term:in the window": "窗口内的事件",
    "term:empty history": "– 目标时刻之前没有历史",
    "term:course already in the history": "– 课程已在历史中",
    "term:not the last of its learner": "– 不是该学员的最后一个",
    "term:not the first of its learner": "– 不是该学员的第一个",
    "term:of these in the catalogue": "– 其中课程表已有、参与排序的课程",
}

WORDS = {"en": ENGLISH, "zh": CHINESE}
