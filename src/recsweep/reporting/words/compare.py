"""The words of the page that holds studies against each other, in English and in Chinese."""

from collections.abc import Mapping
from types import MappingProxyType

ENGLISH = {
    "language": "en",
    "title": "{names}: comparison",
    "eyebrow": "Comparison of studies",
    "same": "The answer is the same: {said}, in {before} and in {after}.",
    "changed": "The answer changed: in {before}, {first}; in {after}, {second}.",
    "open": "No verdict on {before} and {after} yet: {missing} has not opened its sealed test.",
    "no_question": "{before} and {after} share no network and baseline to ask about.",
    "better": "{a} beats {b}",
    "worse": "{b} beats {a}",
    "equivalent": "{a} and {b} are equivalent",
    "no difference shown": "no difference is shown between {a} and {b}",
    "lead": "The lead of {a} over {b} went from {first} to {second} {metric}: {difference}, "
    "{outcome}.",
    "outcome_better": "higher",
    "outcome_worse": "lower",
    "outcome_equivalent": "the same within {effect}",
    "outcome_no difference shown": "no change shown",
    "short_better": "higher",
    "short_worse": "lower",
    "short_equivalent": "same",
    "short_no difference shown": "open",
    "basis_paired": "Both studies were scored on the same learners, so each change is taken "
    "learner by learner. Intervals hold for all rows together, at {level}.",
    "basis_unpaired": "The studies were scored on other learners, so their means are compared as "
    "independent: expect wide intervals. They hold for all rows together, at {level}.",
    "basis_estimates": "A study lacks confirmation.parquet, so the recorded means and errors are "
    "compared as independent: wider than learner by learner. Intervals hold for all rows together, "
    "at {level}.",
    "basis_paired:sessions": "Both studies were scored on the same sessions, so each change is "
    "taken session by session. Intervals hold for all rows together, at {level}.",
    "basis_unpaired:sessions": "The studies were scored on other sessions, so their means are "
    "compared as independent: expect wide intervals. They hold for all rows together, at {level}.",
    "basis_estimates:sessions": "A study lacks confirmation.parquet, so the recorded means and "
    "errors are compared as independent: wider than session by session. Intervals hold for all "
    "rows together, at {level}.",
    "basis_folds": "These are the scores that chose the configurations, on the folds. They carry "
    "no verdict; the stage “confirm” of each study does.",
    "speaks": "It speaks of the selected configurations on this data, not of why they changed: "
    "everything listed under “What differs” may have had a part.",
    "families": "Family by family",
    "family": "Family",
    "picture": "{metric} of each selected configuration in {before} and {after}",
    "interval": "Change, {low} to {high}",
    "difference": "Change",
    "p": "p",
    "outcome": "Outcome",
    "pairs": "Verdicts of each study",
    "pair": "Pair",
    "moved": "changed",
    "stayed": "the same",
    "differs": "What differs",
    "differs_note": "Everything that may have moved a number, {before} against {after}.",
    "nothing": "Nothing: the same data, experiment, spaces, code and packages.",
    "spaces_unknown": "The search spaces are not compared: a study lacks study.json.",
    "kind": "What",
    "key": "Key",
    "kind_data": "data",
    "kind_experiment": "experiment",
    "kind_space": "space",
    "kind_code": "code",
    "kind_packages": "packages",
    "kind_machine": "machine",
}
CHINESE = {
    "language": "zh",
    "title": "{names}：比较",
    "eyebrow": "研究之间的比较",
    "same": "结论没有变：在 {before} 和 {after} 中，{said}。",
    "changed": "结论变了：在 {before} 中，{first}；在 {after} 中，{second}。",
    "open": "{before} 与 {after} 还没有可比的结论：{missing} 尚未打开封存测试。",
    "no_question": "{before} 与 {after} 没有共同的网络和基线可供比较。",
    "better": "{a} 优于 {b}",
    "worse": "{b} 优于 {a}",
    "equivalent": "{a} 与 {b} 等价",
    "no difference shown": "{a} 与 {b} 之间未显示差异",
    "lead": "{a} 对 {b} 的领先从 {first} 变为 {second} {metric}：{difference}，{outcome}。",
    "outcome_better": "升高",
    "outcome_worse": "降低",
    "outcome_equivalent": "在 {effect} 之内相同",
    "outcome_no difference shown": "未显示变化",
    "short_better": "升高",
    "short_worse": "降低",
    "short_equivalent": "相同",
    "short_no difference shown": "未定",
    "basis_paired": "两项研究在相同的学员上评分，因此逐个学员比较。各区间同时成立，水平 {level}。",
    "basis_unpaired": "两项研究的学员不同，均值按独立样本比较，区间会较宽。各区间同时成立，"
    "水平 {level}。",
    "basis_estimates": "有研究缺少 confirmation.parquet，因此把记录的均值和误差按独立样本比较，"
    "区间比逐个学员比较更宽。各区间同时成立，水平 {level}。",
    "basis_paired:sessions": "两项研究在相同的会话上评分，因此逐个会话比较。各区间同时成立，"
    "水平 {level}。",
    "basis_unpaired:sessions": "两项研究的会话不同，均值按独立样本比较，区间会较宽。"
    "各区间同时成立，水平 {level}。",
    "basis_estimates:sessions": "有研究缺少 confirmation.parquet，因此把记录的均值和误差按独立样本"
    "比较，区间比逐个会话比较更宽。各区间同时成立，水平 {level}。",
    "basis_folds": "这些是各折上用于挑选配置的分数，不能得出结论；"
    "结论来自每项研究的“confirm”阶段。",
    "speaks": "结论只涉及在这份数据上选出的配置，不说明变化的原因："
    "“差别”一节列出的每一项都可能有影响。",
    "families": "逐个模型族",
    "family": "模型族",
    "picture": "各选定配置在 {before} 与 {after} 中的 {metric}",
    "interval": "变化，{low} 到 {high}",
    "difference": "变化",
    "p": "p",
    "outcome": "结果",
    "pairs": "各研究的结论",
    "pair": "配对",
    "moved": "变了",
    "stayed": "相同",
    "differs": "差别",
    "differs_note": "{before} 与 {after} 之间所有可能影响数字的差别。",
    "nothing": "没有：数据、实验、搜索空间、代码和软件包都相同。",
    "spaces_unknown": "未比较搜索空间：有研究缺少 study.json。",
    "kind": "类别",
    "key": "键",
    "kind_data": "数据",
    "kind_experiment": "实验",
    "kind_space": "搜索空间",
    "kind_code": "代码",
    "kind_packages": "软件包",
    "kind_machine": "机器",
}
COMPARE_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"en": MappingProxyType(ENGLISH), "zh": MappingProxyType(CHINESE)}
)
