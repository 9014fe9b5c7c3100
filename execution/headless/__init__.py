"""Running without a browser: workflows and graphs from files, progress and results on a console."""
