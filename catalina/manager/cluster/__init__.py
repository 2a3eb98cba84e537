"""The group of nodes as ``/manager/cluster`` shows and operates it."""
