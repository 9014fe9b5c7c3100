"""Node declarations: one file per subject, each node a typed function over `models`."""
