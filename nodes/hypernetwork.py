"""The node that puts a hypernetwork to work in a model."""

from dataclasses import replace
from typing import Annotated

from models.adapters.hypernetwork import HypernetworkPatch
from models.loading.hypernetwork import load_hypernetwork
from models.sampling.patches import ModelPatches
from nodes.context import Context
from nodes.files import fingerprint_of
from nodes.library import library_of
from nodes.sockets import MODEL
from nodes.spec import FileChoice, Number, node


def _fingerprint(hypernetwork_name: str, context: Context, model: None = None, strength: float = 1.0) -> str:
    return fingerprint_of(context.paths.model_file("hypernetworks", hypernetwork_name))


@node("HypernetworkLoader", name="Load Hypernetwork", category="model/loaders", fingerprint=_fingerprint)
def hypernetwork_loader(
    model: MODEL,
    hypernetwork_name: Annotated[str, FileChoice("hypernetworks")],
    strength: Annotated[float, Number(-10.0, 10.0, step=0.01)] = 1.0,
    *,
    context: Context,
) -> MODEL:
    """Changes what the attention of a model is made of, by a hypernetwork."""
    path = context.paths.model_file("hypernetworks", hypernetwork_name)
    network = library_of(context).other("hypernetwork", path, lambda policy: load_hypernetwork(path, policy))
    patch = HypernetworkPatch(network, strength)
    return replace(model, patches=model.patches.plus(ModelPatches(unet=patch.unet)))
