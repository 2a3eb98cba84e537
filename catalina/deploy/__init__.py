"""Archives of web applications: what they are, what they are called, and how they become a directory.

archive.py tells the kinds apart and names the context; wheel.py, wheel_tags.py and requirements.py read and check
wheels; unpacking.py unpacks zips from outside within limits; exploding.py makes the directory that runs;
wheel_install.py does the same for wheels in WEB-INF/lib; dependencies.py calls pip where the operator allows it;
settling.py knows a half-copied file, directory_watcher.py sees files change; context_version.py orders versions.
"""
