"""A descriptor that is written and read again is the same."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from catalina.descriptor.web_xml import WebXml
from catalina.descriptor.web_xml_reader import read_web_xml
from catalina.descriptor.web_xml_writer import to_xml

EVERYTHING = """<web-app><display-name>A &amp; B</display-name><distributable/><deny-uncovered-http-methods/>
<context-param><param-name>p</param-name><param-value>&lt;v&gt;</param-value></context-param>
<filter><filter-name>f</filter-name><filter-class>m:f</filter-class><init-param><param-name>a</param-name>
<param-value>b</param-value></init-param></filter>
<filter-mapping><filter-name>f</filter-name><url-pattern>/*</url-pattern><servlet-name>s</servlet-name>
<dispatcher>ERROR</dispatcher></filter-mapping>
<listener><listener-class>m:L</listener-class></listener>
<servlet><servlet-name>s</servlet-name><servlet-class>m:s</servlet-class><load-on-startup>1</load-on-startup>
<enabled>false</enabled><run-as><role-name>r</role-name></run-as><security-role-ref><role-name>a</role-name>
<role-link>b</role-link></security-role-ref></servlet>
<servlet><servlet-name>j</servlet-name><jsp-file>/x.jsp</jsp-file></servlet>
<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/s/*</url-pattern></servlet-mapping>
<session-config><session-timeout>5</session-timeout><cookie-config><name>SID</name><http-only>false</http-only>
<attribute><attribute-name>SameSite</attribute-name><attribute-value>Lax</attribute-value></attribute></cookie-config>
<tracking-mode>COOKIE</tracking-mode></session-config>
<mime-mapping><extension>x</extension><mime-type>text/x</mime-type></mime-mapping>
<welcome-file-list><welcome-file>w.html</welcome-file></welcome-file-list>
<error-page><error-code>404</error-code><location>/404</location></error-page>
<error-page><exception-type>E</exception-type><location>/e</location></error-page><error-page><location>/any</location></error-page>
<security-constraint><display-name>d</display-name><web-resource-collection><web-resource-name>n</web-resource-name>
<url-pattern>/a/*</url-pattern><http-method>GET</http-method></web-resource-collection><auth-constraint>
<role-name>admin</role-name></auth-constraint><user-data-constraint><transport-guarantee>CONFIDENTIAL</transport-guarantee>
</user-data-constraint></security-constraint>
<login-config><auth-method>FORM</auth-method><realm-name>R</realm-name><form-login-config><form-login-page>/l</form-login-page>
<form-error-page>/w</form-error-page></form-login-config></login-config>
<security-role><role-name>admin</role-name></security-role>
<env-entry><env-entry-name>n</env-entry-name><env-entry-value>7</env-entry-value></env-entry>
<resource-ref><res-ref-name>jdbc/x</res-ref-name><res-type>T</res-type><res-sharing-scope>Unshareable</res-sharing-scope></resource-ref>
<request-character-encoding>UTF-8</request-character-encoding>
<response-character-encoding>UTF-16</response-character-encoding></web-app>
"""


def without_places(web_xml: WebXml) -> dict[str, str]:
    """Everything but the lines, which are others."""
    import re

    kept = {each.name: repr(getattr(web_xml, each.name)) for each in fields(web_xml)}
    for name in ("mapping_places", "version"):
        del kept[name]
    return {name: re.sub(r"Place\([^)]*\)", "", text) for name, text in kept.items()}


def test_everything_survives(tmp_path: Path) -> None:
    (tmp_path / "web.xml").write_text(EVERYTHING)
    first = read_web_xml(tmp_path / "web.xml")
    (tmp_path / "again.xml").write_text(to_xml(first))
    assert without_places(read_web_xml(tmp_path / "again.xml")) == without_places(first)


def test_the_defaults_of_the_server_survive(tmp_path: Path) -> None:
    first = read_web_xml(Path(__file__).parents[2] / "conf" / "web.xml")
    (tmp_path / "again.xml").write_text(to_xml(first))
    assert without_places(read_web_xml(tmp_path / "again.xml")) == without_places(first)


def test_an_empty_descriptor_is_an_empty_element(tmp_path: Path) -> None:
    (tmp_path / "web.xml").write_text(to_xml(WebXml()))
    assert without_places(read_web_xml(tmp_path / "web.xml")) == without_places(WebXml())
