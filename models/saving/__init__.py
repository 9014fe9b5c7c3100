"""Writes models to files that this program and others read."""
