"""The charsets that a client may name, with their names in Python.

A closed list, after the Charsets that every Java has (jdk.charsets and java.base; names and aliases by IANA). Python's
registry knows more under names that clients can invent: ``punycode`` is quadratic, ``idna`` and ``undefined`` raise
unexpected exceptions, ``unicode_escape`` and ``utf-7`` turn harmless bytes into text that a filter in front did not
see, and each unknown name is remembered for ever.
"""

from __future__ import annotations

from catalina.attributes import AttributeRefused

__all__ = ["charset", "find_charset"]

#: Python's name: Java's name and the aliases.
_TABLE = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8",
    "utf-16": "utf-16 utf16 utf_16 unicode unicodebig",
    "utf-16-be": "utf-16be utf_16be iso-10646-ucs-2 unicodebigunmarked x-utf-16be",
    "utf-16-le": "utf-16le utf_16le unicodelittleunmarked x-utf-16le",
    "utf-32": "utf-32 utf32 utf_32",
    "utf-32-be": "utf-32be utf_32be",
    "utf-32-le": "utf-32le utf_32le",
    "ascii": "us-ascii ascii iso646-us ascii7 646 cp367 ibm367 iso_646.irv:1991 ansi_x3.4-1968 ansi_x3.4-1986 us",
    "latin-1": "iso-8859-1 iso8859-1 iso8859_1 iso_8859-1 iso_8859_1 8859_1 latin1 l1 cp819 ibm819 ibm-819 819",
    "iso8859-2": "iso-8859-2 iso8859-2 iso8859_2 iso_8859-2 8859_2 latin2 l2",
    "iso8859-3": "iso-8859-3 iso8859-3 iso8859_3 iso_8859-3 8859_3 latin3 l3",
    "iso8859-4": "iso-8859-4 iso8859-4 iso8859_4 iso_8859-4 8859_4 latin4 l4",
    "iso8859-5": "iso-8859-5 iso8859-5 iso8859_5 iso_8859-5 8859_5 cyrillic",
    "iso8859-6": "iso-8859-6 iso8859-6 iso8859_6 iso_8859-6 8859_6 arabic ecma-114 asmo-708",
    "iso8859-7": "iso-8859-7 iso8859-7 iso8859_7 iso_8859-7 8859_7 greek greek8 ecma-118 elot_928",
    "iso8859-8": "iso-8859-8 iso8859-8 iso8859_8 iso_8859-8 8859_8 hebrew",
    "iso8859-9": "iso-8859-9 iso8859-9 iso8859_9 iso_8859-9 8859_9 latin5 l5",
    "iso8859-13": "iso-8859-13 iso8859-13 iso8859_13 iso_8859-13 8859_13",
    "iso8859-15": "iso-8859-15 iso8859-15 iso8859_15 iso_8859-15 8859_15 latin9 latin-9 l9 csisolatin9",
    "iso8859-16": "iso-8859-16 iso8859-16 iso8859_16 iso_8859-16 8859_16 latin10 l10",
    "koi8-r": "koi8-r koi8_r koi8 cskoi8r",
    "koi8-u": "koi8-u koi8_u",
    "tis-620": "tis-620 tis620 tis620.2533",
    **{f"cp{n}": f"windows-{n} cp{n}" for n in range(1250, 1259)},
    **{f"cp{n}": f"ibm{n} ibm-{n} cp{n} {n}" for n in (437, 737, 775, 850, 852, 855, 857, 858, 862, 866, 874)},
    **{f"cp{n}": f"ibm{n} ibm-{n} cp{n} {n}" for n in (273, 424, 500, 860, 861, 863, 864, 865, 869, 1026, 1140)},
    "cp037": "ibm037 ibm-037 ibm-37 cp037 cp37 037",
    "big5": "big5 csbig5",
    "big5hkscs": "big5-hkscs big5_hkscs big5hkscs",
    "gb2312": "gb2312 gb2312-80 gb2312-1980 euc-cn euccn euc_cn x-euc-cn",
    "gbk": "gbk cp936 windows-936 ms936",
    "gb18030": "gb18030 gb18030-2022",
    "euc-jp": "euc-jp euc_jp eucjp eucjis x-euc-jp x-eucjp",
    "iso2022-jp": "iso-2022-jp iso2022jp jis csiso2022jp",
    "iso2022-jp-2": "iso-2022-jp-2 iso2022jp2 csiso2022jp2",
    "shift-jis": "shift_jis shift-jis sjis x-sjis ms_kanji csshiftjis",
    "cp932": "windows-31j cp932 ms932 windows-932 cswindows31j",
    "euc-kr": "euc-kr euc_kr euckr ksc5601 ks_c_5601-1987 ksc_5601 5601 csksc56011987",
    "iso2022-kr": "iso-2022-kr iso2022kr csiso2022kr",
    "cp949": "x-windows-949 cp949 ms949 windows949 windows-949",
    "johab": "x-johab johab ms1361",
}  # fmt: skip

_BY_NAME = {name: codec for codec, names in _TABLE.items() for name in names.split()}


def find_charset(name: str) -> str | None:
    """Python's name of a charset, None for one that is not in the list; letters may have any case."""
    return _BY_NAME.get(name.strip().lower())


def charset(text: str) -> str:
    """The type of attributes that name a charset: what was written, checked."""
    if find_charset(text) is None:
        raise AttributeRefused("a charset such as UTF-8, ISO-8859-1 or windows-1252")
    return text.strip()
