"""The worker's models: one library, on the device and in the precision that the command line asks for."""

from models.loading.library import Library
from models.loading.plan import Report
from models.memory import DevicePolicy
from nodes.context import Context, WorkerSettings

PROGRESS_PARTS = 100


def policy_of(context: Context) -> DevicePolicy:
    """Returns where and in what precision this worker's networks compute."""
    return context.services.get(DevicePolicy, lambda: _policy(context.settings))


def _policy(settings: WorkerSettings) -> DevicePolicy:
    return DevicePolicy.choose(
        settings.cpu,
        settings.force_fp32,
        settings.force_fp16,
        vram=settings.vram,
        reserve=int(settings.reserve_vram * (1 << 30)),
    )


def library_of(context: Context) -> Library:
    """Returns the models that this worker has loaded."""
    return context.services.get(Library, lambda: Library(policy_of(context)))


def reporter(context: Context) -> Report:
    """Returns what shows on the node how much has been read."""

    def report(fraction: float) -> None:
        context.progress(int(fraction * PROGRESS_PARTS), PROGRESS_PARTS, None)

    return report
