"""Shows and operates the group of nodes at ``/manager/cluster``."""
