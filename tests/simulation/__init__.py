"""Whole groups in one process, on a simulated clock and network: the same seed gives the same run."""
