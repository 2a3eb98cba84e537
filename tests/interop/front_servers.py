"""HAProxy and nginx in front of nodes, over HTTP, with the configuration that the README shows."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.interop.httpd import Browser
from tests.support.needs import need_command
from tests.support.ports import free_port
from tests.support.waiting import comes_true

__all__ = ["FrontServer", "haproxy", "nginx"]

HAPROXY = """
global
    log stdout format raw local0
defaults
    mode http
    timeout connect 2s
    timeout client 20s
    timeout server 20s
    option redispatch
    retries 2
frontend www
    bind 127.0.0.1:{port}
    default_backend nodes
backend nodes
    balance roundrobin
    # The route behind the dot of the session id names the server; its server keeps the session's requests.
    cookie JSESSIONID prefix nocache
    option forwardfor
    option httpchk GET /app/
    default-server inter 300ms fall 1 rise 1 check
{servers}
"""

NGINX = """
daemon off;
error_log {directory}/error.log info;
pid {directory}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    # The jvmRoute behind the dot of the session id chooses the node, without one the next in turn.
    map $cookie_JSESSIONID $route {{
        ~\\.(?<node>[^.]+)$ $node;
        default nodes;
    }}
    upstream nodes {{ {all} keepalive 8; }}
{upstreams}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://$route;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_connect_timeout 1s;
            proxy_next_upstream error timeout non_idempotent;
        }}
    }}
}}
"""


class FrontServer:
    """One process with a configuration of its own."""

    def __init__(self, directory: Path, command: list[str], port: int) -> None:
        self.port = port
        self._output = (directory / "output").open("wb")
        self.process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT)
        self._path = directory / "output"

    def __enter__(self) -> FrontServer:
        assert comes_true(self._serves, 10, 0.05), self._path.read_text()
        return self

    def _serves(self) -> bool:
        try:
            return self.browser().get("/app/").status < 500
        except OSError:
            assert self.process.poll() is None, self._path.read_text()
            return False

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self._output.close()

    def browser(self) -> Browser:
        """A client without cookies yet."""
        return Browser(self.port)


def haproxy(directory: Path, ports: dict[str, int]) -> FrontServer:
    """``ports`` is jvmRoute -> HTTP port."""
    program = need_command("haproxy", "haproxy")
    directory.mkdir()
    port = free_port()
    servers = "\n".join(f"    server {route} 127.0.0.1:{node} cookie {route}" for route, node in ports.items())
    config = directory / "haproxy.cfg"
    config.write_text(HAPROXY.format(port=port, servers=servers))
    return FrontServer(directory, [program, "-f", str(config)], port)


def nginx(directory: Path, ports: dict[str, int]) -> FrontServer:
    """``ports`` is jvmRoute -> HTTP port."""
    program = need_command("nginx", "nginx")
    directory.mkdir()
    directory.chmod(0o777)
    port = free_port()
    servers = {route: f"server 127.0.0.1:{node} max_fails=1 fail_timeout=1s;" for route, node in ports.items()}
    upstreams = []
    for route, server in servers.items():
        # The others stand by: a dead node's sessions go to them.
        others = "".join(other.replace(";", " backup;") for name, other in servers.items() if name != route)
        upstreams.append(f"    upstream {route} {{ {server} {others} keepalive 8; }}")
    config = directory / "nginx.conf"
    config.write_text(
        NGINX.format(directory=directory, port=port, all=" ".join(servers.values()), upstreams="\n".join(upstreams))
    )
    return FrontServer(directory, [program, "-c", str(config), "-p", str(directory)], port)
