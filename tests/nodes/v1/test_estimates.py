"""What packs are told of the estimates that guidance combines."""

from tests.nodes.v1.conftest import node

SEES_ESTIMATES = """
class Sees:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": ("MODEL",)}}

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "patch"

    def patch(self, model):
        def look(args):
            toward, away = args["conds_out"]
            print("negative:", bool(away.any()), [one is None for one in args["conds"]])
            return [toward * 0, away]

        model = model.clone()
        model.set_model_sampler_pre_cfg_function(look)
        return (model,)

NODE_CLASS_MAPPINGS = {"Test Sees": Sees}
"""


def test_where_the_negative_is_not_evaluated_its_estimate_is_zeros(bench_with_model, capsys):
    made = bench_with_model()
    (made.paths.custom_nodes / "sees.py").write_text(SEES_ESTIMATES)
    made = bench_with_model()
    graph = {
        "1": node("CheckpointLoaderSimple", ckpt_name="weft-tiny.safetensors"),
        "2": node("Test Sees", model=["1", 0]),
        "3": node("CLIPTextEncode", clip=["1", 1], text="a hill"),
        "4": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "6": node("VAEDecode", vae=["1", 2], samples=["5", 0]),
        "7": node("PreviewImage", images=["6", 0]),
    }
    for cfg in (1.0, 2.0):
        sampled = node(
            "KSampler", model=["2", 0], seed=0, steps=1, cfg=cfg, sampler_name="euler", scheduler="normal",
            positive=["3", 0], negative=["3", 0], latent_image=["4", 0], denoise=1.0,
        )  # fmt: skip
        assert made.shown(graph | {"5": sampled}, "7")["images"]
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("negative:")] == [
        "negative: False [False, False]",
        "negative: True [False, False]",
    ]
