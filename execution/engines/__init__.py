"""Ways to run jobs: in a supervised worker process, or in this process for tests and scripts."""
