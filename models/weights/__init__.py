"""Changes to the parameters of networks, as values: LoRA and its kin, and mixtures of two networks."""
