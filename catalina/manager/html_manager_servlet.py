"""The manager's pages, for people (Tomcat: manager/HTMLManagerServlet.java).

Requests that change something are posted, with the nonce of the CSRF filter in front (web.xml).
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from catalina.attributes import Attribute
from catalina.deploy.archive import is_archive_name, read_archive
from catalina.errors import DeploymentError
from catalina.manager.asked import Asked, Environ, Refused, StartResponse, context_name
from catalina.manager.installation import Installation
from catalina.manager.manager_servlet import ManagerServlet, name_of_file
from catalina.manager.page import Html, Links, form, html_answer, manager_pages, page, table
from catalina.manager.session_pages import session_detail, session_list, sessions_query
from catalina.manager.text_servlet import Command, Lines
from catalina.mbeans.audit import audit
from catalina.startup.application_states import ApplicationState, application_states
from catalina.util.context_name import ContextName
from catalina.util.path_names import checked_name
from catalina.webapp import send_error

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

    from catalina.core.standard_context import StandardContext
    from catalina.manager.applications import Applications

__all__ = ["HTMLManagerServlet"]

#: Bytes of a form that is no upload.
MAX_FORM = 1_000_000

#: Pages that are shown in place of the list: the title, and the command of the text interface.
REPORTS = {
    "/findleaks": ("Applications that were stopped and have left threads", "/findleaks"),
    "/sslConnectorCiphers": ("Ciphers", "/sslConnectorCiphers"),
    "/sslConnectorCerts": ("Certificates", "/sslConnectorCerts"),
    "/sslConnectorTrustedCerts": ("Trusted certificates", "/sslConnectorTrustedCerts"),
}


class HTMLManagerServlet(ManagerServlet):
    """``/html``: the list of applications, their sessions, uploads and diagnostics."""

    show_proxy_sessions = Attribute(bool, False, inert="a manager lists the sessions that this node holds")
    html_sub_title = Attribute(str, None, doc="A line below the title, such as the name of the machine.")

    door = "manager/html"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD", "POST"):
            return send_error(environ, start_response, 405, f"HTTP method {method} is not supported by this URL")
        try:
            asked = Asked(environ, self.door)
        except Refused as refused:
            return send_error(environ, start_response, 400, str(refused))
        links = Links(environ)
        with self.server.reactor.blocking():
            content = self._post(asked, links) if method == "POST" else self._get(asked, links)
        return html_answer(start_response, content)

    # -- pages -----------------------------------------------------------------------------------------------------

    def _get(self, asked: Asked, links: Links) -> bytes:
        command = asked.command
        if command in ("/html", "/", "/list"):
            return self._list(links)
        if command == "/sessions":
            return self._sessions_page(asked, links)
        if command in REPORTS:
            title, path = REPORTS[command]
            return self._report(title, path, asked, links)
        if command in POSTED:
            return self._list(links, f"FAIL - Tried to use command [{command}] via a GET request but POST is required")
        return self._list(links, f"FAIL - Unknown command [{command}]")

    def _post(self, asked: Asked, links: Links) -> bytes:
        command = asked.command
        if command != "/upload":
            asked.read_form(MAX_FORM)
        if command == "/sessions":
            return self._sessions_page(asked, links)
        if command not in POSTED:
            return self._get(asked, links)
        lines, _ = self.answer(POSTED, asked)
        return self._list(links, "\n".join(lines))

    def _page(self, links: Links, title: str, body: Html) -> bytes:
        if self.html_sub_title:
            body = Html('<p class="lead">{}</p>').format(self.html_sub_title) + body
        return page(links, title, manager_pages(links), body, "manager.js")

    def _list(self, links: Links, message: str = "OK") -> bytes:  # type: ignore[override]  # a page, not lines
        kind = "bad" if message.startswith("FAIL") else "good"
        parts = [
            Html('<pre id="message" role="status" class="{}">{}</pre>').format(kind, unescape(message)),
            table(
                "Applications",
                ["Path", "Version", "Display name", "Running", "Sessions", "Commands"],
                [self._row(state, links) for state in application_states(self.applications.host)],
                "applications",
            ),
            self._deploy_forms(links),
            self._diagnostics(links),
        ]
        return self._page(links, "Tomcat Web Application Manager", Html("").join(parts))

    def _row(self, state: ApplicationState, links: Links) -> list[object]:
        path, _, version = state.name.partition("##")
        name = ContextName("" if path == "/" else path, version)
        context: Any = self.applications.host.find_child(name.name)
        query = sessions_query(name)
        own = context is self.applications.own
        address = quote(name.path) + "/"
        running: object = "true" if state.runs else Html("false{}").format(f": {state.reason}" if state.reason else "")
        sessions: object = ""
        if state.runs:
            sessions = Html('<a href="{}">{}</a>').format(links.to("/html/sessions", query), state.sessions or 0)
        title = context.display_name if context is not None else ""
        commands = Html("") if own else self._commands(state, name, query, links)
        return [
            Html('<a href="{}">{}</a>').format(address, name.path or "/"), version or "None specified", title, running,
            sessions, commands,
        ]  # fmt: skip

    def _commands(self, state: ApplicationState, name: ContextName, query: str, links: Links) -> Html:
        words = ["stop", "reload"] if state.runs else ["start"]
        if self.applications.config.is_deployed(name.name):
            words.append("undeploy")
        buttons = [
            form(
                links.to(f"/html/{word}", query),
                word.capitalize(),
                kind="inline careful" if word == "undeploy" else "inline",
                label=f"{word.capitalize()} {name.display_name}",
            )
            for word in words
        ]  # fmt: skip
        if state.runs:
            number = Html('<input name="idle" type="number" min="0" value="30" required>')
            minutes = Html("<label>idle \N{GREATER-THAN OR EQUAL TO} {} minutes</label>").format(number)
            buttons.append(form(links.to("/html/expire", query), "Expire sessions", [minutes], kind="inline"))
        return Html("").join(buttons)

    def _deploy_forms(self, links: Links) -> Html:
        def field(name: str, text: str, hint: str = "") -> Html:
            return Html('<label>{} <input name="{}" placeholder="{}"></label>').format(text, name, hint)

        here = form(
            links.to("/html/deploy"), "Deploy",
            [field("deployPath", "Context path", "/shop"), field("deployVersion", "Version"),
             field("deployConfig", "Descriptor on the server", "/srv/shop.xml"),
             field("deployWar", "Archive or directory on the server", "/srv/shop.war")],
            kind="stacked",
        )  # fmt: skip
        upload = Html(
            '<form method="post" action="{}" enctype="multipart/form-data" class="stacked" id="upload">'
            '<label>Wheel, zip or war <input type="file" name="deployWar" accept=".whl,.zip,.war" required></label>'
            '<progress max="100" value="0" hidden aria-label="Upload"></progress>'
            "<button>Upload and deploy</button></form>"
        ).format(links.to("/html/upload"))
        return Html('<section class="two"><div><h2>Deploy from the server</h2>{}</div>'
                    "<div><h2>Upload</h2>{}</div></section>\n").format(here, upload)  # fmt: skip

    def _diagnostics(self, links: Links) -> Html:
        reports = Html("").join(
            Html('<li><a href="{}">{}</a></li>').format(links.to(f"/html{path}"), title)
            for path, (title, _) in REPORTS.items()
        )
        name = Html('<label>TLS host name (optional) <input name="tlsHostName"></label>')
        reload_tls = form(links.to("/html/sslReload"), "Read certificates anew", [name], kind="inline")
        return Html("<section><h2>Diagnostics</h2><ul>{}</ul>{}</section>\n").format(reports, reload_tls)

    def _report(self, title: str, path: str, asked: Asked, links: Links) -> bytes:
        lines, _ = self.answer({asked.command: ManagerServlet.commands["GET"][path]}, asked)
        text = "\n".join(lines) or "None."
        return self._page(links, title, Html("<pre>{}</pre>").format(text))

    # -- sessions --------------------------------------------------------------------------------------------------

    def _sessions_page(self, asked: Asked, links: Links) -> bytes:
        try:
            name = context_name(asked["path"], asked["version"])
            context = self.applications.find(name)
            message = self._change_sessions(context, asked) if asked.method == "POST" else ""
            wanted = asked["sessionId"]
            title = f"Sessions of {name.display_name}"
            content = Html('<pre role="status" class="good">{}</pre>').format(message) if message else Html("")
            if wanted and asked["action"] in ("sessionDetail", "removeSessionAttribute"):
                content += session_detail(context, name, wanted, links)
            else:
                content += session_list(context, name, asked, links)
        except Refused as refused:
            return self._list(links, f"FAIL - {refused}")
        return self._page(links, title, content)

    def _change_sessions(self, context: StandardContext, asked: Asked) -> str:
        manager = context.manager
        if manager is None:
            return ""
        action = asked["action"]
        if action == "invalidateSessions":
            ended = 0
            for session_id in asked.values("sessionIds"):
                session = manager.find_session(session_id)
                if session is not None:
                    session.invalidate()
                    ended += 1
                    audit(asked.caller, "invalidate", f"{context.name or '/'} session {session_id}")
            return f"{ended} sessions were ended"
        if action == "removeSessionAttribute":
            attribute, session = asked["attributeName"] or "", manager.find_session(asked["sessionId"] or "")
            if session is not None and session.has_attribute(attribute):
                session.remove_attribute(attribute)
                manager.request_completed(session, None)
                audit(asked.caller, "remove", f"{context.name or '/'} session {asked['sessionId']}", name=attribute)
                return f"Attribute [{attribute}] was removed"
        return ""

    # -- what is posted --------------------------------------------------------------------------------------------

    def _deploy_form(self, asked: Asked) -> Lines:
        path, config, war = (asked[name] or None for name in ("deployPath", "deployConfig", "deployWar"))
        if path is not None:
            name = context_name(path, asked["deployVersion"])
        else:
            name = name_of_file(config or war)
        if config is None and war is None:
            raise Refused(f"Invalid parameters supplied for command [{asked.command}]")
        return Installation(self.applications, name, update=False).from_server(war, config)

    def _upload_form(self, asked: Asked) -> Lines:
        with contextlib.closing(_uploaded(asked.environ)) as upload:
            file_name = str(upload.filename or "").replace("\\", "/").rpartition("/")[2]
            if not file_name:
                raise Refused("File upload failed, no file")
            if not is_archive_name(file_name):
                raise Refused(f"File uploaded [{file_name}] must be a .war, .zip or .whl")
            if (self.applications.host.app_base_path / file_name).exists():
                raise Refused(f"War file [{file_name}] already exists on server")
            return install_named(self.applications, upload, file_name)


def install_named(applications: Applications, upload: FileStorage, file_name: str) -> Lines:
    """Install an archive under its own name: that of the file or, for a wheel, that in its content."""
    with tempfile.TemporaryDirectory(prefix="catalina-upload-") as directory:
        try:
            staged = f"{directory}/{checked_name(file_name, 'file name', 'upload')}"
            upload.save(staged)
            if file_name.lower().endswith(".whl"):
                name = read_archive(staged).name
            else:
                name = ContextName.of_file(file_name[:-4] + ".war")
        except DeploymentError as error:
            raise Refused(f"Deploy Upload Failed, Exception: [{error}]") from error
        installation = Installation(applications, name, update=False)
        with open(staged, "rb") as source:
            return installation.upload(source, file_name=file_name)


def _uploaded(environ: Environ) -> FileStorage:
    """The uploaded file of a form, to be closed. Raises Refused when there is none."""
    kind, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    if kind != "multipart/form-data":
        raise Refused("File upload failed, no file")
    parser = FormDataParser(max_form_memory_size=MAX_FORM, max_form_parts=10, silent=False)
    try:
        _, _, files = parser.parse(environ["wsgi.input"], kind, None, options)
    except (ValueError, HTTPException) as error:
        raise Refused(f"Deploy Upload Failed, Exception: [{error}]") from error
    found = files.get("deployWar")
    if found is None:
        raise Refused("File upload failed, no file")
    return found


#: The posted forms, and the commands that handle them.
POSTED: dict[str, Command] = {
    **{path: ManagerServlet.commands["GET"][path] for path in ("/reload", "/undeploy", "/expire", "/start", "/stop",
                                                               "/sslReload")},
    "/deploy": HTMLManagerServlet._deploy_form,
    "/upload": HTMLManagerServlet._upload_form,
}  # fmt: skip
