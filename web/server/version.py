"""The program's version; pyproject.toml says the same, held by a test."""

VERSION = "0.1.0"
