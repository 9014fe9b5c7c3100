"""Scenes, renders and captions: what the networks learn from."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest

from training.captions import caption
from training.render import placements, render
from training.scene import KINDS, PALETTE, Group, Landscape, Scene, attributes, sample_scene, slots


def scenes(count: int) -> list[tuple[Scene, Random]]:
    rngs = [Random(seed) for seed in range(count)]
    return [(sample_scene(rng), rng) for rng in rngs]


def plain(kind: str, color: str, backdrop: str, count: int = 1, size: str = "medium") -> Scene:
    return Scene((Group(kind, color, count, size, "center"),), backdrop, "flat")


def distance(pixel: np.ndarray, color: str) -> int:
    return int(np.abs(pixel.astype(int) - PALETTE[color]).max())


def test_a_caption_states_nothing_that_the_scene_does_not_show() -> None:
    for scene, rng in scenes(500):
        shown = attributes(scene)
        for slot, value in caption(scene, rng).stated.items():
            assert shown[slot] == value


def test_every_attribute_of_every_scene_has_a_slot() -> None:
    table = slots()
    for scene, _ in scenes(500):
        for slot, value in attributes(scene).items():
            assert value in table[slot]


def test_a_caption_names_the_colors_it_states() -> None:
    for scene, rng in scenes(300):
        said = caption(scene, rng)
        for slot, value in said.stated.items():
            if slot.endswith(".color"):
                assert value in said.text


def test_the_same_lot_gives_the_same_picture() -> None:
    first, second = (render(sample_scene(rng), 64, rng) for rng in (Random(5), Random(5)))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("kind", ["circle", "square", "heart", "star"])
def test_a_shape_on_a_plain_backdrop_has_its_color_inside_and_the_backdrop_outside(kind: str) -> None:
    picture = render(plain(kind, "red", "blue", size="large"), 128, Random(1))
    assert distance(picture[64, 64], "red") < 12
    assert distance(picture[2, 2], "blue") < 12


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_drawn_and_differs_from_the_empty_backdrop(kind: str) -> None:
    picture = render(plain(kind, "purple", "yellow"), 96, Random(2))
    purple = np.abs(picture.astype(int) - PALETTE["purple"]).max(axis=2) < 12
    assert 0.02 < purple.mean() < 0.5


@pytest.mark.parametrize("count", [1, 2, 3])
def test_as_many_objects_are_placed_as_the_group_counts_and_none_overlaps_another(count: int) -> None:
    placed = placements(plain("circle", "red", "white", count), Random(3))
    assert len(placed) == count
    for (_, x, _, scale), (_, next_x, _, _) in pairwise(placed):
        assert next_x - x >= scale


def test_large_things_are_far_larger_than_small_ones() -> None:
    sizes = {
        size: [placements(plain("star", "red", "white", size=size), Random(seed))[0][3] for seed in range(50)]
        for size in ("small", "medium", "large")
    }
    assert max(sizes["small"]) * 1.4 < min(sizes["medium"])
    assert max(sizes["medium"]) * 1.2 < min(sizes["large"])


def test_things_of_two_groups_stand_where_the_scene_says() -> None:
    for scene, rng in scenes(400):
        if len(scene.groups) == 2:
            for group, x, _, _ in placements(scene, rng):
                assert (x < 0.5) == (group.place == "left")


def test_pixel_art_is_made_of_square_cells_of_one_color() -> None:
    scene = Scene((Group("cat", "orange", 1, "large", "center"),), "blue", "pixel")
    picture = render(scene, 128, Random(4))
    cells = picture.reshape(16, 8, 16, 8, 3)
    assert (cells == cells[:, :1, :, :1]).all()


def test_a_landscape_has_its_sky_above_its_ground() -> None:
    scene = Scene((Group("cat", "red", 1, "small", "center"),), Landscape("day", "grass", frozenset()), "flat")
    picture = render(scene, 64, Random(6)).astype(int)
    sky, ground = picture[2, 2], picture[62, 2]
    assert sky[2] > sky[0]
    assert ground[1] > ground[2]
