from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalina.startup.java_arguments import parse_arguments


def test_the_command_line_of_catalina_sh_is_understood() -> None:
    line = """-Djava.util.logging.config.file=/c/logging.properties -Dnop -Xmx512m
        --add-opens=java.base/java.lang=ALL-UNNAMED -classpath a.jar:b.jar -Dcatalina.base=/srv=x start"""
    arguments = parse_arguments(line.split())
    assert arguments.properties == {
        "java.util.logging.config.file": "/c/logging.properties",
        "nop": "",
        "catalina.base": "/srv=x",
    }
    assert arguments.verb == "start"
    assert arguments.ignored == ["-Xmx512m", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-classpath a.jar:b.jar"]


def test_another_server_xml_may_be_named() -> None:
    assert parse_arguments(["-config", "conf/other.xml", "start"]).config_file == "conf/other.xml"
    assert parse_arguments(["start"]).config_file == "conf/server.xml"


def test_words_of_tomcats_own_that_mean_nothing_are_not_worth_a_remark() -> None:
    assert parse_arguments(["-nonaming", "-security", "start"]).ignored == []


@given(st.lists(st.text(max_size=8)))
def test_any_words_are_a_command_line(words: list[str]) -> None:
    assert parse_arguments(words).verb in [*words, ""]
