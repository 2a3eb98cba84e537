"""The keeper prepares the processes of applications with users of their own, and tells each what it begins with.

Such a process is not a copy of the server's memory, as the node's other processes are: it is a new program, which
learns what is here and nothing else (:mod:`catalina.startup.pool_guard` starts it, :mod:`catalina.startup.pool_process`
is it).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import catalina
from catalina.connector.connector import Connector
from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.errors import CatalinaError, DeploymentError, ProtocolError
from catalina.startup.pool_configuration import PoolConfiguration, application_properties
from catalina.startup.property_sources import substitution_for
from catalina.workers.application_entry import manager_key
from catalina.workers.pool_account import PoolAccount, account_of, check_access, let_read
from catalina.workers.services import LAUNCH

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer
    from catalina.digester.xml_tree import XmlElement
    from catalina.workers.roles import KeeperRole

__all__ = ["PoolLaunch", "PoolLaunches"]

#: Files of conf that every application's processes read anyway.
_OPEN = frozenset({"web.xml", "context.xml", "logging.properties"})


@dataclass(frozen=True, slots=True)
class PoolLaunch:
    """The things that a process begins with.

    Args:
        key: of its application; ``logger`` is the name of the application's logger.
        token: proves to the keeper who it is.
        limits: number of a limit (setrlimit(2)) and value.
        files: their texts, by names below the process's own base.
    """

    key: str
    logger: str
    token: str
    user: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    umask: int
    home: str | None
    limits: tuple[tuple[int, int], ...]
    files: dict[str, str]
    properties: dict[str, str]

    def told(self) -> dict[str, Any]:
        """As JSON can say it."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def heard(cls, told: object) -> PoolLaunch:
        """The opposite of :meth:`told`. Raises ProtocolError."""
        if not isinstance(told, dict) or told.keys() != set(cls.__slots__):
            raise ProtocolError(f"expected a launch, got {type(told).__name__}")
        return cls(
            **{
                **told,
                "groups": tuple(told["groups"]),
                "limits": tuple((name, value) for name, value in told["limits"]),
            }
        )


class PoolLaunches:
    """The keeper's part.

    Args:
        root: the ``<Server>`` of server.xml, as it was loaded.
    """

    def __init__(self, server: StandardServer, root: XmlElement, role: KeeperRole) -> None:
        self._server = server
        self._role = role
        self._substitute = substitution_for(server.properties)
        self._configuration = PoolConfiguration(server, root, self._substitute)
        role.elsewhere.prepare = self.prepare
        role.links.services.add(LAUNCH, lambda index, _: self._launch(index))

    def prepare(self, context: StandardContext) -> PoolAccount | None:
        """Let the user of an application read what is its own, and see that it reads nothing else.

        Raises:
            DeploymentError: it has a user, and cannot have it; the text says why.
        """
        account = account_of(context)
        if account is not None and context.loader.own_python is not None:
            raise DeploymentError(
                f'{context}: user="{account.user}": expected the Python of the server, got another one, which cannot '
                "be combined with a user"
            )
        if account is not None and os.geteuid() == 0:
            let_read(account, (context.document_root, context.work_path), self._server.catalina_base)
            check_access(account, self._needed(context), self._secret(context))
        return account

    def _needed(self, context: StandardContext) -> Iterator[Path]:
        yield Path(catalina.__file__)
        yield Path(os.path.abspath(context.document_root))
        yield Path(os.path.abspath(context.work_path))
        yield from map(Path, context.loader.installed)
        if context.home is not None:
            yield Path(context.home)

    def _secret(self, context: StandardContext) -> Iterator[Path]:
        """Files that a user must not read: the server's configuration, keys, other applications and their sessions."""
        for file in (self._server.catalina_base / "conf").rglob("*"):
            if file.is_file() and file.name not in _OPEN:
                yield file
        connectors = [connector for service in self._server.services for connector in service.connectors]
        yield from self._keys(connectors)
        for host in context.host.parent.children if isinstance(context.host.parent, StandardEngine) else ():
            for other in host.children:
                if isinstance(other, StandardContext) and other.path != context.path:
                    yield other.work_path

    def _keys(self, connectors: list[Connector]) -> Iterator[Path]:
        for connector in connectors:
            for config in connector.ssl_host_configs:
                for certificate in config.certificates:
                    for name in (
                        certificate.certificate_key_file,
                        certificate.certificate_key_password_file,
                        certificate.certificate_keystore_file,
                        certificate.certificate_keystore_password_file,
                    ):
                        if name:
                            yield self._server.catalina_base / name

    def _launch(self, index: int | None) -> dict[str, Any] | None:
        """The launch of a pool's worker; None for one that runs as the server does, from the server's memory.

        Raises:
            CatalinaError: no application has this worker.
        """
        rights = self._role.links.rights
        key = None if index is None else self._role.elsewhere.application_of(index)
        context = None if key is None else self._role.elsewhere.context(key)
        if index is None or key is None or context is None:
            raise CatalinaError("no application has a pool with this worker")
        account = rights.accounts.get(key)
        if account is None:
            return None
        return PoolLaunch(
            manager_key(context).decode(),
            context.logger.name,
            rights.token(index, key, account.uid),
            account.user,
            account.uid,
            account.gid,
            account.groups,
            account.umask,
            account.home,
            tuple(account.limits.items()),
            self._configuration.files(context),
            application_properties(self._server, self._substitute),
        ).told()
