"""A pack in the style of those that bring samplers, schedules and guiders of their own."""

import importlib

import comfy.model_patcher
import comfy.sample
import comfy.samplers
import torch
from comfy.k_diffusion import sampling as k_diffusion_sampling
from comfy.k_diffusion.sampling import default_noise_sampler, get_ancestral_step, to_d
from comfy.samplers import KSAMPLER, KSampler


@torch.no_grad()
def sample_test_euler(model, x, sigmas, extra_args=None, callback=None, disable=None, stretch=1.0):
    extra_args = {} if extra_args is None else extra_args
    s_in = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * s_in, **extra_args)
        d = to_d(x, sigmas[i] * s_in, denoised)
        if callback is not None:
            callback({"x": x, "i": i, "sigma": sigmas[i], "sigma_hat": sigmas[i], "denoised": denoised})
        x = x + d * (sigmas[i + 1] - sigmas[i]) * stretch
    return x


@torch.no_grad()
def sample_test_ancestral(model, x, sigmas, extra_args=None, callback=None, disable=None, noise_sampler=None):
    seed = extra_args.get("seed", None)
    noise_sampler = default_noise_sampler(x, seed=seed) if noise_sampler is None else noise_sampler
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * x.new_ones([len(x)]), **extra_args)
        sigma_down, sigma_up = get_ancestral_step(sigmas[i], sigmas[i + 1])
        if callback is not None:
            callback({"x": x, "i": i, "sigma": sigmas[i], "sigma_hat": sigmas[i], "denoised": denoised})
        x = x + to_d(x, sigmas[i], denoised) * (sigma_down - sigmas[i])
        if sigmas[i + 1] > 0:
            x = x + noise_sampler(sigmas[i], sigmas[i + 1]) * sigma_up
    return x


@torch.no_grad()
def sample_test_cfg_pp(model, x, sigmas, extra_args=None, callback=None, disable=None):
    """Steps away from the unguided estimate, which a function set for this run catches."""
    extra_args = {} if extra_args is None else extra_args
    caught = [None]

    def post_cfg_function(args):
        caught[0] = args["uncond_denoised"]
        return args["denoised"]

    model_options = extra_args.get("model_options", {}).copy()
    extra_args["model_options"] = comfy.model_patcher.set_model_options_post_cfg_function(
        model_options, post_cfg_function, disable_cfg1_optimization=True
    )
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * x.new_ones([len(x)]), **extra_args)
        d = to_d(x, sigmas[i], caught[0])
        x = denoised + d * sigmas[i + 1]
    return x


def sample_test_dice(model, x, sigmas, extra_args=None, callback=None, disable=None):
    """Noise of torch's own generator, which packs take to follow from the seed."""
    return torch.randn_like(x)


k_diffusion_sampling.sample_test_euler = sample_test_euler
for function in (sample_test_ancestral, sample_test_dice):
    setattr(k_diffusion_sampling, function.__name__, function)
for name in ("test_euler", "test_ancestral", "test_dice"):
    KSampler.SAMPLERS.insert(KSampler.SAMPLERS.index("uni_pc_bh2") + 1, name)
importlib.reload(k_diffusion_sampling)

comfy.samplers.SCHEDULER_HANDLERS["test_halving"] = comfy.samplers.SchedulerHandler(
    handler=lambda n, sigma_min, sigma_max: torch.tensor([sigma_max / 2**i for i in range(n)] + [0.0]), use_ms=False
)
comfy.samplers.SCHEDULER_NAMES.append("test_halving")


class Makes:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"kind": ("STRING",)}}

    RETURN_TYPES = ("SAMPLER",)
    FUNCTION = "make"
    CATEGORY = "own"

    def make(self, kind):
        if kind == "subclass":
            return (ScalesNoise(sample_test_euler),)
        if kind == "stretched":
            return (KSAMPLER(sample_test_euler, {"stretch": 0.5}),)
        functions = {"euler": sample_test_euler, "ancestral": sample_test_ancestral, "cfg_pp": sample_test_cfg_pp}
        return (KSAMPLER(functions[kind]),)


class ScalesNoise(KSAMPLER):
    """Does with the noise what the class does itself."""

    def sample(self, model_wrap, sigmas, extra_args, callback, noise, latent_image=None, denoise_mask=None, pbar=False):
        assert model_wrap.inner_model.model_sampling.sigma_max > 0
        return super().sample(model_wrap, sigmas, extra_args, callback, noise, latent_image, denoise_mask, pbar)


class Wraps:
    """Calls the function of a sampler with a model of its own around the model, as detailers do."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"sampler": ("SAMPLER",), "change": ("FLOAT", {"default": 0.0})}}

    RETURN_TYPES = ("SAMPLER",)
    FUNCTION = "wrap"
    CATEGORY = "own"

    def wrap(self, sampler, change):
        def sampler_function(model, x, sigmas, **kwargs):
            def model_wrapper(x, sigma, **extra_args):
                return model(x, sigma * (1 + change), **extra_args)

            for k in ("inner_model", "sigmas"):
                if hasattr(model, k):
                    setattr(model_wrapper, k, getattr(model, k))
            return sampler.sampler_function(model_wrapper, x, sigmas, **kwargs, **sampler.extra_options)

        return (KSAMPLER(sampler_function, extra_options={}, inpaint_options=sampler.inpaint_options),)


class Runs:
    """Samples with any sampler by the library."""

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "model": ("MODEL",),
                "positive": ("CONDITIONING",),
                "negative": ("CONDITIONING",),
                "sampler": ("SAMPLER",),
                "sigmas": ("SIGMAS",),
                "latent": ("LATENT",),
                "how": (["library", "guider", "ksampler"],),
            }
        }

    RETURN_TYPES = ("LATENT",)
    FUNCTION = "run"
    CATEGORY = "own"

    def run(self, model, positive, negative, sampler, sigmas, latent, how):
        image = latent["samples"]
        noise, steps = comfy.sample.prepare_noise(image, 5), []

        def callback(step, x0, x, total_steps):
            steps.append((step, total_steps))

        mask = latent.get("noise_mask")
        if how == "library":
            samples = comfy.sample.sample_custom(
                model, noise, 3.0, sampler, sigmas, positive, negative, image, mask, callback, seed=5
            )
        elif how == "guider":
            guider = comfy.samplers.CFGGuider(model)
            guider.set_conds(positive, negative)
            guider.set_cfg(3.0)
            samples = guider.sample(noise, image, sampler, sigmas, denoise_mask=mask, callback=callback, seed=5)
        else:
            ksampler = comfy.samplers.KSampler(model, 3, model.load_device, "euler", "normal", 1.0)
            samples = ksampler.sample(
                noise, positive, negative, 3.0, image, denoise_mask=mask, callback=callback, seed=5
            )
        assert steps == [(i, 3) for i in range(3)], steps
        return ({"samples": samples},)


class Interval(comfy.samplers.CFGGuider):
    """Guides only between two sigmas."""

    def set_interval(self, low, high):
        self.low, self.high = low, high

    def predict_noise(self, x, timestep, model_options=None, seed=None):
        cfg = self.cfg if self.low <= timestep[0].item() <= self.high else 1.0
        positive, negative = self.conds.get("positive", None), self.conds.get("negative", None)
        return comfy.samplers.sampling_function(
            self.inner_model, x, timestep, negative, positive, cfg, model_options=model_options, seed=seed
        )


class ByHand(comfy.samplers.CFGGuider):
    """Writes the formula out, and notes the runs that it surrounds."""

    runs = 0

    def predict_noise(self, x, timestep, model_options=None, seed=None):
        conds = [self.conds["positive"], self.conds["negative"]]
        toward, away = comfy.samplers.calc_cond_batch(self.inner_model, conds, x, timestep, model_options)
        self.told = model_options["transformer_options"]["sample_sigmas"].tolist()
        return comfy.samplers.cfg_function(
            self.inner_model, toward, away, self.cfg, x, timestep, model_options, conds[0], conds[1]
        )

    def outer_sample(self, *args, **kwargs):
        self.runs += 1
        return super().outer_sample(*args, **kwargs)


class Guides:
    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "model": ("MODEL",),
                "positive": ("CONDITIONING",),
                "negative": ("CONDITIONING",),
                "cfg": ("FLOAT", {"default": 3.0}),
                "kind": (["plain", "interval", "never", "by hand"],),
            }
        }

    RETURN_TYPES = ("GUIDER",)
    FUNCTION = "guide"
    CATEGORY = "own"

    def guide(self, model, positive, negative, cfg, kind):
        if kind == "plain":
            guider = comfy.samplers.CFGGuider(model)
        elif kind == "by hand":
            guider = ByHand(model)
        else:
            guider = Interval(model)
            guider.set_interval(*((0.0, 1e9) if kind == "interval" else (1e9, 1e9)))
        guider.set_conds(positive, negative)
        guider.set_cfg(cfg)
        return (guider,)


NODE_CLASS_MAPPINGS = {
    "Test Guides": Guides,
    "Test Makes": Makes,
    "Test Runs": Runs,
    "Test Wraps": Wraps,
}
