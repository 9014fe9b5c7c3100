"""Nodes written against ComfyUI's class protocol: how they are loaded, described, called and answered."""
