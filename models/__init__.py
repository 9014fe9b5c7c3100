"""The networks and their mathematics: tensors in, tensors out."""
