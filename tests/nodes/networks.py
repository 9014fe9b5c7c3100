"""Models with small random networks, for nodes that change or save them."""

import torch

from models.loading.families import SD1
from models.memory import DevicePolicy
from models.text.clip import ClipTextConfig
from models.text.encoders import TextEncoders
from models.text.tokenizer import Tokenizer
from models.types import Clip, Model, Vae
from models.unet import Level, UNet, UNetConfig
from models.vae import Autoencoder, AutoencoderConfig
from tests.models.memory.fakes import at_random

UNET = UNetConfig(4, 4, 32, (Level(32, (1,), (1, 1)), Level(64, (0,), (0, 0))), middle_depth=1, context_dim=64)
TEXT = ClipTextConfig(vocabulary=49408, positions=77, width=64, layers=2, mlp_width=128)
VAE = AutoencoderConfig(level_channels=(32, 32, 32, 32), res_blocks=1)
POLICY = DevicePolicy.choose(cpu=True)


def unet(seed: int = 0) -> UNet:
    return at_random(UNet(UNET), seed)


def model(seed: int = 0) -> Model:
    return Model(POLICY.resident(unet(seed), torch.float32), SD1.latent_format)


def clip(seed: int = 0) -> Clip:
    network = at_random(TextEncoders({"clip_l": TEXT}), seed)
    return Clip(POLICY.resident(network, torch.float32), Tokenizer(), SD1.encoders)


def vae(seed: int = 0) -> Vae:
    return Vae(POLICY.resident(at_random(Autoencoder(VAE), seed), torch.float32))
