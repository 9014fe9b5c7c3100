"""Packs call nodes of ours whose inputs stand for several as they call ComfyUI's: with dictionaries."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nodes.image_batch import batch_images
from nodes.image_filters import image_invert
from nodes.image_resize import resize_image_mask
from nodes.shims.own_nodes import own_class
from nodes.spec import spec_of
from nodes.v1.runtime import NotOfferedError

PICTURE = torch.zeros(1, 4, 6, 3)


def own(function: Any) -> Any:
    spec = spec_of(function)
    assert spec is not None
    runtime: Any = SimpleNamespace(classes={})
    return own_class(spec, runtime)()


def test_a_group_is_given_by_the_names_of_its_members() -> None:
    (joined,) = own(batch_images).execute(images={"image0": PICTURE, "image1": PICTURE})
    assert joined.shape == (2, 4, 6, 3)


def test_a_choice_is_given_under_its_own_name_with_what_belongs_to_it() -> None:
    way = {"resize_type": "scale width", "width": 3}
    (resized,) = own(resize_image_mask).execute(input=PICTURE, resize_type=way, scale_method="bilinear")
    assert resized.shape == (1, 2, 3, 3)


def test_a_node_by_schema_is_called_on_its_class_and_its_answer_asked_for_the_result() -> None:
    batch = type(own(batch_images))
    images = {"image0": PICTURE, "image1": PICTURE}
    for answer in (batch.execute(images), batch.execute(images=images), batch().EXECUTE_NORMALIZED(images=images)):
        assert [one.shape[0] for one in answer.result] == [one.shape[0] for one in answer.args] == [2]
        assert answer[0].shape[0] == 2


def test_a_node_by_methods_is_called_on_an_instance_and_gives_a_tuple() -> None:
    invert = own(image_invert)
    assert not hasattr(invert, "EXECUTE_NORMALIZED")
    answer = invert.invert(PICTURE)
    assert isinstance(answer, tuple)
    assert answer[0].eq(1).all()


def test_anything_else_is_refused_with_the_remedy() -> None:
    with pytest.raises(NotOfferedError, match=r"a list for 'images' of the node BatchImagesNode.*give a dictionary"):
        own(batch_images).execute(images=[PICTURE])
