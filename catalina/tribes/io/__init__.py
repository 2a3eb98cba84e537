"""The wire formats of the group: frames, packages, Java object streams. No socket, thread or clock here."""
