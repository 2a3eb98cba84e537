"""Loads web applications: their import path, their isolation, and the search for leftovers when they stop.

- The component: ``webapp_loader``, ``virtual_webapp_loader``; ``search_path`` has the directories of its code,
  ``object_names`` makes what web.xml names, ``load_failure`` says why something could not be loaded.
- Side by side: ``import_space`` holds one application's path and modules, ``application_imports`` the table of all of
  them, the names that clash, the ``sys.modules`` that tells them apart and the finder; ``application_environ``
  the environment variables of each, ``asker`` who asks for a module.
- Facts: ``own_packages`` says why an application wants processes of its own.
- At the stop: ``leftovers``, and ``thread_owner``, which notes who started a thread.
"""
