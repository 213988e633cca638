"""The languages an explanation comes in."""

from enum import StrEnum


class Language(StrEnum):
    """English, and the Chinese of those it is about."""

    en = "en"
    zh = "zh"
