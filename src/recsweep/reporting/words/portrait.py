"""The words of learner portraits, in English and in Chinese, under the same keys."""

ENGLISH = {
    "portraits": "Learner portraits",
    "portraits_note": "What a refitted model makes of each learner: its state after the learner’s "
    "whole history in the development period; the sealed test has no say in it. Learners are "
    "grouped by the direction of these states (k-means) and described by every column that the "
    "tables declare, whether the model reads it or not. Descriptions are no tests: of many columns "
    "some differ by chance.",
    "portrait_chosen": "{learners} learners in {groups} groups: of {low} to {high}, the number "
    "with the largest silhouette.",
    "portrait_asked": "{learners} learners in {groups} groups, as was asked for.",
    "portrait_single": "{learners} learners, and too few that differ: there are no groups to tell "
    "apart.",
    "structure_none": "There are no clear groups: the mean silhouette is {silhouette} "
    "({bound} or less: no substantial structure). Read these as parts of a continuum.",
    "structure_weak": "The groups are weak: with a mean silhouette of {silhouette}, their borders "
    "are blurred.",
    "structure_reasonable": "The groups are reasonably clear: the mean silhouette is {silhouette}.",
    "structure_strong": "The groups are clear: the mean silhouette is {silhouette}.",
    "structure_unknown": "How clear the groups are can’t be told.",
    "portrait_stability": "Halves of the learners, grouped apart, agree by an adjusted Rand index "
    "of {stability} (1: the same groups, 0: chance).",
    "portrait_map": "First two principal components, {shown} of {all} learners drawn",
    "portrait_component": "component {n}, {share} of the variance",
    "portrait_map_label": "Learners of {family} on two principal components, in {groups} groups",
    "portrait_group": "Group",
    "portrait_courses": "Courses",
    "portrait_values": "Categories and tags",
    "portrait_levels": "Numbers",
    "portrait_lift": "×{lift}",
    "portrait_lift_note": "{learners} learners, {share} against {overall}",
    "portrait_value_learners": "{column}: {value}",
    "portrait_value_courses": "courses’ {column}: {value}",
    "portrait_level_learners": "{column}",
    "portrait_level_courses": "courses’ {column}",
    "portrait_level_history": "history: {column}",
    "portrait_level": "{standardised} sd",
    "portrait_level_note": "{mean} against {overall}",
    "portrait_nothing": "nothing that stands out",
    "portrait_key": "×: how many times as frequent as among all learners, drawn towards 1 as if "
    "{prior} more learners had been as expected; nothing is told that fewer than {support} "
    "learners of a group have. sd: standard deviations from the mean of all learners; less than "
    "{small} is left out.",
    "term:events": "events",
    "term:browse": "looks",
    "term:favourite": "favourites",
    "term:comment": "comments",
    "term:rate": "ratings",
    "term:watch": "watched",
}

CHINESE = {
    "portraits": "学员画像",
    "portraits_note": "重新训练的模型对每名学员的理解：读完该学员在开发期内的全部历史之后的状态；"
    "封存测试集不参与其中。学员按这些状态的方向分组（k-means），"
    "并用各表声明的全部列来描述，无论模型是否读取这些列。"
    "描述不是检验：列很多时，总有一些差异出于偶然。",
    "portrait_chosen": "{learners} 名学员分为 {groups} 组：在 {low} 至 {high} 组之中，"
    "该组数的轮廓系数最大。",
    "portrait_asked": "{learners} 名学员按要求分为 {groups} 组。",
    "portrait_single": "{learners} 名学员，彼此不同的太少：没有可以区分的组。",
    "structure_none": "没有清晰的分组：平均轮廓系数为 {silhouette}"
    "（不超过 {bound}：没有实质性的结构）。请把这些组看作一个连续整体的各部分。",
    "structure_weak": "分组较弱：平均轮廓系数为 {silhouette}，组与组的界线模糊。",
    "structure_reasonable": "分组比较清晰：平均轮廓系数为 {silhouette}。",
    "structure_strong": "分组清晰：平均轮廓系数为 {silhouette}。",
    "structure_unknown": "分组是否清晰无从得知。",
    "portrait_stability": "把学员分成两半分别分组，两者的调整兰德指数为 {stability}"
    "（1 为完全一致，0 为随机水平）。",
    "portrait_map": "前两个主成分，画出 {all} 名学员中的 {shown} 名",
    "portrait_component": "第 {n} 主成分，占方差的 {share}",
    "portrait_map_label": "{family} 的学员在两个主成分上的位置，共 {groups} 组",
    "portrait_group": "组",
    "portrait_courses": "课程",
    "portrait_values": "类别与标签",
    "portrait_levels": "数值",
    "portrait_lift": "×{lift}",
    "portrait_lift_note": "{learners} 名学员，{share}，总体 {overall}",
    "portrait_value_learners": "{column}：{value}",
    "portrait_value_courses": "课程的 {column}：{value}",
    "portrait_level_learners": "{column}",
    "portrait_level_courses": "课程的 {column}",
    "portrait_level_history": "历史：{column}",
    "portrait_level": "{standardised} 标准差",
    "portrait_level_note": "{mean}，总体 {overall}",
    "portrait_nothing": "没有突出之处",
    "portrait_key": "×：相对于全体学员的频率倍数，并向 1 收缩，如同另有 {prior} 名学员符合预期；"
    "一组中不足 {support} 名学员具有的，不予列出。标准差：与全体学员均值的距离，"
    "小于 {small} 的略去。",
    "term:events": "事件",
    "term:browse": "浏览",
    "term:favourite": "收藏",
    "term:comment": "评论",
    "term:rate": "评分",
    "term:watch": "观看",
}
