# The files of an application: directory, archives, extra directories, and a cache over them.
