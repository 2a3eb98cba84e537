"""Reading a descriptor; every complaint says where."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.descriptor.elements import MultipartConfig, SecurityCollection
from catalina.descriptor.web_xml import WebXml
from catalina.descriptor.web_xml_reader import METHODS, decode_pattern, is_valid_pattern, read_web_xml
from catalina.descriptor.web_xml_writer import to_xml
from catalina.errors import ConfigurationError
from tests.support.corpus import OTHERS, files
from tests.support.needs import other_peoples


def read(tmp_path: Path, inner: str, **options: Any) -> WebXml:
    file = tmp_path / "web.xml"
    file.write_text(f'<web-app version="6.0">\n{inner}\n</web-app>', "utf-8")
    return read_web_xml(file, substitute=lambda text: text.replace("${shop}", "open"), **options)


def test_servlets_with_all_their_parts(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """<servlet><servlet-name>cart</servlet-name><servlet-class> shop.cart:application </servlet-class>
        <init-param><param-name>a</param-name><param-value>${shop}</param-value></init-param>
        <load-on-startup>2</load-on-startup><enabled>false</enabled>
        <run-as><role-name>clerk</role-name></run-as>
        <security-role-ref><role-name>boss</role-name><role-link>admin</role-link></security-role-ref>
        <multipart-config><max-file-size>10</max-file-size><file-size-threshold>5</file-size-threshold></multipart-config>
        </servlet>
        <servlet-mapping><servlet-name>cart</servlet-name><url-pattern>/cart/*</url-pattern>
        <url-pattern>*.cart</url-pattern></servlet-mapping>""",
    )
    cart = found.servlets["cart"]
    assert (cart.servlet_class, cart.init_parameters) == ("shop.cart:application", {"a": "open"})
    assert (cart.load_on_startup, cart.enabled, cart.run_as) == (2, False, "clerk")
    assert cart.role_links == {"boss": "admin"}
    assert cart.multipart == MultipartConfig("", 10, -1, 5)
    assert found.servlet_mappings == {"/cart/*": "cart", "*.cart": "cart"}
    assert str(cart.place) == "web.xml:2"


def test_filters_and_their_mappings(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """<filter><filter-name>f</filter-name><filter-class>m:factory</filter-class></filter>
        <filter-mapping><filter-name>f</filter-name><url-pattern>/*</url-pattern><servlet-name>s</servlet-name>
        <dispatcher>ERROR</dispatcher><dispatcher>request</dispatcher></filter-mapping>
        <filter-mapping><filter-name>f</filter-name><servlet-name>*</servlet-name></filter-mapping>""",
    )
    first, second = found.filter_mappings
    assert (first.url_patterns, first.servlet_names) == (["/*"], ["s"])
    assert first.dispatchers == {"ERROR", "REQUEST"}
    assert second.dispatchers == {"REQUEST"}


def test_session_config_with_its_cookie(tmp_path: Path) -> None:
    session = read(
        tmp_path,
        """<session-config><session-timeout>5</session-timeout><cookie-config><name>SID</name><domain>example.org</domain>
        <path>/x</path><http-only>false</http-only><secure>true</secure><max-age>77</max-age>
        <attribute><attribute-name>SameSite</attribute-name><attribute-value>Lax</attribute-value></attribute>
        </cookie-config><tracking-mode>COOKIE</tracking-mode></session-config>""",
    ).session
    assert (session.timeout_minutes, session.cookie_name, session.cookie_domain) == (5, "SID", "example.org")
    assert (session.cookie_path, session.http_only, session.secure, session.max_age) == ("/x", False, True, 77)
    assert session.attributes == {"SameSite": "Lax"}
    assert session.tracking_modes == {"COOKIE"}


def test_security(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """<security-constraint><web-resource-collection><url-pattern>/a/*</url-pattern><http-method>GET</http-method>
        </web-resource-collection><auth-constraint/><user-data-constraint>
        <transport-guarantee>CONFIDENTIAL</transport-guarantee></user-data-constraint></security-constraint>
        <login-config><auth-method>FORM</auth-method><realm-name>Shop</realm-name><form-login-config>
        <form-login-page>/login</form-login-page><form-error-page>/wrong</form-error-page></form-login-config></login-config>
        <security-role><role-name>admin</role-name></security-role><deny-uncovered-http-methods/>""",
    )
    (constraint,) = found.constraints
    assert constraint.collections == [SecurityCollection("", ["/a/*"], frozenset({"GET"}))]
    assert (constraint.auth_constraint, constraint.roles) == (True, ())
    assert constraint.transport_guarantee == "CONFIDENTIAL"
    assert found.login is not None
    assert (found.login.auth_method, found.login.login_page, found.login.error_page) == ("FORM", "/login", "/wrong")
    assert (found.roles, found.deny_uncovered_http_methods) == (["admin"], True)


def test_the_other_elements(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """<display-name>Shop</display-name><distributable/>
        <context-param><param-name>p</param-name><param-value>v</param-value></context-param>
        <listener><listener-class>m:L</listener-class></listener><listener><listener-class>m:L</listener-class></listener>
        <mime-mapping><extension>x</extension><mime-type>text/x</mime-type></mime-mapping>
        <welcome-file-list><welcome-file>a.html</welcome-file><welcome-file>b.html</welcome-file></welcome-file-list>
        <error-page><error-code>404</error-code><location>/404</location></error-page>
        <error-page><exception-type>m.E</exception-type><location>/e</location></error-page>
        <env-entry><env-entry-name>n</env-entry-name><env-entry-type>java.lang.Integer</env-entry-type>
        <env-entry-value>7</env-entry-value></env-entry>
        <resource-ref><res-ref-name>jdbc/x</res-ref-name><res-type>javax.sql.DataSource</res-type>
        <res-sharing-scope>Unshareable</res-sharing-scope></resource-ref>
        <resource-env-ref><resource-env-ref-name>q</resource-env-ref-name></resource-env-ref>
        <locale-encoding-mapping-list><locale-encoding-mapping><locale>ja</locale><encoding>EUC-JP</encoding>
        </locale-encoding-mapping></locale-encoding-mapping-list>
        <request-character-encoding>UTF-8</request-character-encoding>
        <response-character-encoding>UTF-16</response-character-encoding>""",
    )
    assert (found.display_name, found.distributable) == ("Shop", True)
    assert (found.context_parameters, found.listeners) == ({"p": "v"}, ["m:L"])
    assert (found.mime_mappings, found.welcome_files) == ({"x": "text/x"}, ["a.html", "b.html"])
    assert [(page.error_code, page.exception_type, page.location) for page in found.error_pages] == [
        (404, None, "/404"),
        (None, "m.E", "/e"),
    ]
    assert (found.env_entries["n"].type, found.env_entries["n"].value) == ("java.lang.Integer", "7")
    assert (found.resource_refs["jdbc/x"].shareable, "q" in found.resource_refs) == (False, True)
    assert found.locale_encodings == {"ja": "EUC-JP"}
    assert (found.request_character_encoding, found.response_character_encoding) == ("UTF-8", "UTF-16")
    assert found.warnings == []


@pytest.mark.parametrize(
    ("inner", "complaint"),
    [
        ("<servlet><servlet-class>x</servlet-class></servlet>", "web.xml:2: <servlet> needs a <servlet-name>"),
        (
            "<servlet-mapping><servlet-name>s</servlet-name>\n<url-pattern>x</url-pattern></servlet-mapping>",
            "web.xml:3: Invalid <url-pattern> [x] in <servlet-mapping>",
        ),
        (
            "<servlet-mapping><servlet-name>a</servlet-name><url-pattern>/x</url-pattern></servlet-mapping>\n"
            "<servlet-mapping><servlet-name>b</servlet-name><url-pattern>/x</url-pattern></servlet-mapping>",
            "web.xml:3: The servlets named [a] and [b] are both mapped to the url-pattern [/x]",
        ),
        (
            "<session-config><session-timeout>soon</session-timeout></session-config>",
            "web.xml:2: <session-timeout> expects a whole number, found 'soon'",
        ),
        (
            "<session-config><tracking-mode>FAX</tracking-mode></session-config>",
            "web.xml:2: <tracking-mode> expects one of COOKIE, URL, SSL, found 'FAX'",
        ),
        ("<error-page><location>x</location></error-page>", "web.xml:2: Error page location [x] must start with a '/'"),
        (
            "<filter><filter-name>f</filter-name></filter>\n<filter><filter-name>f</filter-name></filter>",
            "web.xml:3: Dup",
        ),
        ("<filter-mapping><filter-name>f</filter-name></filter-mapping>", "web.xml:2: Filter mapping must specify"),
        ("<security-constraint/>", "web.xml:2: <security-constraint> needs a <web-resource-collection>"),
        (
            "<filter-mapping><filter-name>f</filter-name><url-pattern>/%FF</url-pattern></filter-mapping>",
            "web.xml:2: <url-pattern> '/%FF' is not percent-encoded UTF-8",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, inner: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, inner)
    assert str(caught.value).startswith(complaint)


def test_an_unknown_element_is_a_warning_with_the_nearest_name(tmp_path: Path) -> None:
    assert read(tmp_path, "<sevlet/>").warnings == [
        "web.xml:2 <sevlet>: unknown element of <web-app>; did you mean servlet?; left out"
    ]


def test_elements_that_only_java_has_are_left_out_silently(tmp_path: Path) -> None:
    assert read(tmp_path, "<jsp-config/><ejb-ref/><description>x</description><post-construct/>").warnings == []


def test_patterns_may_be_declared_as_decoded(tmp_path: Path) -> None:
    inner = "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/a%20b</url-pattern></servlet-mapping>"
    assert list(read(tmp_path, inner).servlet_mappings) == ["/a b"]
    assert list(read(tmp_path, inner, decoded_patterns=True).servlet_mappings) == ["/a%20b"]


def test_another_root_element_is_refused(tmp_path: Path) -> None:
    (tmp_path / "web.xml").write_text("<Context/>")
    with pytest.raises(ConfigurationError, match="expected <web-app>, found <Context>"):
        read_web_xml(tmp_path / "web.xml")


@pytest.mark.parametrize("text", ["<web-app>", "", "<web-app></web>", "\0"])
def test_a_file_that_is_not_well_formed_gives_the_position(tmp_path: Path, text: str) -> None:
    (tmp_path / "web.xml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"web\.xml:\d+: "):
        read_web_xml(tmp_path / "web.xml")


def test_entities_do_not_multiply(tmp_path: Path) -> None:
    entities = "".join(
        f'<!ENTITY e{n} "{"&e" + str(n - 1) + ";" if n else "x"}{"&e" + str(n - 1) + ";" if n else ""}">'
        for n in range(30)
    )
    (tmp_path / "web.xml").write_text(
        f"<!DOCTYPE web-app [{entities}]><web-app><display-name>&e29;</display-name></web-app>"
    )
    with pytest.raises(ConfigurationError):
        read_web_xml(tmp_path / "web.xml")


@pytest.mark.parametrize("path", files("web"), ids=lambda path: path.stem)
def test_descriptors_of_all_ages_are_read_without_a_warning(path: Path) -> None:
    assert read_web_xml(path).warnings == []


def test_real_descriptors_of_other_people_are_read() -> None:
    for file in sorted(other_peoples(OTHERS / "web-xml").glob("*.xml")):
        assert read_web_xml(file).warnings == [], file.name


def test_entities_of_other_files_can_be_refused(tmp_path: Path) -> None:
    (tmp_path / "part.xml").write_text("<display-name>part</display-name>")
    (tmp_path / "web.xml").write_text(
        '<!DOCTYPE web-app [<!ENTITY part SYSTEM "part.xml">]>\n<web-app>&part;</web-app>'
    )
    assert read_web_xml(tmp_path / "web.xml").display_name == "part"
    with pytest.raises(ConfigurationError, match=r"web\.xml:2: entity &part; comes from another file"):
        read_web_xml(tmp_path / "web.xml", block_external=True)


TAGS = st.sampled_from(
    [*METHODS, "servlet-name", "url-pattern", "filter-name", "param-name", "nonsense", "cookie-config"]
)
TREE: st.SearchStrategy[str] = st.recursive(
    st.tuples(TAGS, st.sampled_from(["", "x", "/x", "*.y", "5", "&amp;", "${a}"])).map(
        lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"
    ),
    lambda inner: st.tuples(TAGS, st.lists(inner, max_size=4)).map(
        lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0]}>"
    ),
    max_leaves=12,
)


@given(st.lists(TREE, max_size=5))
def test_any_tree_gives_a_descriptor_or_an_error_with_its_place(elements: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "web.xml")
        file.write_text(f"<web-app>{''.join(elements)}</web-app>")
        try:
            found = read_web_xml(file)
        except ConfigurationError as exc:
            complaint = str(exc)
        else:
            complaint = "web.xml:1: none"
            file.write_text(to_xml(found))
        assert complaint.startswith("web.xml:1: ")
        if complaint.endswith("none"):
            read_web_xml(file)  # the written file can be read again


def test_cookie_attributes_by_name_are_those_of_the_cookie(tmp_path: Path) -> None:
    def attribute(name: str, value: str) -> str:
        return (
            f"<attribute><attribute-name>{name}</attribute-name><attribute-value>{value}</attribute-value></attribute>"
        )

    pairs = {"max-AGE": "60", "Secure": "true", "httpOnly": "false", "Domain": "d.example", "PATH": "/p",
             "Comment": "c", "SameSite": "Lax", "samesite": "None", "Priority": "High"}  # fmt: skip
    inner = "".join(attribute(*pair) for pair in pairs.items())
    session = read(tmp_path, f"<session-config><cookie-config>{inner}</cookie-config></session-config>").session
    assert (session.max_age, session.secure, session.http_only) == (60, True, False)
    assert (session.cookie_domain, session.cookie_path, session.comment) == ("d.example", "/p", "c")
    assert session.attributes == {"SameSite": "None", "Priority": "High"}
    with pytest.raises(ConfigurationError, match=r"web.xml:2.*Max-Age expects a whole number"):
        read(tmp_path, f"<session-config><cookie-config>{attribute('Max-Age', 'x')}</cookie-config></session-config>")


@pytest.mark.parametrize(
    "tag", ["session-config", "login-config", "name", "ordering", "absolute-ordering", "jsp-config"]
)
def test_some_elements_are_there_once(tmp_path: Path, tag: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"web.xml:3.*<{tag}> element is limited to 1 occurrence"):
        read(tmp_path, f"<{tag}/>\n<{tag}/>")


def test_pages_of_a_login_begin_with_a_slash_and_are_decoded(tmp_path: Path) -> None:
    def login(page: str, error: str) -> str:
        return (
            "<login-config><auth-method>FORM</auth-method><form-login-config>"
            f"<form-login-page>{page}</form-login-page><form-error-page>{error}</form-error-page>"
            "</form-login-config></login-config>"
        )

    found = read(tmp_path, login("/log%20in", "/e%C3%BC")).login
    assert found is not None
    assert (found.login_page, found.error_page) == ("/log in", "/e\u00fc")
    with pytest.raises(ConfigurationError, match=r"Form login page \[login\] must start with a '/'"):
        read(tmp_path, login("login", "/error"))
    with pytest.raises(ConfigurationError, match=r"Form error page \[error\] must start with a '/'"):
        read(tmp_path, login("/login", "error"))


def test_locations_of_error_pages_are_decoded(tmp_path: Path) -> None:
    (page,) = read(tmp_path, "<error-page><location>/not%20there</location></error-page>").error_pages
    assert page.location == "/not there"


@pytest.mark.parametrize("pattern", ["", "/", "/*", "/x", "/x/", "/x/*", "/x/y.z", "*.x", "*.tar.gz", "/x*"])
def test_patterns_of_the_specification_are_valid(pattern: str) -> None:
    assert is_valid_pattern(pattern)


@pytest.mark.parametrize("pattern", ["x", "*", "*x", "x/*", "*.", "*.x/y", "/x/*.y", "/a\nb", "/a\rb"])
def test_others_are_not(pattern: str) -> None:
    assert not is_valid_pattern(pattern)


def test_patterns_are_percent_encoded() -> None:
    assert decode_pattern("/a%20b") == "/a b"
    assert decode_pattern("/%C3%BC") == "/ü"
    with pytest.raises(UnicodeDecodeError):
        decode_pattern("/%FF")
