"""What the command line decides about the server, and the limits that hold for everyone."""

from dataclasses import dataclass
from pathlib import Path

MEBIBYTE = 1024 * 1024
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True)
class ServerSettings:
    """Flags of the server, and limits. Sizes are bytes.

    `allowed_hosts` are names a request may be addressed to, beside the loopback ones; `any_address` also allows every
    IP address, for servers that listen on all of them. A body must arrive within `read_seconds`, the next request on
    a connection within `idle_seconds`; what is still on its way after an answer is read for `linger_seconds`.
    """

    client_directory: Path
    allowed_hosts: frozenset[str] = frozenset()
    any_address: bool = False
    cors_origin: str | None = None
    max_upload_bytes: int = 100 * MEBIBYTE
    max_json_bytes: int = 8 * MEBIBYTE
    read_seconds: float = 60.0
    idle_seconds: float = 15.0
    linger_seconds: float = 2.0
    socket_stall_seconds: float = 10.0
