"""Loads web applications: their import path, their isolation, and the search for leftovers when they stop.

import_space.py holds one application's path and modules, application_imports.py the table of all of them and the names
that clash, application_modules.py the ``sys.modules`` that tells them apart, application_finder.py the finder on
``sys.meta_path``, and application_environ.py the environment variables of each. asker.py decides which application asks
for a module, distributions.py the versions of packages, thread_owner.py notes which application started a thread,
leftovers.py finds what a stopped application leaves behind, search_path.py has the directories of its code, and
webapp_loader.py the component of ``<Context>``.
"""
