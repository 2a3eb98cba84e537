"""Reads archives of web applications, names their contexts, and makes directories from them.

- Archives: ``archive`` tells the kinds apart and names the context; ``wheel``, ``wheel_tags`` and
  ``wheel_module`` read and check wheels; ``context_version`` orders versions.
- From archive to directory: ``unpacking`` unpacks zips from outside within limits, ``exploding`` makes the directory
  from which an application runs, ``wheel_install`` does so for wheels in WEB-INF/lib.
- Requirements: ``declared_requirements`` reads them, ``environments`` keeps what ``dependencies``, which calls pip, has
  installed for them; ``virtual_environment`` is one that somebody has made; ``progress`` tells the command that waits.
- Files that come and go: ``settling`` recognises half-copied ones, ``directory_watcher`` and ``inotify`` see changes,
  ``brought_files`` records what deployment laid down, ``removal`` deletes that and nothing else.
- ``naming_resources_impl``: the resources that a server or an application declares.
"""
