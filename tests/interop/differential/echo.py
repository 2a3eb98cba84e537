"""The Python twins of the Java servlets and the filter beside this file; copied into WEB-INF/classes by the test."""

import zlib

from catalina.webapp import send_error

ERROR = "jakarta.servlet.error."


def _null(value):
    return "null" if value is None else value


def _filters(environ):
    filters = environ.get("filters", [])
    return filters if isinstance(filters, str) else ",".join(filters)


class EchoServlet:
    def __init__(self, greeting=None):
        self.greeting = greeting

    def __call__(self, environ, start_response):
        if "catalina.mount" in environ:
            servlet_path, path_info = environ["catalina.mount"], environ["PATH_INFO"]
        else:
            servlet_path, path_info = environ["PATH_INFO"].encode("latin-1").decode(), None
        context = environ["catalina.context"]
        has_query = "?" in environ["REQUEST_URI"]
        lines = [
            f"servlet={environ['catalina.servlet'].name}",
            f"method={environ['REQUEST_METHOD']}",
            f"context={context.context_path}",
            f"servletPath={servlet_path}",
            f"pathInfo={_null(path_info and path_info.encode('latin-1').decode())}",
            f"query={environ['QUERY_STRING'] if has_query else 'null'}",
            f"filters={_filters(environ)}",
            f"init={_null(self.greeting)}",
            f"parameter={_null(context.init_parameters.get('shop'))}",
        ]
        start_response("200 OK", [("Content-Type", "text/plain;charset=UTF-8")])
        return [("\n".join(lines) + "\n").encode()]


def fail(environ, start_response):
    kind, _, value = environ["QUERY_STRING"].partition("=")
    match kind:
        case "error":
            return send_error(environ, start_response, int(value))
        case "message":
            return send_error(environ, start_response, 400, "a <b> & 'c'")
        case "status":
            start_response(f"{value} X", [])
            return []
        case "body":
            start_response(f"{value} X", [("Content-Type", "text/plain")])
            return [b"own body"]
        case "partial":
            send_error(environ, start_response, int(value))
            return [b"dropped"]
        case "raise":
            raise {"lookup": IndexError("no such thing"), "value": ValueError("not a number")}.get(
                value, RuntimeError("broken")
            )
        case "redirect":
            start_response("302 Found", [("Location", value)])
            return []
    raise LookupError(kind)


def error_page(environ, start_response):
    if environ["QUERY_STRING"] == "fail":
        raise RuntimeError("the page itself")
    lines = [
        f"error page {environ.get('catalina.mount', environ['PATH_INFO'])}",
        f"status={_null(environ.get(ERROR + 'status_code'))}",
        f"message={_null(environ.get(ERROR + 'message'))}",
        f"uri={_null(environ.get(ERROR + 'request_uri'))}",
        f"servlet={_null(environ.get(ERROR + 'servlet_name'))}",
        f"exception={str(ERROR + 'exception' in environ).lower()}",
        f"filters={','.join(environ.get('filters', []))}",
    ]
    start_response("200 OK", [("Content-Type", "text/plain;charset=UTF-8")])
    return [("\n".join(lines) + "\n").encode()]


def mark_filter(next_application, mark):
    def application(environ, start_response):
        environ["filters"] = [*environ.get("filters", []), mark]

        def marked(status, headers, exc_info=None):
            return start_response(status, [("X-Filter", mark), *headers], exc_info)

        return next_application(environ, marked)

    return application


def snoop(environ, start_response):
    """The request as the container has made it; ``probe`` is left by the test's valve."""
    request = environ["probe"]
    query = environ["QUERY_STRING"] if "?" in environ["REQUEST_URI"] else None
    if "catalina.mount" in environ:
        servlet, info = environ["catalina.mount"], _text(environ["PATH_INFO"])
    else:
        servlet, info = _text(environ["PATH_INFO"]), None
    has_role = getattr(request.principal, "has_role", lambda _: False)
    lines = [
        ("method", environ["REQUEST_METHOD"]),
        ("scheme", environ["wsgi.url_scheme"]),
        ("server", f"{environ['SERVER_NAME']} {environ['SERVER_PORT']}"),
        ("remote", environ["REMOTE_ADDR"]),
        ("uri", environ["REQUEST_URI"].partition("?")[0]),
        ("path", f"{servlet} {_null(info)}"),
        ("query", _null(query)),
        ("type", _null(environ.get("CONTENT_TYPE"))),
        ("auth", f"{_null(environ.get('AUTH_TYPE') or None)} {_null(environ.get('REMOTE_USER'))}"),
        ("roles", f"{str(has_role('one')).lower()} {str(has_role('two')).lower()}"),
        *_details(environ, request, servlet),
    ]
    kind = "text/plain;charset=UTF-8"
    if query is not None and query.startswith("type="):
        kind = query[5:].replace("%3B", ";").replace("%20", " ")
    start_response("200 OK", [("Content-Type", kind)])
    return ["".join(f"{name}={value}\n" for name, value in lines).encode("utf-8", "replace")]


def _text(path):
    return path.encode("latin-1").decode("utf-8", "replace")


def _details(environ, request, servlet):
    if servlet == "/body":
        body = environ["wsgi.input"].read()
        yield "body", f"{len(body)} {zlib.crc32(body):x}"
    if servlet == "/session":
        if environ["QUERY_STRING"] == "new":
            environ["catalina.session"]["made"] = True
        identifier, from_url = request.requested_session_id, request.requested_session_id_from_url
        from_cookie = identifier is not None and not from_url
        yield "session", f"{_null(identifier)} {str(from_cookie).lower()} {str(from_url).lower()}"
    if servlet == "/cookies":
        for name, values in sorted(request.cookies.items()):
            for value in values:
                yield "cookie", f"{name}={value}"
    if servlet == "/headers":
        for key in sorted(environ):
            if key.startswith("HTTP_X_"):
                yield f"header {key[5:].lower().replace('_', '-')}", environ[key]
    if servlet == "/params":
        for name, values in sorted(request.parameters.items()):
            yield f"parameter {name}", f"[{', '.join(values)}]"


def address(environ, start_response):
    """Where a dispatched request is, and where it came from."""
    if "catalina.mount" in environ:
        servlet, info = environ["catalina.mount"], _text(environ["PATH_INFO"])
    else:
        servlet, info = _text(environ["PATH_INFO"]), None
    method = environ["REQUEST_METHOD"]
    lines = [f"{method} {environ['REQUEST_URI'].partition('?')[0]} {servlet} {_null(info)}"]
    for kind in ("forward", "include"):
        for part in ("request_uri", "context_path", "servlet_path", "path_info", "query_string"):
            lines.append(f"{kind} {part}={_null(environ.get(f'jakarta.servlet.{kind}.{part}'))}")
    start_response("200 OK", [("Content-Type", "text/plain;charset=UTF-8"), ("X-Filter", "back")])
    return [("\n".join(lines) + "\n").encode("utf-8", "replace")]


def dispatch(environ, start_response):
    """Forwards to, or includes, what the query names."""
    kind, target = environ["QUERY_STRING"].split("=", 1)
    dispatcher = environ["catalina.context"].dispatcher(target)
    if dispatcher is not None and kind == "forward":
        return dispatcher.forward(environ, start_response)
    body = [b"no dispatcher"] if dispatcher is None else dispatcher.include(environ)
    start_response("200 OK", [("Content-Type", "text/plain;charset=UTF-8")])
    return body
