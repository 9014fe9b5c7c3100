"""Patches of a model that work in pairs, and what packs keep with a model from one node to the next."""

import pytest
import torch

from models.sampling.samplers.table import SAMPLERS
from nodes.v1.values import to_foreign, to_ours
from tests.nodes.v1.studio import assert_close, studios

EULER = SAMPLERS["euler"]


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    yield from studios(tmp_path_factory.mktemp("pairs"))


def test_what_goes_into_an_attention_may_be_repeated_if_its_output_is_joined_again(studio):
    def twice(q, k, v, options):
        """Repeats the rows of the positive prompt, and marks them in the list of rows."""
        rows = options["cond_or_uncond"]
        parts = list(zip(rows, q.chunk(len(rows)), k.chunk(len(rows)), v.chunk(len(rows)), strict=True))
        more = [part for part in parts for _ in range(2 if part[0] == 0 else 1)]
        rows[:] = [row for row, *_ in more]
        return tuple(torch.cat([part[index] for part in more]) for index in (1, 2, 3))

    def once(out, options):
        """Joins the repeated rows, and puts the list back."""
        rows = options["cond_or_uncond"]
        parts = dict(zip(rows, out.chunk(len(rows)), strict=True))
        rows[:] = sorted(parts)
        return torch.cat([parts[row] for row in rows])

    handle = to_foreign(studio.model)
    handle.set_model_attn2_patch(twice)
    handle.set_model_attn2_output_patch(once)
    assert_close(studio.sampled(EULER, model=to_ours(handle)), studio.sampled(EULER))


def test_a_note_of_one_patch_reaches_the_others_of_its_place_and_no_other_place(studio):
    seen = []

    def write(q, k, v, options):
        seen.append("note" in options)
        options["note"] = (options["block"], options["block_index"])
        return q, k, v

    def read(out, options):
        assert options["note"] == (options["block"], options["block_index"])
        return out

    handle = to_foreign(studio.model)
    handle.set_model_attn1_patch(write)
    handle.set_model_attn1_output_patch(read)
    studio.sampled(EULER, model=to_ours(handle))
    assert seen
    assert not any(seen)


def test_what_a_pack_keeps_with_a_model_is_there_for_its_later_nodes_and_not_on_the_original(studio):
    original = to_foreign(studio.model)
    handle = original.clone()
    handle.set_attachments("regions", patches := object())
    later = to_foreign(to_ours(handle)).clone()
    assert later.get_attachment("regions") is patches
    assert original.get_attachment("regions") is None
    later.remove_attachments("regions")
    assert later.get_attachment("regions") is None
    assert handle.get_attachment("regions") is patches
