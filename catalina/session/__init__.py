"""HTTP sessions: the session, its managers and stores, and the mapping that an application sees.

session.py, manager.py      the interfaces to the rest of the container (protocols)
standard_session.py         the session that exists on this node only
manager_base.py             the common part of managers: create, find, expire, count
standard_manager.py         sessions in memory, kept across a restart in a file when ``pathname`` is set
persistent_manager.py       sessions that are also kept in a Store, swapped out when idle
session_facade.py           ``environ["catalina.session"]``
session_record.py           a session as bytes, in the form of Tomcat's own session files
"""
