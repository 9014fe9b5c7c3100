"""Samplers: generators that walk a latent down a schedule of sigmas, one file per family of methods."""
