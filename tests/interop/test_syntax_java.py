"""Operators' texts, as the JDK and the real Tomcat read them: regular expressions, dates, ciphers, orders of
fragments.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from catalina.descriptor.web_xml import OTHERS, WebXml
from catalina.errors import ConfigurationError
from catalina.java_pattern import compile_pattern
from catalina.simple_date_format import date_formatter, date_names
from catalina.startup.web_fragments import rounds
from catalina.tomcat.util.net.cipher_names import TLS13, java_name, openssl_ciphers
from tests.support.needs import need_command, need_java_tomcat

pytestmark = pytest.mark.interop

Ask = Callable[[Sequence[Sequence[str]]], list[str]]
REFUSED = "refused"


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Asks Java many questions in one process."""
    jars, classes = need_java_tomcat(), tmp_path_factory.mktemp("syntax")
    path = ":".join(str(jar) for jar in sorted(jars.glob("*.jar")) if "i18n" not in jar.name)
    path += ":/usr/share/tomcat10/bin/tomcat-juli.jar"
    source = Path(__file__).with_name("SyntaxDriver.java")
    subprocess.run(["javac", "-nowarn", "-cp", path, "-d", str(classes), str(source)], check=True, timeout=120)

    def ask(questions: Sequence[Sequence[str]]) -> list[str]:
        text = "".join(" ".join(quote(word, safe="") for word in words) + "\n" for words in questions)
        command = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{path}"]
        made = subprocess.run(
            [*command, "SyntaxDriver"], input=text, capture_output=True, text=True, encoding="utf-8", timeout=120
        )
        assert made.returncode == 0, made.stderr
        answers = made.stdout.split("\n")[:-1]
        assert len(answers) == len(questions), made.stderr
        return answers

    return ask


# -- regular expressions ----------------------------------------------------------------------------------------------

PATTERNS = Path(__file__).with_name("java_patterns.txt").read_text("utf-8").split("\n")[:-1]
TEXTS = [
    "", "a", "b", "c", "d", "z", "A", "B", "C", "ä", "Ä", "é", "\u044f", "\u03b1", "\u03a9", "ß", "1", "9",
    "\u0661", "_", "-", "&", "|", "~", ":", "$", "\u20ac", " ", "\t", "\n", "\r\n", "\x01", "\x1b", "\x7f",
    "\xa0", "\u2028", "\U0001f600", "a\u0301", "aa", "aaa", "ab", "abc", "aBc", "ad", "bcd", "abcd", "a.b*",
    "a.b", "aab", "aabb", "127.0.0.1", "::1", "fd12:x", "Googlebot/2.1", "Ab1", "a\n", "a b", "[]", "]a", "a{",
    "a}", "a{,3}", "{1}", "xİ", "ABC", "xyz", "]", "[", ".", "\u3000", "\x0b", "CC",
]  # fmt: skip
#: Patterns known to differ, each with its reason.
OTHER_REGEX = {
    ".": "Java's matches no NEL, LS and PS; ours does, and is quicker",
    "{1}": "refused here: there is nothing to repeat",
    "a{1}{2}": "refused here: there is nothing to repeat",
    "[a&&]": "refused here: nobody can say what it means",
    "[&&a]": "refused here",
    "[a&&&b]": "refused here",
    r"(?U)\w": "refused here: Unicode classes are a flag that nobody was seen to use",
    r"\b{g}": "refused here: grapheme boundaries",
}


def ours(pattern: str, texts: Sequence[str]) -> str:
    try:
        compiled = compile_pattern(pattern)
    except re.error:
        return REFUSED
    return "".join("01"[compiled.fullmatch(text) is not None] for text in texts)


def differences(java: Ask, patterns: Sequence[str], texts: Sequence[str]) -> list[str]:
    answers = java([["regex", pattern, *texts] for pattern in patterns])
    found = []
    for pattern, theirs in zip(patterns, answers, strict=True):
        mine = ours(pattern, texts)
        if mine != theirs:
            which = [
                texts[number]
                for number in range(len(texts))
                if mine[number : number + 1] != theirs[number : number + 1]
            ]
            refused = "java refuses" if theirs == REFUSED else "we refuse" if mine == REFUSED else repr(which)
            found.append(f"{pattern!r}: {refused}")
    return found


def test_patterns_match_what_they_match_in_java(java: Ask) -> None:
    assert differences(java, [pattern for pattern in PATTERNS if pattern not in OTHER_REGEX], TEXTS) == []


# -- dates ------------------------------------------------------------------------------------------------------------

DATE_PATTERNS = [letter * count for letter in "GyYMLwWDdFEuaHkKhmsSzZX" for count in range(1, 6)] + [
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", ".yyyy-MM-dd", "dd/MMM/yyyy:HH:mm:ss Z", "EEE, d MMM yyyy HH:mm:ss z", "'it''s' yy",
    "''", "'open", "yyyy'", "b", "yyyy-bb", "c", "e", "A", "N", "V", "n", "T", "yyyyT", "hh 'o''clock' a", "",
    "\u00fc-yy", "\u00fc",
    "usec", "MMMMM d, yyyyyy", "YYYY-'W'ww-u",
]  # fmt: skip
DATES = [
    0, 1, 999, 1_704_207_845_678, 1_735_603_200_000, 1_720_000_000_000, 1_711_846_800_000, 1_730_000_000_000,
    253_402_300_799_999 - 86_400_000, 253_370_764_800_000, -1, -86_400_001, -2_000_000_000_000, 1_073_001_600_000,
    1_293_840_000_000, 1_325_375_999_999, 1_709_210_096_007,
]  # fmt: skip
#: Not Dutch and Spanish: CLDR has changed their abbreviations since that of the JDK.
LOCALES = ["fr", "de-DE", "it", "pt-BR", "pl", "ja", "zh-CN", "ru"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo"]


def our_date(pattern: str, at: int, zone: str, locale: str = "en-US") -> str:
    made: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
    try:
        return date_formatter(pattern, made, date_names(locale))(at)
    except ValueError:
        return REFUSED


def compare_dates(java: Ask, cases: Sequence[tuple[str, int, str, str]]) -> None:
    answers = java([["date", pattern, str(at), zone, locale] for pattern, at, zone, locale in cases])
    found = [
        (case, mine, theirs) for case, theirs in zip(cases, answers, strict=True) if (mine := our_date(*case)) != theirs
    ]
    assert found == []


def test_dates_are_written_as_by_java(java: Ask) -> None:
    compare_dates(java, [(pattern, at, zone, "en-US") for pattern in DATE_PATTERNS for at in DATES for zone in ZONES])


def test_names_of_other_languages_are_those_of_java(java: Ask) -> None:
    names = ("EEEE", "EEE", "MMMM", "MMM", "LLLL", "LLL", "d MMMM yyyy", "a")
    days = [1_704_207_845_678 + 26 * 86_400_000 * number for number in range(14)]
    compare_dates(java, [(pattern, at, "UTC", locale) for pattern in names for at in days for locale in LOCALES])


# -- ciphers ----------------------------------------------------------------------------------------------------------


def test_cipher_names_are_those_of_tomcat(java: Ask) -> None:
    pairs = [pair.split("=") for pair in java([["ciphers"]])[0].split(" ")]
    here = subprocess.run(
        [need_command("openssl"), "ciphers", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        check=True,
    )
    known = set(here.stdout.strip().split(":")) - TLS13
    assert len(known) > 100
    assert [pair for pair in pairs if pair[1] in known and openssl_ciphers(pair[0]) != pair[1]] == []
    names: dict[str, set[str]] = {}
    for name, alias in pairs:
        names.setdefault(alias, set()).add(name)
    assert [alias for alias in known if java_name(alias) not in names[alias]] == []


# -- fragments --------------------------------------------------------------------------------------------------------


def random_fragments(source: random.Random) -> list[WebXml]:
    names = [f"f{number}" for number in range(source.randint(2, 7))]

    def wishes() -> list[str]:
        some = source.choices([[], [OTHERS], source.sample([*names, "nobody"], source.randint(1, 2))], [6, 1, 3])[0]
        return list(dict.fromkeys(some + ([OTHERS] if source.random() < 0.1 else [])))

    return [WebXml(name=name, before=wishes(), after=wishes()) for name in names]


def test_fragments_are_ordered_as_by_tomcat(java: Ask) -> None:
    source = random.Random(20261129)
    cases = [random_fragments(source) for _ in range(1500)]
    answers = java(
        [
            ["fragments", *(f"{each.name}<{','.join(each.before)}>{','.join(each.after)}" for each in case)]
            for case in cases
        ]
    )
    refused = 0
    for case, theirs in zip(cases, answers, strict=True):
        try:
            expected = rounds(case)
        except ConfigurationError:
            assert theirs == REFUSED, case
            refused += 1
            continue
        assert theirs != REFUSED, case
        names = iter(theirs.split(" "))
        # Java leaves the order inside a round to chance.
        assert [{next(names) for _ in each} for each in expected] == [
            {each.name for each in one} for one in expected
        ], case
    assert 100 < refused < 1400
