"""Jobs go where their models and results are, and nobody waits long for it."""

from dataclasses import dataclass, field
from random import Random

from execution.json_text import JsonText
from execution.queue import Waiting
from execution.routing import MOST_PASSES, Router
from execution.traits import Holdings, KnownTraits, Traits, traits_of
from tests.execution.graphs import chain, graph, shown


@dataclass(eq=False)
class Place:
    """A worker that has lately run these jobs."""

    holdings: Holdings = field(default_factory=Holdings)


def holding(*jobs: Waiting) -> Place:
    place = Place()
    for job in jobs:
        place.holdings.add(job.traits)
    return place


def loading(id: str, model: str, number: float = 1) -> Waiting:
    document = graph(_1=("Load", {"ckpt_name": model}), _2=("Sample", {"model": ["1", 0], "seed": hash(id)}))
    return Waiting(id, number, traits=traits_of(document))


A, B = loading("a", "a.safetensors"), loading("b", "b.safetensors")


def test_equal_nodes_have_equal_traits_whatever_their_ids_and_order() -> None:
    other = graph(_9=("Show", {"x": ["7", 0]}), _7=("Make", {"value": 3}))
    assert traits_of(shown(3)) == traits_of(other)
    assert len(traits_of(shown(3)).nodes & traits_of(shown(4)).nodes) == 0
    assert traits_of(graph(_1=("Load", {"name": "sub/x.SafeTensors", "text": "no.txt"}))).files == {"sub/x.SafeTensors"}


def test_traits_are_remembered_of_each_graph_by_its_whole_text() -> None:
    known = KnownTraits()
    first, second = known.of(JsonText.of(shown(3))), known.of(JsonText.of(shown(4)))
    assert (first, second) == (traits_of(shown(3)), traits_of(shown(4)))
    assert known.of(JsonText.of(shown(3))) is first


def test_what_is_no_graph_has_no_traits() -> None:
    circle = graph(_1=("Pass", {"x": ["2", 0]}), _2=("Pass", {"x": ["1", 0]}))
    assert traits_of(circle) == traits_of([]) == Traits()
    assert traits_of(chain(5000)).nodes == frozenset()


def test_a_job_goes_to_the_worker_that_holds_its_model() -> None:
    of_a, of_b = holding(A), holding(B)
    assert Router().choose([loading("x", "b.safetensors")], [of_a, of_b], [])[1] is of_b
    assert Router().choose([loading("x", "a.safetensors")], [of_a, of_b], [])[1] is of_a


def test_of_equal_models_the_results_decide_and_else_the_emptiest() -> None:
    same_model, same_job, empty = holding(loading("x", "a.safetensors")), holding(A), Place()
    assert Router().choose([A], [same_model, same_job, empty], [])[1] is same_job
    assert Router().choose([loading("y", "c.safetensors")], [same_model, same_job, empty], [])[1] is empty


def test_alternating_models_stay_where_they_are_loaded() -> None:
    of_a, of_b = holding(A), holding(B)
    job, worker = Router().choose([B, A], [of_a], [of_b])
    assert (job.id, worker) == ("a", of_a)


def test_no_worker_idles_while_a_job_waits() -> None:
    of_a, of_b = holding(A), holding(B)
    assert Router().choose([B], [of_a], [of_b]) == (B, of_a)
    assert Router().choose([B, loading("c", "c.safetensors")], [of_a], [of_b]) == (B, of_a)


def test_a_job_is_passed_over_only_so_often() -> None:
    of_a, of_b, router = holding(A), holding(B), Router()
    chosen = [router.choose([B, A], [of_a], [of_b])[0].id for _ in range(MOST_PASSES + 1)]
    assert chosen == ["a"] * MOST_PASSES + ["b"]


def test_a_job_put_in_front_waits_for_nobody() -> None:
    of_a, of_b = holding(A), holding(B)
    urgent = loading("u", "b.safetensors", number=-1)
    assert Router().choose([urgent, A], [of_a], [of_b]) == (urgent, of_a)


def test_holdings_forget_the_oldest_first() -> None:
    holdings = Holdings(most_files=2, most_nodes=2)
    for model in ("a", "b", "c"):
        holdings.add(Traits(frozenset({model}), frozenset({hash(model)})))
    assert [holdings.shared(Traits(frozenset({model})))[0] for model in "abc"] == [0, 1, 1]
    assert len(holdings) == 4


def test_twenty_alternating_jobs_of_two_models_load_each_model_once() -> None:
    """Each job takes a random time; a worker that has no holdings of a job's model loads it."""
    generator, router = Random(3), Router()
    workers, ends, loads = [Place(), Place()], [0.0, 0.0], 0
    queue = [loading(str(number), f"{'ab'[number % 2]}.safetensors") for number in range(20)]
    while queue:
        now = min(ends)
        idle = [worker for worker, end in zip(workers, ends, strict=True) if end <= now]
        busy = [worker for worker, end in zip(workers, ends, strict=True) if end > now]
        job, worker = router.choose(queue, idle, busy)
        queue.remove(job)
        loads += worker.holdings.shared(job.traits)[0] == 0
        worker.holdings.add(job.traits)
        ends[workers.index(worker)] = now + generator.uniform(1, 1.3)
    assert loads == 2
