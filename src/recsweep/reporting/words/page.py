"""Every word of the page, in English and in Chinese, under the same keys.

A key that starts with `term:` is a word that the records use; one without an entry is shown as it
stands there.
"""

from collections.abc import Mapping
from types import MappingProxyType

from recsweep.reporting.words import portrait as portrait_words

ENGLISH = {
    "language": "en",
    "language_name": "English",
    "space": " ",
    "title": "{study}: report",
    "skip": "Skip to the results",
    "contents": "Contents",
    "eyebrow": "Study",
    # the verdict
    "sealed_headline": "On the sealed test, {verdict}.",
    "sealed_caveat": "The configurations were selected before the sealed test was opened; of the "
    "families beyond them this says little.",
    "sealed_caveat_families": "Every family was searched {n} times from different seeds, and each "
    "time selected before the sealed test was opened: the verdicts speak of families tuned this "
    "hard, on this log.",
    "sealed_openings_one": "It was opened once.",
    "sealed_openings_many": "It was opened {n} times: what was changed after an earlier look has "
    "no fresh test behind it.",
    "folds_headline": "Cross-validated: {a} leads {b} by {d} {metric} on the development folds; "
    "the sealed test has not been opened.",
    "folds_alone": "Cross-validated: {a} reaches {value} {metric} on the development folds; the "
    "sealed test has not been opened.",
    "folds_caveat": "This is no verdict yet. These scores chose the configurations, and the winner "
    "of many trials is lucky: expect less on new learners. The stage “confirm” opens the sealed "
    "test.",
    "folds_caveat:sessions": "This is no verdict yet. These scores chose the configurations, and "
    "the winner of many trials is lucky: expect less on new sessions. The stage “confirm” opens "
    "the sealed test.",
    "question": "The best network against {baselines}: {text}.",
    "best_of": "the best of {others} and {last}",
    "leads": "{a} leads {b} by {d} {metric}",
    "verdict_better": "{a} beats {b} by {numbers} {metric}",
    "verdict_worse": "{b} beats {a} by {numbers} {metric}",
    "verdict_equivalent": "{a} and {b} are equivalent within {effect} {metric}: {numbers}",
    "verdict_no_difference_shown": "no significant difference between {a} and {b}: {numbers} "
    "{metric}",
    "basis_configurations": "{learners} learners, {seeds} seeds; applies to the selected "
    "configurations only",
    "basis_families": "{learners} learners, {seeds} searches; applies to the model families",
    "basis_configurations:sessions": "{learners} sessions, {seeds} seeds; applies to the selected "
    "configurations only",
    "basis_families:sessions": "{learners} sessions, {seeds} searches; applies to the model "
    "families",
    "exploratory": "exploratory: not declared before the test was opened",
    "caveat_few_learners": "too few learners to call them equivalent",
    "caveat_few_learners:sessions": "too few sessions to call them equivalent",
    "caveat_skewed": "few learners make up most of the difference, so the interval may be too "
    "narrow",
    "caveat_skewed:sessions": "few sessions make up most of the difference, so the interval may be "
    "too narrow",
    # facts
    "fact_trials": "trials",
    "fact_trials_note": "{complete} complete, {pruned} stopped early, {failed} failed",
    "fact_families": "families",
    "fact_families_note": "{tuned} of them tuned, with {trials} trials each",
    "fact_folds": "folds",
    "fact_folds_time": "each trained on the past, scored on the window after it",
    "fact_core": "core-hours",
    "fact_core_note": "of fitting and evaluating",
    "fact_wall": "minutes of search",
    "fact_wall_note": "the workers were busy {efficiency} of the time",
    # filter
    "filter": "Families shown",
    "all": "All",
    "none": "None",
    "shown": "{shown} of {all} families shown",
    # leaderboard
    "leaderboard": "Leaderboard",
    "leaderboard_note": "Each family’s selected configuration (rule: {rule}) on {folds} folds. "
    "Thin ticks are the folds, the marker is their mean, ± is the standard deviation over folds.",
    "rank": "Rank",
    "family": "Family",
    "folds_plot": "Folds, {low} to {high}",
    "mean_spread": "{metric}, mean ± sd",
    "gain": "Over its defaults",
    "is_default": "the defaults won",
    "trials": "Trials",
    "complete": "Complete",
    "pruned": "Stopped",
    "failed": "Failed",
    "core_seconds": "Core-seconds",
    "epochs": "Epochs",
    "epoch": "Epoch",
    "configuration": "Configuration of {trial}",
    "no_parameters": "nothing to tune",
    "warning": "Warning",
    "warn_converged": "not converged: its best epoch, {epochs}, is the last one allowed",
    "warn_edge": "near the end of its range, where a wider one may hold a better value: {list}",
    "edge": "{name} = {value} in {range}",
    "other_metrics": "Other metrics, mean over folds",
    "failures": "Failed trials and why ({n})",
    "trial": "Trial",
    "reason": "Reason",
    # figures
    "curves": "Learning curves",
    "curves_note": "{metric} after each epoch, mean over folds. A cross is where a trial was "
    "stopped early; the bold line with a marker is the selected trial at its best epoch; dashed is "
    "the published default. The level line is the leader of all families. Hover a line for its "
    "configuration.",
    "curves_none": "No family of this study trains in more than one epoch.",
    "curves_label": "Learning curves of {n} trials of {family}",
    "state_complete": "complete, {epochs} epochs",
    "state_pruned": "stopped after epoch {epochs}",
    "state_failed": "failed after {epochs} epochs",
    "at_epoch": "at epoch {epoch}",
    "parallel": "What was tried",
    "parallel_note": "Each line is a trial, from its score at the top down through its parameters. "
    "Bold: selected, its values at the right. In colour: the best tenth. Dotted: stopped early, so "
    "its score is from a shorter run. A gap: the parameter did not exist in that trial.",
    "parallel_label": "Parameters and scores of {n} trials of {family}",
    "importance": "Which parameters mattered",
    "importance_note": "Share of the score’s variance between trials (fANOVA, complete trials "
    "only). It describes this search, in these ranges, where the sampler looked most closely; it "
    "is not cause and effect. Parameters that only some trials have are left out.",
    "importance_label": "Importance of the parameters of {family}",
    "importance_few": "{families}: fewer than {enough} complete trials, or nothing to compare.",
    "budget": "Was the budget enough?",
    "budget_note": "Expected best score if the search had been shorter, over random draws of the "
    "trials that were run (unbiased estimator of Tang et al. 2020); the clock is one worker’s, "
    "with trials in random order. A curve still rising at its end says that more trials would "
    "help. The sampler learns from its trials, so this describes the values found and forecasts "
    "nothing.",
    "equal_seconds": "With equal seconds ({amount} s a tuned family, as many as {family} used), ",
    "equal_trials": "With equal trials ({amount} a tuned family, as many as {family} had), ",
    "equal_same": "the same configurations would have been selected, so the verdict on them stands "
    "under both budgets.",
    "equal_others": "other configurations would have been selected: {others}. ",
    "equal_instead": "{family} {instead} instead of {selected}",
    "equal_none": "{family} none (no complete trial by then) instead of {selected}",
    "equal_leader_same": "{leader} would lead on the folds under both budgets.",
    "equal_leader": "On the folds {leader} would lead, not {before}.",
    "list_comma": ", ",
    "budget_trials": "By trials",
    "budget_seconds": "By core-seconds",
    "budget_trials_label": "Expected best score of each family by number of trials",
    "budget_seconds_label": "Expected best score of each family by core-seconds",
    "folds": "Fold by fold",
    "folds_note": "The selected configurations in each fold. Lines that cross change places from "
    "one period to the next.",
    "folds_label": "Score of each selected configuration in each fold",
    "sealed": "Sealed test",
    "sealed_note": "{learners} learners in the last period, refitted on all development data, with "
    "several seeds. Intervals of differences hold together over all pairs at {level}; the shaded "
    "band is ±{effect}, too small to matter.",
    "sealed_note:sessions": "{learners} sealed sessions, by models refitted on all others, with "
    "several seeds. Intervals of differences hold together over all pairs at {level}; the shaded "
    "band is ±{effect}, too small to matter.",
    "sealed_searches": "Each number is over {n} searches; intervals count the luck of a search.",
    "sealed_families": "Every family, with a {level} interval of its own",
    "sealed_pairs": "Every pair, with simultaneous {level} intervals",
    "interval": "Interval, {low} to {high}",
    "mean": "{metric}, mean [interval]",
    "seeds": "Seeds",
    "seeds_each": "Seeds a search",
    "pair": "Pair",
    "difference": "Difference [interval]",
    "p": "p",
    "outcome": "Outcome",
    "against": "{a} against {b}",
    "outcome_better": "{a} is better",
    "outcome_worse": "{b} is better",
    "outcome_equivalent": "equivalent",
    "outcome_no_difference_shown": "no significant difference",
    "cold": "Courses without an event before the test",
    "cold_note": "What the features of each family’s arms are worth for new courses, which no arm "
    "can know by its events. Intervals hold together over the arms of one family at {level}.",
    "sealed_cold": "Of its {targets} targets, {share} are on courses that training doesn’t know.",
    "sealed_cold_ranked": "Of its {targets} targets, {share} are on courses without an event "
    "before the test. They are ranked where the course table knew the course by then; elsewhere "
    "they are a miss.",
    "metrics_note": "",  # of the task
    "coverage": "Coverage@{k}",
    "novelty": "Novelty@{k}, bits",
    "sequence_better": "Sequence order contributes {numbers} {metric} to {family}, against its "
    "twin without order, {twin}.",
    "sequence_worse": "Sequence order doesn’t help {family}: its twin without order, {twin}, is "
    "better ({numbers} {metric}).",
    "sequence_equivalent": "Sequence order contributes {numbers} {metric} to {family}, within the "
    "equivalence margin of its twin without order, {twin}.",
    "sequence_no_difference_shown": "Sequence order isn’t shown to help {family}: {numbers} "
    "{metric} against its twin without order, {twin}.",
    "sequence_absent": "Whether it is the sequence was not asked: no network of this study has its "
    "twin without order beside it.",
    "groups": "Where the differences come from",
    "groups_note": "The same differences on parts of the targets. Intervals hold together over the "
    "parts of a pair at {level}. This is for looking closer; the verdict is on all learners.",
    "groups_sentence": "Above 0 is in favour of {a}. Of {n} parts, {a} is ahead in {ahead} and {b} "
    "in {behind}, by intervals that leave out 0; in the others neither is shown ahead.",
    "group": "Part",
    "group_short": "history of up to {high} events",
    "group_middle": "history of {low} to {high} events",
    "group_long": "history of more than {low} events",
    "term:new learner": "new learner",
    "term:returning learner": "returning learner",
    "term:course of the history": "course of the history",
    "term:cold course": "course without events before",
    "term:course with events": "course with events before",
    "term:course new to the learner": "course new to the learner",
    "targets": "Targets",
    "cost": "Cost against quality",
    "cost_note": "Small marks are trials (hollow: stopped early), large ones the selected. Up and "
    "to the left is better; a step to the right on this axis multiplies the cost.",
    "core_seconds_trial": "Core-seconds of a trial",
    "cost_label": "Core-seconds and score of every trial",
    # data
    "data": "Data",
    "data_note": "Prepared as {dataset}, fingerprint {fingerprint}.",
    "data_cleaning": "Read and dropped",
    "data_periods": "Periods",
    "data_folds": "Folds and what their rules took out",
    "rows_of": "rows of {path}",
    "dropped": "dropped: {rule}",
    "such_as": "such as “{kind}” ({n})",
    "duplicates": "dropped: same learner, course, time and type",
    "kept": "events kept",
    "learner_table": "table of learners",
    "course_table": "table of courses",
    "feature_rows": "{rows} rows; {without} without an event, {unknown} of the log without a row",
    "period": "Period",
    "from": "From",
    "to": "To",
    "events": "Events",
    "learners": "Learners",
    "learners:sessions": "Sessions",
    "courses": "Courses",
    "development": "development",
    "sealed_test": "sealed test",
    "term:no user id": "no learner id",
    "term:no item id": "no course id",
    "term:no time": "no time",
    "term:event type not in the mapping": "event type not in the mapping",
    "term:time outside the limits": "time outside the limits",
    "term:training events": "training events",
    "term:training learners": "training learners",
    "term:courses": "courses",
    "term:targets": "targets",
    "term:target learners": "learners with a target",
    "term:same course at the same time": "– same course at the same time",
    "term:course unknown to training": "of the targets: course unknown to training",
    # reproduce
    "reproduce": "How to reproduce",
    "reproduce_note": "Each selected configuration, rebuilt from its record and checked against "
    "it.",
    "commands": "Commands",
    "experiment_record": "The whole study takes “make sweep” with the experiment as it was run: "
    "every value of it, those set on the command line too, is in study.json; every trial is in "
    "trials.parquet and curves.parquet.",
    "code": "Code",
    "changes": "with uncommitted changes, digest {digest}",
    "unknown": "not known",
    "python": "Python",
    "machine": "Machine",
    "cores": "{cpu}, {cores} cores",
    "packages": "Packages",
    "seed": "Seed",
    # protocol
    "protocol": "Protocol",
    "protocol_folds_time": "Time is respected: {folds} rolling-origin folds inside the development "
    "period, each with a validation window of {validation} of all events; the last {test} of all "
    "events are the sealed test, which the search cannot reach.",
    "protocol_history": "A learner’s history holds every event strictly before the target’s own "
    "time, those after the cut included; weights are frozen at the cut.",
    "protocol_budget": "Equal budget: {trials} trials a tuned family, {epochs} epochs a trial, the "
    "same folds and seeds; the first trial of each is its published defaults.",
    "protocol_budget_seconds": "Equal budget: trials of {epochs} epochs until {seconds} s of "
    "fitting and evaluating are used, for each tuned family; a trial that has begun by then is "
    "finished ({least} to {most} s were used). The same folds and seeds; the first trial of each "
    "is its published defaults.",
    "protocol_stopping_halving": "Early stopping: asynchronous successive halving within a family, "
    "on the cross-validated mean, from epoch {grace}; of {reduction} trials one goes on; a "
    "family’s first {full} trials are never stopped.",
    "protocol_stopping_lag": "Early stopping: within a family, on the cross-validated mean, from "
    "epoch {grace}; a trial stops when it lags behind the family’s best at the same epoch by more "
    "than {lag} (an entry an epoch, the last for all later ones); a family’s first {full} trials "
    "are never stopped.",
    "protocol_selection": "Selection: {rule}, written in the experiment before any trial was run.",
    "rule_best_mean": "the best mean over folds",
    "rule_one_standard_error": "the fewest epochs within one paired standard error of the best",
    "protocol_arms": "Features of {family}: {features}.",
    "no_features": "ids alone",
    "protocol_features": "Features of learners and courses are not used by {families}: those "
    "families have no place for them.",
    "best_possible": "SYNTHETIC data: the simulator’s own probabilities score {value} {metric}, "
    "and no model can be expected to do better.",
    "protocol_folds_stratified": "Time is NOT respected: the table has no usable clock. {folds} "
    "folds and the sealed test ({test} of the rows) are drawn at random with the same share "
    "of purchases in each; exact duplicates were removed before. The unit that is resampled is the "
    "session.",
    "cost_note_lower": "Small marks are trials (hollow: stopped early), large ones the selected. "
    "Down and to the left is better; a step to the right on this axis multiplies the cost.",
    "groups_sentence_lower": "Below 0 is in favour of {a}. Of {n} parts, {a} is ahead in {ahead} "
    "and {b} in {behind}, by intervals that leave out 0; in the others neither is shown ahead.",
    "leaderboard_folds_time": "rolling-origin folds",
    "leaderboard_folds_stratified": "folds drawn at random (time is not respected: the table has "
    "no clock)",
    "fact_folds_stratified": "drawn at random, without regard to time",
}

CHINESE = {
    "language": "zh",
    "language_name": "中文",
    "space": "",
    "title": "{study}：报告",
    "skip": "跳到结果",
    "contents": "目录",
    "eyebrow": "研究",
    "sealed_headline": "在封存测试集上，{verdict}。",
    "sealed_caveat": "各配置在打开封存测试集之前就已选定；对于这些配置之外的模型族，"
    "这说明不了多少。",
    "sealed_caveat_families": "每个模型族都用不同的随机种子搜索了 {n} 次，"
    "每次都在打开封存测试集之前选定："
    "结论针对在这份日志上以同等力度调优的模型族。",
    "sealed_openings_one": "测试集只打开过一次。",
    "sealed_openings_many": "测试集已打开 {n} 次：前一次查看之后所做的改动，背后没有全新的测试。",
    "folds_headline": "交叉验证：在开发期各折上，{a} 领先 {b} {d} {metric}；封存测试集尚未打开。",
    "folds_alone": "交叉验证：在开发期各折上，{a} 达到 {value} {metric}；封存测试集尚未打开。",
    "folds_caveat": "这还不是结论。配置正是按这些分数选出的，而众多试验中的优胜者总有运气成分："
    "对新学员应预期更低的分数。只有“confirm”阶段会打开封存测试集。",
    "folds_caveat:sessions": "这还不是结论。配置正是按这些分数选出的，"
    "而众多试验中的优胜者总有运气成分："
    "对新会话应预期更低的分数。只有“confirm”阶段会打开封存测试集。",
    "question": "最好的网络与{baselines}相比：{text}。",
    "best_of": "{others}、{last} 中最好者",
    "leads": "{a} 领先 {b} {d} {metric}",
    "verdict_better": "{a} 优于 {b}，差值 {numbers} {metric}",
    "verdict_worse": "{b} 优于 {a}，差值 {numbers} {metric}",
    "verdict_equivalent": "{a} 与 {b} 在 {effect} {metric} 以内等效：{numbers}",
    "verdict_no_difference_shown": "{a} 与 {b} 之间未见显著差异：{numbers} {metric}",
    "basis_configurations": "{learners} 名学员，{seeds} 个随机种子；结论仅适用于所选配置",
    "basis_families": "{learners} 名学员，{seeds} 次搜索；结论适用于整类模型",
    "basis_configurations:sessions": "{learners} 个会话，{seeds} 个随机种子；结论仅适用于所选配置",
    "basis_families:sessions": "{learners} 个会话，{seeds} 次搜索；结论适用于整类模型",
    "exploratory": "探索性比较：开启封存测试之前未声明",
    "caveat_few_learners": "学员太少，不足以判定等效",
    "caveat_few_learners:sessions": "会话太少，不足以判定等效",
    "caveat_skewed": "差异主要来自少数学员，区间可能偏窄",
    "caveat_skewed:sessions": "差异主要来自少数会话，区间可能偏窄",
    "fact_trials": "次试验",
    "fact_trials_note": "{complete} 次完整，{pruned} 次提前停止，{failed} 次失败",
    "fact_families": "个模型族",
    "fact_families_note": "其中 {tuned} 个经过调参，每个 {trials} 次试验",
    "fact_folds": "折",
    "fact_folds_time": "每折用过去训练，在紧随其后的时间窗内评分",
    "fact_core": "核·小时",
    "fact_core_note": "用于训练和评估",
    "fact_wall": "分钟搜索时间",
    "fact_wall_note": "工作进程有 {efficiency} 的时间在忙",
    "filter": "显示的模型族",
    "all": "全选",
    "none": "全不选",
    "shown": "显示 {all} 个模型族中的 {shown} 个",
    "leaderboard": "排行榜",
    "leaderboard_note": "每个模型族选定的配置（规则：{rule}）在 {folds} 折上的成绩。细线是各折，"
    "标记是均值，± 是各折之间的标准差。",
    "rank": "名次",
    "family": "模型族",
    "folds_plot": "各折，{low} 至 {high}",
    "mean_spread": "{metric}，均值 ± 标准差",
    "gain": "比默认配置高",
    "is_default": "默认配置胜出",
    "trials": "试验",
    "complete": "完整",
    "pruned": "停止",
    "failed": "失败",
    "core_seconds": "核·秒",
    "epochs": "轮数",
    "epoch": "轮",
    "configuration": "{trial} 的配置",
    "no_parameters": "没有可调参数",
    "warning": "注意",
    "warn_converged": "未收敛：最佳轮次 {epochs} 就是允许的最后一轮",
    "warn_edge": "靠近取值范围的一端，更宽的范围里可能有更好的值：{list}",
    "edge": "{name} = {value}，范围 {range}",
    "other_metrics": "其他指标，各折均值",
    "failures": "失败的试验及原因（{n}）",
    "trial": "试验",
    "reason": "原因",
    "curves": "学习曲线",
    "curves_note": "每轮之后的 {metric}，取各折均值。叉号是试验提前停止的位置；带标记的粗线是选定的"
    "试验，标记在最佳轮次；虚线是公开发表的默认配置；水平线是所有模型族中的领先者。"
    "将指针移到线上可查看配置。",
    "curves_none": "本研究中没有模型族训练超过一轮。",
    "curves_label": "{family} 的 {n} 次试验的学习曲线",
    "state_complete": "完整，{epochs} 轮",
    "state_pruned": "在第 {epochs} 轮后停止",
    "state_failed": "在 {epochs} 轮后失败",
    "at_epoch": "第 {epoch} 轮",
    "parallel": "尝试过的配置",
    "parallel_note": "每条线是一次试验，从顶部的分数向下穿过各个参数。粗线：选定的试验，右侧是它的"
    "取值。彩色：最好的十分之一。点线：提前停止，其分数来自较短的训练。断开：该试验没有这个参数。",
    "parallel_label": "{family} 的 {n} 次试验的参数与分数",
    "importance": "哪些参数重要",
    "importance_note": "各参数在试验间分数方差中所占的份额（fANOVA，仅用完整的试验）。"
    "它描述的是这次"
    "搜索、这些范围、采样器看得最细的区域，并非因果关系。只在部分试验中存在的参数未列入。",
    "importance_label": "{family} 各参数的重要性",
    "importance_few": "{families}：完整的试验少于 {enough} 次，或没有可比较的参数。",
    "budget": "预算够吗？",
    "budget_note": "如果搜索更短，可期望的最好分数："
    "对已运行的试验随机抽取（Tang 等 2020 年的无偏估计）；"
    "时间按单个工作进程、试验随机排序计算。曲线末端仍在上升，说明更多试验会有帮助。"
    "采样器会从试验中学习，"
    "因此这里只描述已找到的值，并不作预测。",
    "equal_seconds": "若按相同秒数（每个调参的模型族 {amount} 秒，即 {family} 所用），",
    "equal_trials": "若按相同试验次数（每个调参的模型族 {amount} 次，即 {family} 所有），",
    "equal_same": "所选配置不变，因此对它们的结论在两种预算下都成立。",
    "equal_others": "所选配置会不同：{others}。",
    "equal_instead": "{family} 为 {instead}，而非 {selected}",
    "equal_none": "{family} 无（届时没有已完成的试验），而非 {selected}",
    "equal_leader_same": "两种预算下，各折成绩领先的都是 {leader}。",
    "equal_leader": "各折成绩领先的会是 {leader}，而非 {before}。",
    "list_comma": "；",
    "budget_trials": "按试验次数",
    "budget_seconds": "按核·秒",
    "budget_trials_label": "各模型族按试验次数的期望最好分数",
    "budget_seconds_label": "各模型族按核·秒的期望最好分数",
    "folds": "逐折成绩",
    "folds_note": "选定的配置在每一折上的成绩。线条交叉表示名次随时期而变。",
    "folds_label": "每个选定配置在每一折上的分数",
    "sealed": "封存测试集",
    "sealed_note": "最后时期的 {learners} 名学员；在全部开发数据上以多个随机种子重新训练。"
    "差值区间在"
    " {level} 水平上对所有配对同时成立；阴影带为 ±{effect}，小到无关紧要。",
    "sealed_note:sessions": "封存的 {learners} 个会话；在其余全部会话上以多个随机种子重新训练。"
    "差值区间在"
    " {level} 水平上对所有配对同时成立；阴影带为 ±{effect}，小到无关紧要。",
    "sealed_searches": "每个数字都基于 {n} 次搜索；区间计入了搜索的运气成分。",
    "sealed_families": "每个模型族，各自的 {level} 区间",
    "sealed_pairs": "每一对，同时成立的 {level} 区间",
    "interval": "区间，{low} 至 {high}",
    "mean": "{metric}，均值 [区间]",
    "seeds": "种子数",
    "seeds_each": "每次搜索的种子数",
    "pair": "配对",
    "difference": "差值 [区间]",
    "p": "p",
    "outcome": "结果",
    "against": "{a} 对 {b}",
    "outcome_better": "{a} 更好",
    "outcome_worse": "{b} 更好",
    "outcome_equivalent": "等效",
    "outcome_no_difference_shown": "未见显著差异",
    "cold": "测试之前没有事件的课程",
    "cold_note": "对没有事件可学的新课程，每个模型族各组特征的价值。"
    "区间在 {level} 水平上对同一模型族的各组同时成立。",
    "sealed_cold": "其 {targets} 个目标中，{share} 是训练里没有的课程。",
    "sealed_cold_ranked": "其 {targets} 个目标中，{share} 是测试之前没有事件的课程："
    "课程表当时已有的课程参与排序，其余算未命中。",
    "metrics_note": "",
    "coverage": "覆盖率@{k}",
    "novelty": "新颖度@{k}，比特",
    "sequence_better": "与不看顺序的对照 {twin} 相比，顺序信息为 {family} 带来 "
    "{numbers} {metric}。",
    "sequence_worse": "顺序信息对 {family} 没有帮助：不看顺序的对照 {twin} 更好"
    "（{numbers} {metric}）。",
    "sequence_equivalent": "顺序信息为 {family} 带来 {numbers} {metric}，"
    "与不看顺序的对照 {twin} 的差异在等效界值内。",
    "sequence_no_difference_shown": "{family} 与不看顺序的对照 {twin} 之间未见显著差异："
    "{numbers} {metric}。",
    "sequence_absent": "未检验顺序信息的贡献：本研究中没有网络与其不看顺序的对照同时出现。",
    "groups": "差异来自哪里",
    "groups_note": "同样的差值，按目标的各部分来看。区间在 {level} 水平上对一对的各部分同时成立。"
    "这里用于细看；结论针对全体学员。",
    "groups_sentence": "大于 0 表示 {a} 较好。在 {n} 个部分中，{a} 在 {ahead} 个领先，"
    "{b} 在 {behind} 个领先（区间不含 0）；其余部分未显示谁领先。",
    "group": "部分",
    "group_short": "历史不超过 {high} 个事件",
    "group_middle": "历史为 {low} 至 {high} 个事件",
    "group_long": "历史超过 {low} 个事件",
    "term:new learner": "新学员",
    "term:returning learner": "回访学员",
    "term:course of the history": "历史中已有的课程",
    "term:cold course": "之前没有事件的课程",
    "term:course with events": "之前有事件的课程",
    "term:course new to the learner": "对学员是新的课程",
    "targets": "目标",
    "cost": "成本与质量",
    "cost_note": "小标记是试验（空心：提前停止），大标记是选定的配置。越靠左上越好；"
    "横轴上每向右一格，成本都是成倍增加。",
    "core_seconds_trial": "一次试验的核·秒",
    "cost_label": "每次试验的核·秒与分数",
    "data": "数据",
    "data_note": "整理为 {dataset}，指纹 {fingerprint}。",
    "data_cleaning": "读取与剔除",
    "data_periods": "时期",
    "data_folds": "各折及其规则剔除的数量",
    "rows_of": "{path} 的行数",
    "dropped": "剔除：{rule}",
    "such_as": "例如“{kind}”（{n}）",
    "duplicates": "剔除：学员、课程、时间和类型都相同",
    "kept": "保留的事件",
    "learner_table": "学员表",
    "course_table": "课程表",
    "feature_rows": "{rows} 行；{without} 行没有事件，日志中有 {unknown} 个没有对应的行",
    "period": "时期",
    "from": "起",
    "to": "止",
    "events": "事件",
    "learners": "学员",
    "learners:sessions": "会话",
    "courses": "课程",
    "development": "开发期",
    "sealed_test": "封存测试",
    "term:no user id": "没有学员编号",
    "term:no item id": "没有课程编号",
    "term:no time": "没有时间",
    "term:event type not in the mapping": "事件类型不在映射中",
    "term:time outside the limits": "时间超出界限",
    "term:training events": "训练事件",
    "term:training learners": "训练学员",
    "term:courses": "课程",
    "term:targets": "目标",
    "term:target learners": "有目标的学员",
    "term:same course at the same time": "– 同一时间的同一课程",
    "term:course unknown to training": "目标中：训练里没有的课程",
    "reproduce": "如何复现",
    "reproduce_note": "按记录重建每个选定的配置，并与其记录核对。",
    "commands": "命令",
    "experiment_record": "重做整个研究用“make sweep”加上实际运行的实验：其所有取值，"
    "包括在命令行上设定的，都在 study.json 中；每次试验在 trials.parquet 和 curves.parquet 中。",
    "code": "代码",
    "changes": "含未提交的改动，摘要 {digest}",
    "unknown": "未知",
    "python": "Python",
    "machine": "机器",
    "cores": "{cpu}，{cores} 核",
    "packages": "软件包",
    "seed": "种子",
    "protocol": "评测规程",
    "protocol_folds_time": "尊重时间：开发期内有 {folds} 个滚动起点的折，"
    "每折的验证窗口占全部事件的 {validation}；"
    "最后 {test} 的事件是封存测试集，搜索无法触及。",
    "protocol_history": "学员的历史包含严格早于目标时刻的全部事件，切分点之后的也在内；"
    "权重在切分点冻结。",
    "protocol_budget": "预算相同：每个调参的模型族 {trials} 次试验，每次 {epochs} 轮，"
    "折与种子相同；"
    "每个模型族的第一次试验都是公开发表的默认配置。",
    "protocol_budget_seconds": "预算相同：每个调参的模型族不断进行每次 {epochs} 轮的试验，"
    "直到用满 {seconds} 秒的训练与评估时间；"
    "届时已开始的试验会做完（实际用了 {least} 至 {most} 秒）。"
    "折与种子相同；每个模型族的第一次试验都是公开发表的默认配置。",
    "protocol_stopping_halving": "提前停止：在模型族内部，按交叉验证均值做异步逐次减半，"
    "从第 {grace} 轮开始；"
    "每 {reduction} 次试验留 1 次；每个模型族的前 {full} 次试验从不停止。",
    "protocol_stopping_lag": "提前停止：在模型族内部，按交叉验证均值，从第 {grace} 轮开始；"
    "试验落后于本族同一轮最好成绩超过 {lag} 时停止（每轮一项，最后一项用于其后各轮）；"
    "每个模型族的前 {full} 次试验从不停止。",
    "protocol_selection": "选择：{rule}，在任何试验运行之前就写在实验文件里。",
    "rule_best_mean": "各折均值最好",
    "rule_one_standard_error": "与最好者相差不超过一个配对标准误的试验中训练轮数最少的",
    "protocol_arms": "{family} 的特征：{features}。",
    "no_features": "只有编号",
    "protocol_features": "{families} 不使用学员和课程的特征：这些模型族没有放置特征的地方。",
    "best_possible": "合成数据：模拟器自己的概率得到 {value} {metric}，不应指望任何模型更好。",
    "protocol_folds_stratified": "未考虑时间：该表没有可用的时钟。"
    "{folds} 折和封存测试集（占全部行的 {test}）"
    "随机抽取，各部分购买比例相同；完全重复的行事先已去除。重抽样的单位是会话。",
    "cost_note_lower": "小标记是试验（空心：提前停止），大标记是选定的配置。越靠左下越好；"
    "横轴上每向右一格，成本都是成倍增加。",
    "groups_sentence_lower": "小于 0 表示 {a} 较好。在 {n} 个部分中，{a} 在 {ahead} 个领先，"
    "{b} 在 {behind} 个领先（区间不含 0）；其余部分未显示谁领先。",
    "leaderboard_folds_time": "滚动起点的折",
    "leaderboard_folds_stratified": "随机抽取的折（未考虑时间：该表没有时钟）",
    "fact_folds_stratified": "随机抽取，不考虑时间",
}

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"en": ENGLISH | portrait_words.ENGLISH, "zh": CHINESE | portrait_words.CHINESE}
)
