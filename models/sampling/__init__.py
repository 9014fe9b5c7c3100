"""Sampling: from noise to a latent, along a schedule of sigmas, by asking a denoiser."""
