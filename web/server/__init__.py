"""ComfyUI's HTTP and WebSocket interface over an engine."""
