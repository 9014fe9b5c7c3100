"""`comfy.model_management`: devices, memory and interruption, as far as packs ask for them."""

import gc
from collections.abc import Iterable
from enum import Enum
from typing import Any

import torch

from models.memory import DevicePolicy, free_bytes, total_bytes
from nodes.context import InterruptedByUserError
from nodes.library import policy_of
from nodes.v1.runtime import Runtime


class CPUState(Enum):
    """On what kind of device the program computes."""

    GPU = 0
    CPU = 1
    MPS = 2


class VRAMState(Enum):
    """How the memory of the graphics card is used. Weft has one way."""

    DISABLED = 0
    NO_VRAM = 1
    LOW_VRAM = 2
    NORMAL_VRAM = 3
    HIGH_VRAM = 4
    SHARED = 5


FLOAT8_TYPES = (torch.float8_e4m3fn, torch.float8_e5m2)
"""Precisions of eight bits, in which weights are kept and nothing is computed."""


class ModelManagement:
    """The functions of the module for one worker."""

    CPUState = CPUState
    VRAMState = VRAMState
    InterruptProcessingException = InterruptedByUserError
    OOM_EXCEPTION = torch.OutOfMemoryError
    XFORMERS_IS_AVAILABLE = False
    DISABLE_SMART_MEMORY = False
    EXTRA_RESERVED_VRAM = 0
    NUM_STREAMS = 0
    FLOAT8_TYPES = FLOAT8_TYPES
    directml_enabled = False

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        policy = self._policy
        states = {"cpu": CPUState.CPU, "mps": CPUState.MPS}
        self.cpu_state = states.get(policy.device.type, CPUState.GPU)
        self.vram_state = VRAMState.DISABLED if policy.device.type == "cpu" else VRAMState.NORMAL_VRAM
        self.total_vram = self.get_total_memory() / 2**20
        self.total_ram = total_bytes() / 2**20
        self.current_loaded_models: list[Any] = []

    @property
    def _policy(self) -> DevicePolicy:
        return policy_of(self._runtime.context)

    def get_torch_device(self) -> torch.device:
        """The device that networks compute on."""
        return self._policy.device

    def get_torch_device_name(self, device: torch.device) -> str:
        """The device's name for people."""
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
        return f"{device} {name}".strip()

    def intermediate_device(self) -> torch.device:
        """The device of values between nodes."""
        return torch.device("cpu")

    def intermediate_dtype(self) -> torch.dtype:
        """The precision of values between nodes."""
        return torch.float32

    def unet_offload_device(self) -> torch.device:
        """The device of networks that are not in use."""
        return torch.device("cpu")

    def unet_inital_load_device(self, parameters: int, dtype: torch.dtype) -> torch.device:
        """The device that networks are loaded to."""
        return torch.device("cpu")

    def text_encoder_device(self) -> torch.device:
        """The device that text encoders compute on."""
        return self._policy.device

    def text_encoder_offload_device(self) -> torch.device:
        """The device of text encoders that are not in use."""
        return torch.device("cpu")

    def vae_device(self) -> torch.device:
        """The device that autoencoders compute on."""
        return self._policy.device

    def vae_offload_device(self) -> torch.device:
        """The device of autoencoders that are not in use."""
        return torch.device("cpu")

    def unet_dtype(self, *arguments: Any, **options: Any) -> torch.dtype:
        """The precision that UNets compute in."""
        return self._policy.unet_dtype

    def vae_dtype(self, *arguments: Any, **options: Any) -> torch.dtype:
        """The precision that autoencoders compute in."""
        return self._policy.vae_dtype

    def text_encoder_dtype(self, device: torch.device | None = None) -> torch.dtype:
        """The precision that text encoders compute in."""
        return self._policy.text_dtype

    def unet_manual_cast(self, *arguments: Any, **options: Any) -> None:
        """None: UNets compute in the precision of their weights."""

    def force_upcast_attention_dtype(self) -> None:
        """None: attention is computed in the precision of what it is given."""

    def lora_compute_dtype(self, device: torch.device) -> torch.dtype:
        """The precision in which weights are changed."""
        return torch.float32

    def supports_dtype(self, device: torch.device, dtype: torch.dtype) -> bool:
        """Whether a device computes in a precision."""
        return dtype not in FLOAT8_TYPES

    def supports_cast(self, device: torch.device, dtype: torch.dtype) -> bool:
        """Whether a device holds numbers of a precision."""
        return not (dtype in FLOAT8_TYPES and self.is_device_mps(device))

    def pick_weight_dtype(self, dtype: torch.dtype | None, fallback_dtype: torch.dtype, device: Any = None) -> Any:
        """The precision asked for, or the other where a device does not hold it."""
        wanted = fallback_dtype if dtype is None else dtype
        return wanted if self.supports_cast(device or self._policy.device, wanted) else fallback_dtype

    def should_use_fp16(self, *arguments: Any, **options: Any) -> bool:
        """Whether networks compute in half precision."""
        return self._policy.unet_dtype == torch.float16

    def should_use_bf16(self, *arguments: Any, **options: Any) -> bool:
        """Whether autoencoders compute in bfloat16."""
        return self._policy.vae_dtype == torch.bfloat16

    def is_device_type(self, device: torch.device, type: str) -> bool:
        """Whether a device is of a kind, as torch names it."""
        return torch.device(device).type == type

    def is_device_cpu(self, device: torch.device) -> bool:
        """Whether a device is the processor."""
        return torch.device(device).type == "cpu"

    def is_device_mps(self, device: torch.device) -> bool:
        """Whether a device is Apple's."""
        return torch.device(device).type == "mps"

    def is_device_cuda(self, device: torch.device) -> bool:
        """Whether a device is NVIDIA's or AMD's."""
        return torch.device(device).type == "cuda"

    def get_autocast_device(self, device: torch.device) -> str:
        """The kind of a device by which torch knows it."""
        return torch.device(device).type

    def is_nvidia(self) -> bool:
        """Whether networks compute on a card of NVIDIA's."""
        return self._policy.device.type == "cuda" and torch.version.cuda is not None

    def is_amd(self) -> bool:
        """Whether networks compute on a card of AMD's."""
        return self._policy.device.type == "cuda" and torch.version.hip is not None

    def cpu_mode(self) -> bool:
        """Whether networks compute on the processor."""
        return self.cpu_state is CPUState.CPU

    def mps_mode(self) -> bool:
        """Whether networks compute on Apple's card."""
        return self.cpu_state is CPUState.MPS

    def is_intel_xpu(self) -> bool:
        """Intel's cards are not used."""
        return False

    def xformers_enabled(self) -> bool:
        """Attention is torch's own."""
        return False

    xformers_enabled_vae = xformers_enabled
    sage_attention_enabled = xformers_enabled
    flash_attention_enabled = xformers_enabled

    def pytorch_attention_enabled(self) -> bool:
        """Attention is torch's own."""
        return True

    pytorch_attention_flash_attention = pytorch_attention_enabled

    def get_free_memory(self, dev: torch.device | None = None, torch_free_too: bool = False) -> Any:
        """Bytes that can still be taken on a device."""
        free = free_bytes(dev or self._policy.device)
        return (free, free) if torch_free_too else free

    def get_total_memory(self, dev: torch.device | None = None, torch_total_too: bool = False) -> Any:
        """Bytes of a device's memory."""
        device = torch.device(dev or self._policy.device)
        total = torch.cuda.mem_get_info(device)[1] if device.type == "cuda" else total_bytes()
        return (total, total) if torch_total_too else total

    def minimum_inference_memory(self) -> int:
        """Bytes that are to stay free for computing; room is made when it is needed."""
        return 0

    extra_reserved_memory = minimum_inference_memory

    def maximum_vram_for_weights(self, device: torch.device | None = None) -> int:
        """Bytes of a device that weights may take."""
        return self.get_total_memory(device)

    def load_models_gpu(self, models: Iterable[Any], *arguments: Any, **options: Any) -> None:
        """Nothing to do: networks are brought to the device when they are used."""

    def load_model_gpu(self, model: Any) -> None:
        """Nothing to do: networks are brought to the device when they are used."""

    def free_memory(self, memory_required: float, device: torch.device, *arguments: Any, **options: Any) -> list[Any]:
        """Gives back what torch holds in reserve; networks make room for each other by themselves."""
        self.soft_empty_cache()
        return []

    def unload_all_models(self) -> None:
        """Lets go of the loaded networks."""
        self._runtime.services.forget()
        self.soft_empty_cache()

    def loaded_models(self, only_currently_used: bool = False) -> list[Any]:
        """None that could be handled from outside."""
        return []

    def cleanup_models(self) -> None:
        """Nothing to do: a network goes when nobody refers to it."""

    def soft_empty_cache(self, force: bool = False) -> None:
        """Gives back what torch holds in reserve."""
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def throw_exception_if_processing_interrupted(self) -> None:
        """Raises InterruptProcessingException once the job is to stop."""
        self._runtime.context.check()

    def processing_interrupted(self) -> bool:
        """Whether the job is to stop."""
        try:
            self._runtime.context.check()
        except InterruptedByUserError:
            return True
        return False

    def interrupt_current_processing(self, value: bool = True) -> None:
        """Stops the job that runs."""
        if value:
            self._runtime.interrupt()

    def dtype_size(self, dtype: torch.dtype) -> int:
        """Bytes of one number."""
        return dtype.itemsize

    def module_size(self, module: torch.nn.Module) -> int:
        """Bytes of a network's weights."""
        return sum(tensor.nbytes for tensor in module.state_dict().values())

    def device_supports_non_blocking(self, device: torch.device) -> bool:
        """Whether copies to a device may go on while the processor does other things."""
        return self.is_device_cuda(device)

    def device_should_use_non_blocking(self, device: torch.device) -> bool:
        """Copies are waited for."""
        return False

    def cast_to(
        self,
        weight: torch.Tensor,
        dtype: torch.dtype | None = None,
        device: torch.device | None = None,
        non_blocking: bool = False,
        copy: bool = False,
        stream: Any = None,
    ) -> torch.Tensor:
        """The tensor on a device, in a precision; as it is where none is named."""
        return weight.to(device=device, dtype=dtype, non_blocking=non_blocking, copy=copy)

    def cast_to_device(self, tensor: torch.Tensor, device: torch.device, dtype: torch.dtype, copy: bool = False) -> Any:
        """The tensor on a device, in a precision."""
        return tensor.to(device, dtype, copy=copy)
