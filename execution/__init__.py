"""The engine: what a graph is, whether it may run, in which order, in which process, and what is remembered of it."""
