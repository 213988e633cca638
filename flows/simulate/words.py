"""Invented names of people and firms, in Chinese, drawn from common characters."""

import numpy as np
import polars as pl

from flows.simulate.arrays import Ints, Rng, chance

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红建国志文辉力宁鹏飞宇浩凯健俊帆雪琳洁莹倩婷雅"
    "欣怡思佳梦晨曦瑞博文彬斌海波峰岩松柏林森亮光天云龙川江河山立成功德庆祥福永兴旺春夏秋冬梅兰竹菊青蓝紫"
)
PLACES = ("北京", "北京市", "中关村", "京华", "燕京", "首都", "京北", "京南")
STEMS = (
    "华安信达恒通博远创新智联云海天地众合中科数聚诚德"
    "瑞鑫泰康宏图启明星辰卓越金桥同方未来东方长城腾飞"
)
TRADES = (
    *("科技", "信息技术", "软件", "网络科技", "生物医药", "文化传媒", "教育咨询", "建筑工程"),
    *(
        "物业管理",
        "商贸",
        "机电设备",
        "医疗器械",
        "会计师事务所",
        "律师事务所",
        "汽车服务",
        "餐饮管理",
    ),
    *("环保工程", "设计院", "物流", "人力资源"),
)
FORMS = ("有限公司", "有限责任公司", "股份有限公司", "集团有限公司", "（北京）有限公司")


def letters(text: str, positions: Ints) -> pl.Series:
    """The characters at the positions."""
    return pl.Series(list(text)).gather(positions)


def person_names(rng: Rng, size: int) -> pl.Series:
    """A surname and one or two characters."""
    surname = letters(SURNAMES, (len(SURNAMES) * rng.random(size) ** 1.6).astype(np.int64))
    first = letters(GIVEN, rng.integers(0, len(GIVEN), size))
    second = letters(GIVEN, rng.integers(0, len(GIVEN), size))
    short = pl.Series(chance(rng, size, 0.2))
    made = pl.DataFrame({"a": surname, "b": first, "c": second, "short": short})
    given = pl.when("short").then(pl.lit("")).otherwise("c")
    return made.select(name=pl.concat_str("a", "b", given))["name"]


def employer_names(rng: Rng, size: int) -> pl.Series:
    """A place, two or three characters, a trade and a legal form."""
    columns = {
        "place": pl.Series(PLACES).gather((len(PLACES) * rng.random(size) ** 2.5).astype(np.int64)),
        "a": letters(STEMS, rng.integers(0, len(STEMS), size)),
        "b": letters(STEMS, rng.integers(0, len(STEMS), size)),
        "trade": pl.Series(TRADES).gather(rng.integers(0, len(TRADES), size)),
        "form": pl.Series(FORMS).gather((len(FORMS) * rng.random(size) ** 3).astype(np.int64)),
    }
    return pl.DataFrame(columns).select(name=pl.concat_str(pl.all()))["name"]
