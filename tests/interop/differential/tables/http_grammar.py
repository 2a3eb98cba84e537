"""Request line, header fields and framing, byte by byte; each on a connection of its own with a request behind it."""

from __future__ import annotations

from itertools import product

from tests.interop.differential.case import Case, Table, pairwise, servlet_xml

#: Whoever takes this for a part of the first request, or the first one's body for a request, gives other answers.
SECOND = b"GET /g/second HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

METHODS = (
    "GET",
    "get",
    "POST",
    "HEAD",
    "OPTIONS",
    "FOO",
    "G-T",
    "M.SEARCH",
    "G(T",
    "G/T",
    "GÉT",
    '"GET"',
    "GE\tT",
    "X" * 30,
    "",
)
TARGETS = (
    "/g/x", "/g/x?a=b", "/g/x?", "/g/x#f", "/g/x?a=b#f", "g/x", "*", "", "http://localhost/g/x", "http://localhost",
    "http://LOCALHOST/g/x?q", "https://localhost/g/x", "http://other/g/x", "http:///g/x", "http://", "http:/g/x",
    "HTTP://localhost/g/x",
    "http://user@localhost/g/x", "http://localhost:80/g/x", "http://localhost:x/g/x", "localhost:80", "//g/x",
    "/g/x y", "/g/\tx",
    "/g/x\"", "/g/x<", "/g/x>", "/g/x[", "/g/x]", "/g/x{", "/g/x|", "/g/x}", "/g/x^", "/g/x`", "/g/x\\y", "/g/x'y",
    "/g/é", "/g/%C3%A9",
    "/g/%", "/g/%1", "/g/%zz", "/g/%00", "/g/%2f", "/g/%5c", "/g/%25", "/g/%2e%2e/g/x", "/g/../g/x", "/../g/x",
    "/g/./x", "/g//x", "/g/x;a=b", "/g;a/x",
    "/g/x?a=[b]", "/g/x?a={b}", "/g/x?a=|", "/g/x?a=\"", "/g/x?a=<", "/g/x?a=^", "/g/x?a=`", "/g/x?a=\\", "/g/x?a=é",
    "/g/x?a=%", "/g/x?a=%zz", "/g/x\x01", "/g/x\x7f", "/g/x?\x01",
)  # fmt: skip
VERSIONS = (
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/0.9",
    "HTTP/1.2",
    "HTTP/2.0",
    "HTTP/3.0",
    "HTTP/1",
    "HTTP/1.",
    "HTTP/11",
    "http/1.1",
    "HTTP 1.1",
    "HTTP/1.1x",
    "HTTP/1.10",
    "FOO/1.1",
    "HTTP/ 1.1",
    "",
)
NAMES = (
    "X-A",
    "x-a",
    "X_A",
    "X.A",
    "X A",
    "X-A ",
    " X-A",
    "X-\tA",
    "X(A",
    "X-É",
    "X\x00A",
    "X\x7fA",
    "",
    "X:A",
    '"X"',
    "X/A",
    "X@A",
    "X{A}",
    "X!#$%&'*+-.^_`|~A",
)
VALUES = (
    "v",
    "",
    " v ",
    "\tv\t",
    "a\tb",
    "a\x00b",
    "a\x01b",
    "a\x1fb",
    "a\x7fb",
    "é",
    "\xff",
    "a\rb",
    "a\nb",
    "a\n b",
    "a\r\n b",
    "a\r\n\tb",
    "a\r\n\r\n b",
    '"q\\"',
    ",",
    "v" * 500,
)
HOSTS = (
    "Host: localhost", "Host: LOCALHOST", "Host:localhost", "Host: localhost:80", "Host: localhost:",
    "Host: localhost:x", "Host: localhost:99999", "Host: localhost:-1",
    "Host: localhost.", "Host: .localhost", "Host: loc_al", "Host: a..b", "Host: -a", "Host: a-", "Host: a b",
    "Host: a/b", "Host: a@b", "Host: a,b", "Host: é", "Host:", "Host: ",
    "Host: 127.0.0.1", "Host: 127.0.0.1:8080", "Host: 256.1.1.1", "Host: 1.2.3", "Host: 127.0.0.1.", "Host: [::1]",
    "Host: [::1]:80", "Host: [::1", "Host: ::1", "Host: [::g]", "Host: [1::2::3]",
    "Host: [::ffff:127.0.0.1]", "Host: [::1]x", "Host: [v1.x]", "Host: localhost\r\nHost: localhost",
    "Host: localhost\r\nHost: other", "", "X: y", "Host : localhost", "Host: %6c", "Host: a%b", "Host: *",
    "Host: a;b", "Host: a_b.c-d", "Host: 1a.b",
)  # fmt: skip
LENGTHS = (
    None,
    "0",
    "5",
    "05",
    "+5",
    "-5",
    "5 ",
    " 5",
    "5,5",
    "5, 5",
    "5,6",
    "0x5",
    "5.0",
    "",
    "x",
    "5\x07",
    "99999999999999999999",
    "4",
    "6",
    "five",
    "\u0665".encode().decode("latin-1"),
)
CODINGS = (
    None,
    "chunked",
    "Chunked",
    " chunked ",
    "chunked,chunked",
    "identity",
    "identity, chunked",
    "gzip",
    "gzip, chunked",
    "chunked, gzip",
    "xchunked",
    "chunked;q=1",
    "",
    "chunked,",
    ",chunked",
    '"chunked"',
    "chunked\x0b",
)
CHUNKS = (
    b"5\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n", b"05\r\nhello\r\n0\r\n\r\n",
    b"5;a\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\n\r\n",
    b"5;a=\"b\"\r\nhello\r\n0\r\n\r\n", b"5;a=b=c\r\nhello\r\n0\r\n\r\n", b"5;=\r\nhello\r\n0\r\n\r\n",
    b"5;a=\"b\r\nhello\r\n0\r\n\r\n", b"5;\r\nhello\r\n0\r\n\r\n", b"5 ; a = b\r\nhello\r\n0\r\n\r\n",
    b"5;a=b;c=d\r\nhello\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
    b"g\r\nhello\r\n0\r\n\r\n", b"\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n", b"5\r\nhellox\r\n0\r\n\r\n",
    b"4\r\nhello\r\n0\r\n\r\n", b"6\r\nhello\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\nhello", b"80000000\r\nhello",
    b"0\r\n\r\n", b"00000\r\n\r\n", b"0\r\nX-T: v\r\n\r\n", b"0\r\nX T: v\r\n\r\n", b"0\r\nX-T\r\n\r\n",
    b"0\r\nX-T: v\r\n w\r\n\r\n",
    b"0\r\n\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n", b"0\r\nHost: x\r\n\r\n", b"1\r\nh\r\n4\r\nello\r\n0\r\n\r\n",
    b"A\r\nhellohello\r\n0\r\n\r\n", b"a\r\nhellohello\r\n0\r\n\r\n", b"5\r\nhello\r\n0;a=b\r\n\r\n",
    b"5\r\rhello\r\n0\r\n\r\n", b"5\r\nhello\r\r0\r\n\r\n",
)  # fmt: skip
BEFORE = (b"", b"\r\n", b"\n", b"\r\n\r\n", b" ", b"\r", b"\t", b"\x00", b"\r\n \r\n", b"x\r\n")
CONNECTIONS = (
    "close",
    "keep-alive",
    "Close",
    "KEEP-ALIVE",
    "keep-alive, close",
    "close, keep-alive",
    "X",
    "",
    "upgrade",
    "close\r\nConnection: keep-alive",
    "x, close",
)
EXPECTS = ("100-continue", "100-Continue", " 100-continue ", "200-ok", "", "100-continue, x")


def _raw(data: bytes | str, port: str = "quick") -> Case:
    if isinstance(data, str):
        data = data.encode("latin-1")
    return Case(data + SECOND, port, alone=True)


def _lines() -> list[Case]:
    rows = [(method, "/g/x", " ", "HTTP/1.1") for method in METHODS]
    rows += [("GET", target, " ", "HTTP/1.1") for target in TARGETS]
    rows += [("GET", "/g/x", " ", version) for version in VERSIONS]
    rows += [("GET", "/g/x", space, "HTTP/1.1") for space in ("  ", "\t", " \t", "\x0b", "\x0c", "\x00", "")]
    rows += pairwise(METHODS[:8], TARGETS[:24], (" ",), VERSIONS[:6])
    cases = [
        _raw(f"{method}{space}{target}{space}{version}\r\nHost: localhost\r\n\r\n", port)
        for port in ("quick", "lax")
        for method, target, space, version in rows
    ]
    cases += [
        _raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n", port)
        for port in ("pass", "strict")
        for target in TARGETS
    ]
    cases += [
        _raw(f"GET /g/x HTTP/1.1{end}Host: localhost{end}{end}")
        for end in ("\r\n", "\n", "\r", "\r\r\n", "\n\r", " \r\n")
    ]
    cases += [_raw(before + b"GET /g/x HTTP/1.1\r\nHost: localhost\r\n\r\n") for before in BEFORE]
    return cases


def _fields() -> list[Case]:
    cases = [
        _raw(f"GET /g/headers HTTP/1.1\r\nHost: localhost\r\n{name}{colon}{value}\r\n\r\n", port)
        for port in ("quick", "lax")
        for name, colon, value in (
            *product(NAMES, (": ",), ("v",)),
            *product(("X-A",), (": ",), VALUES),
            *product(("X-A",), (":", " :", ":  ", "\t:", "", " "), ("v",)),
            *pairwise(NAMES[:8], (": ", ":"), VALUES),
        )
    ]
    cases += [
        _raw(f"GET /g/x HTTP/1.1\r\n{host}\r\n\r\n".replace("\r\n\r\n\r\n", "\r\n\r\n"), port)
        for port in ("quick", "lax")
        for host in HOSTS
    ]
    cases += [
        _raw(f"GET http://{host[6:]}/g/x HTTP/1.1\r\n{host}\r\n\r\n")
        for host in HOSTS
        if host.startswith("Host: ") and "\r" not in host
    ]
    cases += [
        _raw(f"GET /g/x {version}\r\nHost: localhost\r\nConnection: {value}\r\n\r\n")
        for version in ("HTTP/1.1", "HTTP/1.0")
        for value in CONNECTIONS
    ]
    cases += [_raw(f"GET /g/x HTTP/1.0\r\n{host}\r\n\r\n".replace("\r\n\r\n\r\n", "\r\n\r\n")) for host in HOSTS]
    return cases


def _framing() -> list[Case]:
    cases = []
    for port, method, length, coding in (
        *product(("quick", "lax"), ("POST", "GET"), LENGTHS, (None,)),
        *product(("quick", "lax"), ("POST",), (None, "5"), CODINGS),
        *product(("quick",), ("GET", "HEAD", "DELETE", "FOO"), ("5",), (None, "chunked")),
    ):
        fields = "" if length is None else f"Content-Length: {length}\r\n"
        fields += "" if coding is None else f"Transfer-Encoding: {coding}\r\n"
        body = b"5\r\nhello\r\n0\r\n\r\n" if coding is not None else b"hello"
        cases.append(
            _raw(f"{method} /g/body HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode("latin-1") + body, port)
        )
    for first, second in product(("5", "6", "x"), repeat=2):
        fields = f"Content-Length: {first}\r\nContent-Length: {second}\r\n"
        cases.append(_raw(f"POST /g/body HTTP/1.1\r\nHost: localhost\r\n{fields}\r\nhello"))
    for first, second in product(("chunked", "identity", "gzip"), repeat=2):
        fields = f"Transfer-Encoding: {first}\r\nTransfer-Encoding: {second}\r\n"
        cases.append(_raw(f"POST /g/body HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n5\r\nhello\r\n0\r\n\r\n"))
    for version, coding in product(("HTTP/1.0", "HTTP/1.1"), ("chunked", "identity")):
        cases.append(
            _raw(
                f"POST /g/body {version}\r\nHost: localhost\r\nTransfer-Encoding: "
                f"{coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            )
        )
    head = b"POST /g/%s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    cases += [_raw(head % path + chunks) for path in (b"body", b"x") for chunks in CHUNKS]
    cases += [
        _raw(f"POST /g/body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: {value}\r\n\r\nhello")
        for value in EXPECTS
    ]
    return cases


APP = servlet_xml("{snoop}", "/*", name="any") + servlet_xml("{snoop}", "/body") + servlet_xml("{snoop}", "/headers")
TABLES = [
    Table("request lines", _lines(), {"g": {"WEB-INF/web.xml": APP}}),
    Table("header fields", _fields()),
    Table("framing", _framing()),
]
