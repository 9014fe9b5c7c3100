"""Which device computes, and in what precision."""

import pytest
import torch

from models.memory import DevicePolicy

HOME = torch.device("cpu")


def test_the_processor_computes_in_float32_unless_told_otherwise() -> None:
    assert DevicePolicy.choose(cpu=True).device == HOME
    assert DevicePolicy.choose(cpu=True).unet_dtype == torch.float32
    assert DevicePolicy.choose(cpu=True).vae_dtype == torch.float32
    forced = DevicePolicy.choose(cpu=True, force_fp16=True)
    assert (forced.unet_dtype, forced.vae_dtype, forced.text_dtype) == (torch.float16, torch.float32, torch.float32)


def test_a_card_computes_in_half_precision_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    policy = DevicePolicy.choose()
    assert policy.device == torch.device("cuda", 0)
    assert (policy.unet_dtype, policy.vae_dtype) == (torch.float16, torch.bfloat16)
    forced = DevicePolicy.choose(force_fp32=True)
    assert (forced.unet_dtype, forced.vae_dtype) == (torch.float32, torch.float32)
    assert DevicePolicy.choose(cpu=True).device == HOME


def test_flags_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        DevicePolicy.choose(force_fp32=True, force_fp16=True)


def test_what_computes_on_the_processor_shares_the_budget_of_the_machine() -> None:
    policy = DevicePolicy.choose(cpu=True)
    beside = policy.on_cpu()
    assert beside.device == HOME
    assert beside.memory.machine is policy.memory.machine
