"""Changes one session attribute and answers its value: the application of benchmarks/replication.py."""


def application(environ, start_response):
    session = environ["catalina.session"]
    count = session["count"] = session.get("count", 0) + 1
    body = b"%d\n" % count
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
