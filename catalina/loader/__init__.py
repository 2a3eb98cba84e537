"""Loading web applications: import path, isolation, what is left behind at stop.

import_space.py holds one application's path and modules, application_imports.py the table of all of them and the
names that clash, application_modules.py the ``sys.modules`` that tells them apart, application_finder.py the finder
on ``sys.meta_path``, application_environ.py the environment variables of each, asker.py who asks for them all,
distributions.py the versions of packages, thread_owner.py who started a thread, leftovers.py what a stopped
application leaves behind, search_path.py where its code lies, and webapp_loader.py the component of ``<Context>``.
"""
