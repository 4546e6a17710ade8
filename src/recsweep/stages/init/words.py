"""What exports call their columns and events, in English and Chinese.

A role's exact names are whole headers; its stems are parts of one, which count more beside `id`.
"""

import re
from dataclasses import dataclass
from typing import Literal

from recsweep.config.schema.event_table import NO_VALUE

Role = Literal["user", "item", "time", "type", "label", "dwell"]


@dataclass(frozen=True, slots=True)
class Names:
    """How a role is recognised by a header."""

    exact: tuple[str, ...]
    stems: tuple[str, ...]
    never: tuple[str, ...] = ()  # parts of a header that speak against it


NAMES: dict[Role, Names] = {
    "user": Names(
        ("uid", "userid", "user", "learner", "student", "member", "customer", "account", "visitor",
         "username", "openid", "学员", "学号", "用户", "会员", "学生", "买家"),
        ("user", "learner", "student", "member", "customer", "account", "visitor", "client",
         "buyer", "用户", "学员", "学生", "会员", "买家", "客户", "账号", "kunde", "nutzer"),
        ("agent", "级别", "等级", "level", "type", "类型"),
    ),
    "item": Names(
        ("iid", "itemid", "item", "course", "courseid", "product", "sku", "asin", "movie",
         "content",
         "cid", "课程", "商品", "课程号"),
        ("item", "course", "product", "lesson", "movie", "content", "article", "video", "book",
         "goods", "sku", "resource", "课程", "商品", "物品", "内容", "资源", "视频", "kurs",
         "artikel"),
        ("category", "price", "type", "类目", "分类", "类型", "价格", "数量", "count"),
    ),
    "time": Names(
        ("time", "timestamp", "ts", "datetime", "at", "eventtime", "date", "时间", "发生时间",
         "行为时间", "下单时间", "操作时间", "时间戳", "日期", "zeit", "datum", "zeitpunkt"),
        ("time", "date", "_at", "stamp", "时间", "日期", "zeit", "datum"),
        ("birth", "regist", "update", "end", "expire", "出生", "注册", "更新", "结束", "到期",
         "退款",
         "dwell", "duration", "时长", "停留"),
    ),
    "type": Names(
        ("type", "event", "action", "behavior", "behaviour", "eventtype", "behaviortype",
         "behaviourtype", "activity", "verb", "operation", "行为", "事件", "动作", "操作", "类型",
         "行为类型", "事件类型", "操作类型", "aktion"),
        ("event", "action", "behavio", "verb", "activity", "行为", "事件", "动作", "操作"),
        ("time", "id", "时间"),
    ),
    "label": Names(
        ("purchase", "purchased", "bought", "buy", "converted", "conversion", "revenue", "ordered",
         "label", "target", "ispurchase", "isbuy", "paid", "是否购买", "已购买", "购买", "成交",
         "是否成交", "是否下单", "是否付费", "是否转化", "转化", "gekauft"),
        (),
    ),
    "dwell": Names(
        ("dwell", "dwellseconds", "seconds", "secs", "watchseconds", "staysec", "停留秒数",
         "停留时长秒", "观看秒数", "时长秒"),
        (),
    ),
}  # fmt: skip

ID_ENDS = ("id", "编号", "号", "code", "key", "no", "nr", "uuid", "hash", "token")
LABELS = (
    "title",
    "name",
    "标题",
    "名称",
    "课程名",
    "课程名称",
    "titel",
    "coursename",
    "coursetitle",
)
TEXTS = ("description", "intro", "summary", "abstract", "描述", "简介", "介绍", "beschreibung")
COUNTS = ("rating", "score", "stars", "views", "sales", "sold", "count", "learners", "enrol",
          "students",
          "clicks", "likes", "reviews", "popularity", "评分", "销量", "人数", "浏览量", "播放",
          "好评",
          "收藏数", "收藏量", "评论数", "点击", "热度", "学习人", "购买数", "次数")  # fmt: skip
SINCE = ("validfrom", "since", "changed", "updated", "modified", "snapshot", "effective", "生效",
         "更新", "变更", "修改")  # fmt: skip
BEGAN = ("created", "listed", "published", "registered", "joined", "added", "release", "上架",
         "发布",
         "创建", "注册", "加入", "上线")  # fmt: skip
PERSONAL = (
    "phone",
    "mobile",
    "email",
    "mail",
    "address",
    "手机",
    "电话",
    "邮箱",
    "地址",
    "姓名",
    "身份证",
)

FREE = ("免费", "free", "gratis", "kostenlos", "gratuit", "无料", "0元")
CURRENCIES = ("HK$", "NT$", "US$", "¥", "￥", "$", "€", "£", "₩", "₹", "元", "人民币", "RMB", "CNY",
              "USD", "EUR", "GBP", "HKD", "人次", "人", "次", "%")  # fmt: skip
UNITS = {"万": 10_000.0, "亿": 100_000_000.0, "w": 10_000.0, "k": 1_000.0, "千": 1_000.0}
MISSING = (
    *(word for word in NO_VALUE if word not in ("", "-1", "-1.0")),
    "-",
    "--",
    "未知",
    "暂无",
    "unknown",
)
YES = (
    "1",
    "true",
    "yes",
    "y",
    "t",
    "是",
    "已购买",
    "购买",
    "bought",
    "已成交",
    "purchase",
    "ja",
    "1.0",
)

EVENTS: dict[str, tuple[str, ...]] = {
    "favourite": ("收藏", "关注", "点赞", "想学", "心愿", "favourite", "favorite", "fav", "wish",
    "like",
                  "bookmark", "collect", "star", "save", "merken"),
    "comment": ("评论", "评价", "留言", "点评", "comment", "review", "bewert"),
    "rate": ("评分", "打分", "rate", "rating", "score"),
    "purchase": ("购买", "下单", "支付", "付款", "付费", "成交", "订单", "购课", "报名", "buy",
    "bought",
                 "purchase", "order", "pay", "paid", "enroll", "enrol", "checkout", "transaction",
                 "kauf"),
    "watch": ("观看", "学习", "播放", "watch", "play", "learn", "study", "attend"),
    "browse": ("浏览", "查看", "点击", "访问", "打开", "详情", "browse", "view", "click", "visit",
    "pv",
               "open", "detail", "look", "see", "ansehen", "ansicht"),
}  # fmt: skip
"""In this order: an 评价 may be one of a 购买, a review one of a view."""

UNDONE = ("取消", "未", "退", "删除", "移除", "un", "cancel", "remove", "delete", "refund",
          "return",
          "abandon", "not", "fail", "失败")  # fmt: skip
"""What makes an event the opposite of the word in it."""


SIMPLIFIED = str.maketrans(
    "學員編號課時間類動購買評論瀏覽觀習點擊訪問開關詳標題稱價簡介評發註冊創變錄數獎單戶會員產內資視頻",
    "学员编号课时间类动购买评论浏览观习点击访问开关详标题称价简介评发注册创变录数奖单户会员产内资视频",
)
SUFFIXES = (
    "",
    "s",
    "es",
    "d",
    "ed",
    "r",
    "er",
    "ing",
    "red",
    "ment",
    "ments",
    "list",
    "listed",
    "ings",
)


def normal(header: str) -> str:
    """A header without what exports differ in: `User ID:token` is `userid`."""
    return "".join(words_of(header.partition(":")[0]))


def words_of(header: str) -> list[str]:
    """Its words in lower case: `courseTitle`, `course_title` and `Course title` are alike."""
    split = re.sub(r"([a-z])([A-Z])", r"\1_\2", header.translate(SIMPLIFIED)).lower()
    return [word for word in re.split(r"[\W_]+", split) if word]


def has(header: str, known: tuple[str, ...]) -> bool:
    """Is one of the words in it: a whole word of English, or a part of one of Chinese?"""
    plain, words = normal(header), words_of(header)
    return any(word in words or word == plain for word in known if word.isascii()) or any(
        word in plain for word in known if not word.isascii()
    )


def score(header: str, role: Role) -> int:
    """How well a header names a role: 0 not at all, 3 exactly."""
    names, plain = NAMES[role], normal(header)
    if plain in names.exact:
        return 3
    joined = "_".join(words_of(header))
    if any(word in joined for word in names.never) or not any(s in joined for s in names.stems):
        return 0
    if role in ("user", "item"):
        return 3 if plain.endswith(ID_ENDS) else 0 if has(header, LABELS) else 1
    return 2


def speaks_chinese(text: str) -> bool:
    """Is one of the Chinese words for a role or an event in it?"""
    words = [
        *(w for n in NAMES.values() for w in n.exact),
        *(w for ws in EVENTS.values() for w in ws),
    ]
    simple = text.translate(SIMPLIFIED)
    return any(not word.isascii() and word in simple for word in words)


def is_known_name(header: str) -> bool:
    """Is it one that no value looks like?"""
    plain = normal(header)
    exact = any(plain in names.exact for names in NAMES.values())
    ends = plain.endswith(("userid", "itemid", "courseid", "编号", "时间", "名称"))
    return (exact or ends) and event_type(header) is None


def event_type(value: str) -> str | None:
    """What a raw event type, or the name of a file or column means; None: nobody knows."""
    plain, words = normal(value), words_of(re.sub(r"\d+", "_", value))
    if any(word in plain for word in UNDONE if not word.isascii()):
        return None
    if any(word.startswith(undone) for word in words for undone in UNDONE if undone.isascii()):
        return None
    for kind, known in EVENTS.items():
        if any(word in plain for word in known if not word.isascii()):
            return kind
        if any(word == k + end for word in words for k in known for end in SUFFIXES):
            return kind
    return None
