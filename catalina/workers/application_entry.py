"""An application as the keeper describes it to its workers: enough to make the same context from the same files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from catalina.core.standard_host import StandardHost
from catalina.deploy.settling import stamp_of
from catalina.deploy.virtual_environment import OwnPython
from catalina.errors import ProtocolError
from catalina.workers.shared_parts import POOL_SEATS

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["ApplicationEntry", "ContextSource", "HostSource", "manager_key", "own_descriptor"]

#: Attributes of a host that whoever adds one can choose.
HOST_SETTINGS = ("auto_deploy", "deploy_on_startup", "deploy_xml", "unpack_wars", "copy_xml")


def own_descriptor(host: str, base_name: str) -> str:
    """The place of an application's descriptor below the base of a process with a user of its own.

    Args:
        host: engine and host, as ``host_path`` has them.
    """
    return f"conf/{host}/{base_name}.xml"


def manager_key(context: StandardContext) -> bytes:
    """By which keeper and workers know an application and its manager: engine, host and context."""
    return application_key(context.host_path, context.name).encode()


def application_key(host: str, name: str) -> str:
    """The key of the context of that name on a host, ``Catalina/localhost``."""
    return f"{host}/{name}"


@dataclass(frozen=True, slots=True)
class HostSource:
    """A host that was added while the node runs.

    Args:
        app_base: as its ``<Host>`` would say it.
        settings: other attributes that it was given, by their Python names.
    """

    engine: str
    name: str
    app_base: str
    aliases: tuple[str, ...]
    settings: dict[str, bool]

    @classmethod
    def of(cls, host: StandardHost) -> HostSource:
        """That of a host of this process."""
        engine = host.parent.name if host.parent is not None else ""
        settings = {name: bool(getattr(host, name)) for name in HOST_SETTINGS}
        return cls(engine, host.name, host.app_base, tuple(host.aliases), settings)

    def make(self) -> StandardHost:
        """A host like that one."""
        host = StandardHost(name=self.name, app_base=self.app_base, **self.settings)
        for alias in self.aliases:
            host.add_alias(alias)
        return host

    @classmethod
    def heard(cls, told: dict[str, Any]) -> HostSource:
        """From the values that JSON has said. Raises ProtocolError."""
        try:
            return cls(**{**told, "aliases": tuple(told["aliases"])})
        except (TypeError, KeyError) as error:
            raise ProtocolError(f"expected a host: {error}") from error


@dataclass(frozen=True, slots=True)
class ContextSource:
    """The values that deployment has given to a context that it has made.

    Args:
        doc_base: the directory that it runs from; relative to appBase when it lies in it.
        descriptor: its own context file; None without one.
        version_key: sorts the versions of one path.
        must_start: its deployer has said that a servlet that does not start fails the application.
    """

    path: str
    version: str
    doc_base: str
    descriptor: str | None
    version_key: str
    must_start: bool

    @classmethod
    def of(cls, context: StandardContext) -> ContextSource:
        """That of a context of this process."""
        return cls(
            context.path,
            context.web_app_version,
            context.doc_base or "",
            None if context.config_file is None else str(context.config_file),
            context.version_key,
            "fail_ctx_if_servlet_start_fails" in context.given and bool(context.fail_ctx_if_servlet_start_fails),
        )


@dataclass(frozen=True, slots=True)
class ApplicationEntry:
    """One application.

    Args:
        host: names of the engine and the host, ``Catalina/localhost``.
        name: of the context.
        files: tells one state of its files from the next: of its directory, which an exchange replaces, and its
            descriptor.
        serial: counts the starts that the keeper has ordered.
        runs: False for one that was stopped, or does not start.
        is_paused: its files are being changed.
        source: None for a ``<Context>`` of server.xml, which every process has.
        workers: the indexes of the workers that it runs in, the others pass its requests on; None for all but those of
            pools.
        python: that of its own processes; None for the server's.
    """

    host: str
    name: str
    files: str
    serial: int
    runs: bool
    is_paused: bool
    source: ContextSource | None
    workers: tuple[int, ...] | None = None
    python: OwnPython | None = None

    def runs_in(self, worker: int) -> bool:
        """True when it runs in the worker of that index. A pool's worker runs nothing but its application."""
        return worker not in POOL_SEATS if self.workers is None else worker in self.workers

    @property
    def seats(self) -> tuple[int, ...]:
        """The workers of its own pool, none for one that shares the node's workers."""
        workers = self.workers or ()
        return workers if workers and workers[0] in POOL_SEATS else ()

    @property
    def key(self) -> str:
        """See :func:`application_key`."""
        return application_key(self.host, self.name)

    def told(self) -> dict[str, Any]:
        """As JSON can say it."""
        return asdict(self)

    @classmethod
    def heard(cls, told: dict[str, Any]) -> ApplicationEntry:
        """The opposite of :meth:`told`. Raises ProtocolError."""
        try:
            source, workers, python = told["source"], told["workers"], told["python"]
            source = None if source is None else ContextSource(**source)
            workers = None if workers is None else tuple(workers)
            python = None if python is None else OwnPython.heard(python)
            return cls(**{**told, "source": source, "workers": workers, "python": python})
        except (TypeError, KeyError) as error:
            raise ProtocolError(f"expected the entry of an application: {error}") from error


def files_of(context: StandardContext) -> str:
    """See ``ApplicationEntry.files``."""
    try:
        status = context.document_root.stat()
        directory = f"{status.st_dev}:{status.st_ino}"
    except OSError:
        directory = ""
    descriptor = None if context.config_file is None else stamp_of(str(context.config_file))
    return f"{directory} {descriptor}"
