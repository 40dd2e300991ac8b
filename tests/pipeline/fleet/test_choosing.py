from random import Random

import pytest
from gearshift.pipeline.fleet import Standing, merit
from gearshift.pipeline.fleet.choosing import Ranked, chooser
from hypothesis import given
from hypothesis import strategies as st

from .drawn import standings, stands

NODES = 5
steps = st.lists(st.tuples(st.sampled_from(["tell", "place", "ended"]), st.integers(0, NODES - 1), standings))


@given(steps)
def test_the_heap_finds_the_node_that_a_look_at_all_of_them_finds(steps: list[tuple[str, int, Standing]]) -> None:
    ranked = Ranked(merit, NODES, sees=True)
    told: list[Standing | None] = [None] * NODES
    ahead = [0] * NODES
    for what, node, standing in steps:
        if what == "tell":
            ranked.tell(node, standing)
            told[node] = standing
        elif what == "place":
            best = max(range(NODES), key=lambda each: (merit(told[each], ahead[each]), -each))
            assert ranked.place() == best
            ahead[best] += 1
        elif ahead[node]:
            ranked.ended(node)
            ahead[node] -= 1


def test_the_fewest_waiting_are_counted_and_standings_are_not_looked_at() -> None:
    choose = chooser("fewest waiting", 3, 0)
    assert not choose.sees
    choose.tell(2, stands("large"))
    assert [choose.place() for _ in range(4)] == [0, 1, 2, 0]
    choose.ended(1)
    assert choose.place() == 1


def test_round_robin_takes_one_after_the_other() -> None:
    choose = chooser("round robin", 3, 0)
    assert [choose.place() for _ in range(5)] == [0, 1, 2, 0, 1]


def test_random_takes_any_and_the_same_ones_for_equal_seeds() -> None:
    first, again, other = (chooser("random", 9, seed) for seed in (1, 1, 2))
    drawn = [[choose.place() for _ in range(200)] for choose in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2] and set(drawn[0]) == set(range(9))


def test_a_function_of_one_s_own_is_a_placement() -> None:
    choose = chooser(lambda standing, ahead: (0 if standing is None else standing.quality, -ahead), 3, 0)
    choose.tell(1, stands("medium"))
    choose.tell(2, stands("large"))
    assert choose.sees and [choose.place() for _ in range(2)] == [2, 2]


def test_what_is_no_placement_is_refused() -> None:
    with pytest.raises(ValueError, match="merit, fresh, fewest waiting, round robin, random, got 'best'"):
        chooser("best", 3, 0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="placement must be a name or a function, got placement=3"):
        chooser(3, 3, 0)  # pyright: ignore[reportArgumentType]


def test_a_reply_is_placed_without_a_look_at_every_node() -> None:
    looks = 0

    def score(standing: Standing | None, ahead: int) -> tuple[float, ...]:
        nonlocal looks
        looks += 1
        return merit(standing, ahead)

    draw, choose = Random(0), Ranked(score, 1000, sees=True)
    for node in range(1000):
        choose.tell(node, stands(draw.choice(["large", "small"])))
    for _ in range(5000):
        choose.ended(choose.place())
    assert looks == 1 + 1000 + 2 * 5000
