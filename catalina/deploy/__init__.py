"""Reads archives of web applications, names their contexts, and makes directories from them.

archive.py tells the kinds apart and names the context; wheel.py, wheel_tags.py and requirements.py read and check
wheels; unpacking.py unpacks zips from outside within limits; exploding.py makes the directory from which an application
runs; wheel_install.py does the same for wheels in WEB-INF/lib; dependencies.py calls pip if the operator allows it;
settling.py recognises half-copied files; directory_watcher.py sees changes of files; context_version.py orders
versions.
"""
