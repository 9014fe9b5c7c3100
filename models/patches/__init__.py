"""Changes to how a model is asked and to what its UNet computes, one method a file, each with its paper."""
