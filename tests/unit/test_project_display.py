"""What a notebook shows of a pipeline and its executions: the graph, where it is drawn, and its colours."""

from __future__ import annotations

import itertools
from typing import Any
from xml.etree import ElementTree

import pytest

from pipelines.display import drawing
from pipelines.display.graph import Edge, Graph, graph_of
from pipelines.display.layout import ScreenSize, lay_out
from tests.project import building

SHOWN = {
    ("PreprocessAbaloneData", "DataQualityCheckStep"),
    ("PreprocessAbaloneData", "DataBiasCheckStep"),
    ("DataQualityCheckStep", "TrainAbaloneModel"),
    ("DataBiasCheckStep", "TrainAbaloneModel"),
    ("TrainAbaloneModel", "AbaloneCreateModel"),
    ("TrainAbaloneModel", "EvaluateAbaloneModel"),
    ("AbaloneCreateModel", "AbaloneTransform"),
    ("AbaloneCreateModel", "ModelBiasCheckStep"),
    ("AbaloneCreateModel", "ModelExplainabilityCheckStep"),
    ("AbaloneTransform", "ModelQualityCheckStep"),
    ("EvaluateAbaloneModel", "CheckMSEAbaloneEvaluation"),
    ("CheckMSEAbaloneEvaluation", "RegisterAbaloneModel"),
    ("ModelQualityCheckStep", "RegisterAbaloneModel"),
    ("ModelBiasCheckStep", "RegisterAbaloneModel"),
    ("ModelExplainabilityCheckStep", "RegisterAbaloneModel"),
}


def step(name: str, kind: str = "Processing", **fields: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": {}, **fields}


def definition(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Parameters": [], "Steps": list(steps)}


def pairs(graph: Graph) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in graph.edges}


def test_the_abalone_graph_leaves_out_only_what_a_longer_way_implies() -> None:
    graph = graph_of(building.stock())
    assert graph.types == building.STEPS
    assert pairs(graph) == SHOWN
    assert {edge.label for edge in graph.edges if edge.source == "CheckMSEAbaloneEvaluation"} == {"yes"}


def test_edges_follow_from_references_depends_on_and_branches() -> None:
    reads = {"Std:Join": {"On": "/", "Values": ["a", {"Get": "Steps.A.Output"}]}}
    condition = step("Gate", "Condition", Arguments={
        "Conditions": [{"Type": "Equals", "LeftValue": {"Get": "Steps.B.Result"}, "RightValue": 1}],
        "IfSteps": [step("Yes", Arguments={"x": {"Get": "Steps.A.Output"}})],
        "ElseSteps": [step("No", "Fail")],
    })  # fmt: skip
    graph = graph_of(definition(step("A"), step("B", Arguments=reads), step("C", DependsOn=["A"]), condition))
    assert pairs(graph) == {("A", "B"), ("A", "C"), ("B", "Gate"), ("Gate", "Yes"), ("Gate", "No")}
    assert {edge.target: edge.label for edge in graph.edges if edge.label} == {"Yes": "yes", "No": "no"}


def test_what_a_longer_way_implies_is_left_out() -> None:
    graph = graph_of(definition(step("A"), step("B", DependsOn=["A"]), step("C", DependsOn=["A", "B"])))
    assert pairs(graph) == {("A", "B"), ("B", "C")}


def test_parameters_and_execution_variables_are_no_steps() -> None:
    arguments = {"a": {"Get": "Parameters.Steps"}, "b": {"Get": "Execution.PipelineExecutionId"}}
    assert pairs(graph_of(definition(step("A", Arguments=arguments)))) == set()


GRAPHS = {
    "empty": Graph({}, ()),
    "one": Graph({"A": "Training"}, ()),
    "apart": Graph(dict.fromkeys("ABC", "Training"), ()),
    "long edge": Graph(
        dict.fromkeys("ABCD", "Training"), (Edge("A", "B"), Edge("B", "C"), Edge("C", "D"), Edge("A", "D", "no"))
    ),
    "wide": Graph(
        dict.fromkeys("ABCDEFGHIJ", "Training"),
        tuple(Edge("A", name) for name in "BCDEFGHI") + tuple(Edge(name, "J") for name in "BCDEFGHI"),
    ),
    "crossed": Graph(dict.fromkeys("ABCDEF", "Training"), (Edge("A", "F"), Edge("B", "E"), Edge("C", "D"))),
}  # fmt: skip


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_boxes_do_not_overlap_and_edges_go_down(graph: Graph) -> None:
    size = ScreenSize()
    layout = lay_out(graph, size)
    for (x, y), (other_x, other_y) in itertools.combinations(layout.centres.values(), 2):
        assert abs(x - other_x) >= size.width or abs(y - other_y) >= size.height
    for x, y in layout.centres.values():
        assert size.width / 2 <= x <= layout.width - size.width / 2
        assert size.height / 2 <= y <= layout.height - size.height / 2
    for edge, route in layout.routes.items():
        assert route[0] == layout.centres[edge.source] and route[-1] == layout.centres[edge.target]
        assert all(upper[1] < lower[1] for upper, lower in itertools.pairwise(route))


def test_a_long_edge_passes_beside_the_boxes_it_skips() -> None:
    size = ScreenSize()
    layout = lay_out(GRAPHS["long edge"], size)
    for x, y in layout.routes[Edge("A", "D", "no")][1:-1]:
        beside = [centre for centre in layout.centres.values() if centre[1] == y]
        assert beside and all(abs(x - other) > size.width / 2 for other, _ in beside)


def test_edges_that_need_not_cross_do_not() -> None:
    layout = lay_out(GRAPHS["crossed"], ScreenSize())
    straight = [abs(route[0][0] - route[-1][0]) for route in layout.routes.values()]
    assert max(straight) < 1


def test_a_box_has_the_colour_of_its_status_and_its_text_is_escaped() -> None:
    graph = Graph({"Train<1>": "Training", "Next": "Model"}, (Edge("Train<1>", "Next"),))
    svg = drawing.draw(graph, {"Train<1>": "Failed"}, {"Train<1>": "2.0 s & more"})
    ElementTree.fromstring(svg)  # well-formed
    fill, border = drawing.COLOURS["Failed"]
    assert f'fill="{fill}" stroke="{border}"' in svg
    assert svg.count("stroke-dasharray") == 1  # Next has not started
    assert "Train&lt;1&gt;" in svg and "2.0 s &amp; more" in svg and "<1>" not in svg


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_it_can_be_read_on_light_and_dark_pages() -> None:
    for fill, _ in [*drawing.COLOURS.values(), drawing.WAITING]:
        assert contrast(fill, drawing.INK) >= 7
    assert contrast(drawing.LINE, "#ffffff") >= 3 and contrast(drawing.LINE, "#111111") >= 3
