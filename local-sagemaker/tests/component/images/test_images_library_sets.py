"""Library sets: what is planned for an image, how a set is made, and what scripts in it see."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local_sagemaker import images
from local_sagemaker.cli import lines
from local_sagemaker.cli import main as command
from local_sagemaker.config import Settings
from local_sagemaker.images.image import Program
from local_sagemaker.images.libraries import ImageLibraries, LibrarySets, NoPython, NotPrepared, catalogue, interpreters
from local_sagemaker.images.libraries import plan as plans
from local_sagemaker.images.libraries.interpreters import Interpreter
from local_sagemaker.processes import ForkedProcesses
from local_sagemaker.tuning.ranges import Categorical
from local_sagemaker.tuning.sampling import Observation, SearchState
from local_sagemaker.tuning.suggestions import Suggestions
from tests.analyzer_jobs import JobFolder
from tests.component.conftest import ProgramRun

SKLEARN, XGBOOST = "sagemaker-scikit-learn:1.4-2-cpu-py3", "sagemaker-xgboost:3.0-5"
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


def having(*minors: str) -> Callable[[str], Interpreter | None]:
    """A machine with these Pythons."""

    def find(minor: str) -> Interpreter | None:
        program = Path(f"/usr/bin/python{minor}")
        return Interpreter(program, f"{minor}.9", program, Path("/usr")) if minor in minors else None

    return find


def image(name: str) -> ImageLibraries:
    found = images.libraries_of(images.ImageUri.parse(f"683313688378.dkr.ecr.us-east-1.amazonaws.com/{name}"))
    assert found
    return found


def test_an_image_runs_on_its_own_python_where_that_is_installed() -> None:
    plan = plans.make(image(SKLEARN), having("3.9", "3.10", "3.11", "3.12"))
    assert (plan.interpreter.minor, plan.versions["pandas"], plan.differences) == ("3.10", "2.2.3", ())


def test_the_nearest_python_is_taken_else_and_what_differs_is_named() -> None:
    plan = plans.make(image(SKLEARN), having("3.11", "3.13"))
    assert plan.differences == ("Python 3.11 (image: 3.10)",)
    plan = plans.make(image(SKLEARN), having("3.13"))
    assert plan.differences[0] == "Python 3.13 (image: 3.10)"
    assert "scikit-learn 1.5.2 (image: 1.4.2)" in plan.differences
    assert plan.versions["numpy"] == "2.1.0"


def test_the_choice_of_boto3_is_listed_and_logs_say_only_what_can_change_a_result() -> None:
    plan = plans.make(image(XGBOOST), having("3.10"))
    assert plan.differences == ("boto3 1.28.57 (image: 1.17.52)",)
    assert plans.select_for_log(plan.image, plan.differences) == []
    plan = plans.make(image(XGBOOST), having("3.11"))
    assert plans.select_for_log(plan.image, plan.differences) == ["Python 3.11 (image: 3.10)"]


def test_every_image_has_a_plan_for_every_python_that_the_service_runs_on() -> None:
    for known in catalogue.list_images():
        for minor in ("3.11", "3.12", "3.13"):
            assert plans.make(known, having(minor)).interpreter.minor == minor


def test_a_machine_without_a_fitting_python_is_told_how_to_get_one() -> None:
    with pytest.raises(NoPython, match=r"scikit-learn:1\.4-2 needs Python 3\.10 .*local-sagemaker images prepare"):
        plans.make(image(SKLEARN), having())


def test_an_unknown_tag_has_the_libraries_of_the_one_before_it_and_says_so() -> None:
    found = image("sagemaker-scikit-learn:1.3-7")
    assert found.tag == "1.2-1"
    assert found.notes == ("tag 1.3-7 is not known here, the libraries are those of 1.2-1",)


def test_scripts_algorithm_and_model_server_of_an_old_image_have_its_library() -> None:
    found, uri = images.find("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.2-2", "process")
    for program in (found.process(uri, ["python3", "a.py"], None), found.train(uri), found.serve(uri, {})):
        assert program.libraries
        assert (program.libraries.libraries["xgboost"], program.libraries.notes) == ("1.2.0", ())


def test_the_analyzers_have_one_set_that_the_service_chose_whatever_their_tags() -> None:
    names = ("sagemaker-clarify-processing:1.0", "sagemaker-model-monitor-analyzer", "analyzers",
             "sagemaker-model-monitor-groundtruth-merger:latest")  # fmt: skip
    found = [image(name) for name in names]
    assert {item.name for item in found} == {"analyzers:1.0"}
    assert not any(item.notes for item in found)
    for name in names[:2]:
        kind, uri = images.find(name, "process")
        assert kind.process(uri, None, None).libraries == found[0]
    with pytest.raises(NoPython, match=r"analyzers:1\.0 needs Python 3\.10 or 3\.11 or 3\.12 or 3\.13,"):
        plans.make(found[0], having("3.9"))


def test_the_note_of_a_tag_is_no_part_of_the_set_that_another_one_shares() -> None:
    found = image("sagemaker-scikit-learn:1.3-7")
    plan = plans.make(found, having("3.10"))
    assert plan.differences == plans.make(image("sagemaker-scikit-learn:1.2-1"), having("3.10")).differences
    assert plans.select_for_log(found, plan.differences) == list(found.notes)


def small(**changes: object) -> ImageLibraries:
    """An image that is made in a moment."""
    content = {"repository": "small", "tag": "1", "python": OWN, "libraries": {"six": "1.16.0"}, **changes}
    return ImageLibraries(**content)  # type: ignore[arg-type]


def test_two_that_need_a_set_at_once_make_it_once(tmp_path: Path) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: LibrarySets(tmp_path).require(small(), said.append), range(4)))
    assert len({item.folder for item in made}) == 1
    assert made[0].versions["six"] == "1.16.0"
    assert sum(line.startswith("Prepared small:1") for line in said) == 1
    assert [item.name for item in LibrarySets(tmp_path).all()] == ["small:1"]


def test_a_set_that_cannot_be_made_leaves_nothing_and_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotPrepared, match=r"small:1 cannot be installed\. Try: local-sagemaker images prepare small:1"):
        LibrarySets(tmp_path).require(small(libraries={"six": "0.0.1.dev7"}), lambda _: None)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    with pytest.raises(NotPrepared, match=r"cannot be reached.*local-sagemaker images prepare small:1"):
        LibrarySets(tmp_path).require(small(), lambda _: None)
    assert not [path for path in (tmp_path / "images").rglob("*") if path.name != ".lock" and path.is_file()]


def test_what_a_killed_builder_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / "images" / "small-1" / ".making-1-python"
    (left / "lib").mkdir(parents=True)
    sets = LibrarySets(tmp_path)
    assert sets.require(small(), lambda _: None).works
    assert not left.exists()
    assert sets.remove(small()) == 1
    assert sets.find(small()) is None


def test_the_commands_name_what_they_do_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["images", "prepare", "no-such:1"]) == 1
    assert "No libraries are known for 'no-such:1'. Known repositories: " in capsys.readouterr().err


def test_the_command_lists_each_image_with_its_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["images"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("sagemaker-xgboost:3.0-5"))
    assert "prepared" in line
    assert "xgboost 3.0.5" in line


def test_the_list_fits_a_terminal_of_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "terminal_width", lambda: 80)
    assert command(["images"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert not [line for line in shown if len(line) > 80 and "/" not in line]
    at = next(number for number, line in enumerate(shown) if line.startswith("sagemaker-xgboost:3.0-5"))
    assert shown[at + 1].startswith("    xgboost 3.0.5, scikit-learn 1.5.2, ")


def script(run: ProgramRun, name: str, code: str) -> str:
    """Runs a Python script as a processing job of an image; what it printed."""
    file = run.write("processing/input/code/script.py", textwrap.dedent(code))
    found, uri = images.find(name, "process")
    place = f"/opt/ml/{file.relative_to(run.ml)}" if run.processes.isolation.namespaces else str(file)
    program = found.process(uri, ["python3", place], None)
    assert run.run(program) == 0, run.log
    return run.log


def test_a_monitors_own_script_sees_the_libraries_of_its_set(tmp_path: Path) -> None:
    jobs = JobFolder(tmp_path / "ml")
    code = """
        import importlib.metadata, json, sys
        from pathlib import Path

        def postprocess_handler():
            found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
            found["python"] = "%d.%d" % sys.version_info[:2]
            Path("/opt/ml/processing/output/seen.json").write_text(json.dumps(found))
    """
    jobs.write("processing/input/after.py", textwrap.dedent(code))
    rows, kind = {"a.csv": "1,0.5\n2,1.5\n"}, {"csv": {"header": False}}
    ended = jobs.monitor(rows, kind, post_analytics_processor_script="/opt/ml/processing/input/after.py")
    assert ended.code == 0
    seen, found = ended.json("seen.json"), plans.make(image("analyzers"))
    assert seen["python"] == found.interpreter.minor
    assert {name: seen[name] for name in found.versions} == found.versions
    assert not {"starlette", "moto", "sagemaker", "local-sagemaker", "model-checks"} & set(seen)


def test_without_its_libraries_the_model_of_a_tuning_job_leaves_the_next_point_to_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    processes = ForkedProcesses(settings=Settings(home=tmp_path / "home", cache=tmp_path / "cache"), load=False)
    tried = [Observation({"color": color}, float(number)) for number, color in enumerate(("red", "green", "blue"))]
    space = (Categorical("color", ("red", "green", "blue", "white")),)
    try:
        found = Suggestions(processes, tmp_path / "jobs")(SearchState("Bayesian", space, 1, 3, tried, minimise=True))
    finally:
        processes.close()
    assert found == {"color": "white"}
    assert "local-sagemaker images prepare analyzers:1.0" in caplog.text
    assert not list((tmp_path / "jobs").iterdir())


VERSIONS = """
    import importlib.metadata, importlib.util, json, sys
    lacks = [name for name in ("sagemaker", "moto", "starlette", "uvicorn", "uvloop", "httptools", "mlflow", "shap",
                               "local_sagemaker", "model_checks", "rich") if importlib.util.find_spec(name)]
    import pandas, sklearn, numpy, boto3
    print(json.dumps({"python": "%d.%d" % sys.version_info[:2], "seen": lacks, "pandas": pandas.__version__,
        "scikit-learn": sklearn.__version__, "numpy": numpy.__version__, "boto3": boto3.__version__,
        "xgboost": importlib.metadata.version("xgboost") if importlib.util.find_spec("xgboost") else None}))
"""


@pytest.mark.parametrize("name", [SKLEARN, XGBOOST])
def test_a_script_sees_what_its_image_has_and_nothing_of_the_service(program_run: ProgramRun, name: str) -> None:
    plan = plans.make(image(name))
    seen = json.loads(script(program_run, name, VERSIONS).splitlines()[-1])
    assert seen.pop("seen") == []
    assert seen.pop("python") == plan.interpreter.minor
    assert seen == {library: plan.versions.get(library) for library in seen}


def test_what_differs_from_the_image_is_in_the_log(program_run: ProgramRun) -> None:
    differing = small(python="3.6", instead={OWN: {}}, notes=("tag 2 is not known here",))
    program = Program(("python3", "-c", "print('ran')"), libraries=differing)
    assert program_run.run(program) == 0, program_run.log
    lines = program_run.log.splitlines()
    assert lines[-2:] == [
        f"The image small:1 here: tag 2 is not known here; Python {OWN} (image: 3.6)", "ran",
    ]  # fmt: skip


def test_a_library_that_a_script_installs_is_the_one_that_it_imports(program_run: ProgramRun) -> None:
    code = """
        import subprocess, sys
        subprocess.check_call([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "python-dateutil==2.8.1"])
        import pandas, dateutil
        print(dateutil.__version__)
    """
    assert script(program_run, SKLEARN, code).splitlines()[-1] == "2.8.1"


def test_scripts_import_the_packages_of_the_xgboost_container(program_run: ProgramRun) -> None:
    program_run.write("input/data/train/a.csv", "1,2,3\n0,4,\n")
    code = """
        import sys
        say = lambda *values: print("=", *values)
        from sagemaker_containers.beta.framework import content_types, encoders, worker
        from sagemaker_xgboost_container import checkpointing, distributed, encoder
        from sagemaker_xgboost_container.data_utils import get_content_type, get_dmatrix
        from sagemaker_algorithm_toolkit.exceptions import UserError

        matrix = get_dmatrix("/opt/ml/input/data/train", "csv")
        say(matrix.num_row(), matrix.num_col(), matrix.get_label().tolist())
        say(get_dmatrix("/opt/ml/input/data/nothing", "csv"), get_content_type("text/csv; label_size=1"))
        try:
            get_content_type("application/json")
        except UserError as error:
            say(type(error).__module__)
        say(encoder.csv_to_dmatrix("1,2\\n3,4").num_row(), encoder.decode(b"0 1:5 3:2", "text/libsvm").num_col())

        def train(matrix, is_master):
            say("trained", matrix.num_row(), is_master)

        distributed.rabit_run(exec_fun=train, args={"matrix": matrix}, include_in_training=True, hosts=["algo-1"],
                              current_host="algo-1", update_rabit_args=True)
        import xgboost
        arguments = dict(params={"max_depth": 2}, dtrain=matrix, num_boost_round=7, evals=[(matrix, "train")])
        checkpointing.train(arguments, "/opt/ml/checkpoints")
        say(checkpointing.load_checkpoint("/opt/ml/checkpoints"))
        say(encoders.encode([1, 2], content_types.JSON), worker.Response("a", "text/csv").mimetype)
        say("local_sagemaker" in sys.modules)
        from sagemaker_xgboost_container import callback, handler_service, serving
        from sagemaker_xgboost_container.metrics.custom_metrics import accuracy, configure_feval, get_custom_metrics
        hooks = []
        callback.add_debugging(hooks, {}, matrix)
        say(hooks, sorted(get_custom_metrics(["auc", "f1", "mse"])), configure_feval(["mse"])([1.0, 2.0], matrix))
        say(accuracy(matrix.get_label() - 0.5, matrix), serving.default_input_fn("1,2", "text/csv").num_col())
        say(handler_service.HandlerService()._service is not None)
        for refused in ("from sagemaker_xgboost_container import algorithm_mode",
                        "import sagemaker_xgboost_container.algorithm_mode.train_utils as t"):
            try:
                exec(refused)
            except ModuleNotFoundError as error:
                say(str(error).split(". There are")[0])
    """
    if not program_run.processes.isolation.namespaces:
        pytest.skip("the script names /opt/ml, which is rewritten here in the code folder only")
    lines = [line[2:] for line in script(program_run, XGBOOST, code).splitlines() if line.startswith("= ")]
    assert lines == [
        "2 2 [1.0, 0.0]", "None csv", "sagemaker_algorithm_toolkit.exceptions", "2 4", "trained 2 True",
        "('/opt/ml/checkpoints/xgboost-checkpoint.6', 7)", "[1, 2] application/json", "False",
        "[] ['f1', 'mse'] [('mse', 2.0)]", "('accuracy', 1.0) 2", "True",
        "sagemaker_xgboost_container.algorithm_mode: the image has this module, its stand-in here has not",
        "sagemaker_xgboost_container.algorithm_mode: the image has this module, its stand-in here has not",
    ]  # fmt: skip


@pytest.mark.parametrize(("tag", "there"), [("0.23-1", True), ("1.0-1", True), ("1.2-1", True), ("1.4-2", False)])
def test_images_built_in_miniconda_have_what_conda_needs(tag: str, there: bool) -> None:
    """AWS's own preprocessing scripts import requests, which the requirements of these images do not name."""
    found = catalogue.find("sagemaker-scikit-learn", tag)
    assert found is not None and ({"requests", "tqdm"} <= set(found.packages)) is there


def test_scripts_import_the_packages_of_the_scikit_learn_container(program_run: ProgramRun) -> None:
    code = """
        import sagemaker_training.environment, sagemaker_training.params, sagemaker_training.entry_point
        from sagemaker_inference import content_types, decoder, encoder, errors
        from sagemaker_sklearn_container import handler_service, serving
        import retrying
        handler_service.HandlerService()
        print(decoder.decode("1,2\\n3,4", content_types.CSV).shape, serving.default_input_fn("1,2", "text/csv"))
    """
    assert script(program_run, SKLEARN, code).splitlines()[-1] == "(2, 2) [1. 2.]"


IN_IMAGES = ("processes", "containers", "functions/entry.py", "functions/runtime.py", "image_programs.py",
             "fresh_interpreter.py", "xgboost_names.py", "hook")  # fmt: skip
OF_THE_SERVICE = ("client.py", "spec.py")


@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_programs_of_images_are_written_for_every_python_of_images(minor: str) -> None:
    """Syntax by the compiler of each; what they use of the library, by an import of those that need no other."""
    interpreter = interpreters.find(minor)
    if interpreter is None:
        pytest.skip(f"no Python {minor} on this machine")
    package = Path(images.__file__).parents[1]
    places = [package / part for part in IN_IMAGES]
    found = [file for place in places for file in ([place] if place.suffix else place.rglob("*.py"))]
    files = [str(file) for file in found if "analyzers" not in file.parts and file.name not in OF_THE_SERVICE]
    compiled = "import sys\nfor name in sys.argv[1:]:\n    compile(open(name, 'rb').read(), name, 'exec')"
    subprocess.run([interpreter.path, "-I", "-c", compiled, *files], check=True, timeout=120)
    modules = ["processes.fork_server", "processes.child", "functions.entry", "functions.runtime", "xgboost_names",
               "containers.toolkit.train", "containers.toolkit.source", "containers.failure",
               "containers.http_connection"]  # fmt: skip
    code = "import sys; sys.path.insert(0, sys.argv[1]); import image_programs, importlib; image_programs.install()\n"
    code += "sys.modules['httptools'] = type(sys)('httptools')\n"  # it is in every set, and not in a bare Python
    code += "del sys.path[0]\nfor name in sys.argv[2:]:\n    importlib.import_module('local_sagemaker.' + name)"
    done = subprocess.run(
        [interpreter.path, "-c", code, str(package), *modules], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
