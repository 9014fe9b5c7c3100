"""What a person who starts a command can mend."""


class HeadlessError(ValueError):
    """The command cannot be done as it was given; the message says why and what would be right."""
