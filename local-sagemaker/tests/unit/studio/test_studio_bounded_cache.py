"""What pages keep is bounded by its weight, so that a few large pipelines do not fill the memory."""

from __future__ import annotations

from local_sagemaker.studio.bounded_cache import BoundedCache
from local_sagemaker.studio.graph import svg
from local_sagemaker.studio.pages import execution


def test_the_oldest_go_when_all_are_too_heavy() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    cache = BoundedCache(make, len, 10)
    assert [cache(key) for key in ("aaaa", "bbbb", "aaaa", "cc")] == ["AAAA", "BBBB", "AAAA", "CC"]
    assert (made, cache.weight) == (["aaaa", "bbbb", "cc"], 10)
    assert cache("dddd") == "DDDD"  # in place of bbbb, which was used longest ago
    assert [cache(key) for key in ("aaaa", "cc", "dddd")] == ["AAAA", "CC", "DDDD"]
    assert (made, cache.weight) == (["aaaa", "bbbb", "cc", "dddd"], 10)


def test_what_is_too_heavy_alone_is_made_each_time_and_drives_nothing_out() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key

    cache = BoundedCache(make, len, 4)
    assert [cache(key) for key in ("aa", "longer", "longer", "aa")] == ["aa", "longer", "longer", "aa"]
    assert (made, cache.weight) == (["aa", "longer", "longer"], 2)


def test_many_large_graphs_do_not_pile_up() -> None:
    """Each pipeline, each of its filters and each width of labels has a layout of its own."""
    for number in range(40):
        names = [f"step-{number}-{place}" for place in range(300)]
        nodes = tuple((name, tuple(names[max(0, place - 2) : place])) for place, name in enumerate(names))
        svg.LAYOUTS(svg.WantedLayout(nodes, tuple((name, name) for name in names), sideways=False))
    assert 5_000 < svg.LAYOUTS.weight <= 12_000
    for number in range(3):
        execution.DEFINITIONS('{"Steps": [], "Metadata": {"m": "%s"}}' % (str(number) * 1_000))
    assert 3_000 < execution.DEFINITIONS.weight <= 1 << 20
