"""Which programs need an interpreter that starts anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_sagemaker import fresh_interpreter

INSTALL = "subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'pandas'])\n"


def write(folder: Path, name: str, text: str = "") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("place", ["main.py", "setup_env.py", "tools/deep/install.py", "install.sh"])
def test_code_that_speaks_of_pip(tmp_path: Path, place: str) -> None:
    script = write(tmp_path, "main.py", "import pipeline, pipes\n")
    write(tmp_path, "README.md", "pip install this")
    assert not fresh_interpreter.installs(tmp_path, script)
    write(tmp_path, place, INSTALL)
    assert fresh_interpreter.installs(tmp_path, script)


@pytest.mark.parametrize(
    "text",
    [
        '"""Run pip install first."""\n',
        'def f():\n    """Needs\n    pip install x\n    """\n    return 1\n',
        "class A:\n    'pip'\n    x = 1; 'pip'\n",
        'x = 1  # pip install y\n("a"\n "b")\n',
        "'pip' 'install'  # two\n",
    ],
)
def test_comments_and_docstrings_install_nothing(text: str) -> None:
    assert not fresh_interpreter.speaks_of_pip(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        INSTALL,
        '"""Installs."""\nimport pip\n',
        "x = 'pip install'\n",
        "os.system('pip install x')\n",
        "'pip' + x\n",
        "run(\n    'python',\n    'pip')\n",
        "f(f'{python} -m pip')\n",
        "'pip'.upper()\n",
        'x = """never ended, pip\n',
        "!pip install x\nthis is 'no python\n",
    ],
)
def test_code_that_installs(text: str) -> None:
    assert fresh_interpreter.speaks_of_pip(text.encode())


def test_in_a_shell_a_quoted_word_is_a_command(tmp_path: Path) -> None:
    write(tmp_path, "setup.sh", '"pip"\n')
    assert fresh_interpreter.installs(tmp_path)


@pytest.mark.parametrize("name", ["pathlib.py", "pytest/__init__.py"])
def test_modules_with_the_name_of_a_loaded_one(tmp_path: Path, name: str) -> None:
    write(tmp_path, "main.py")
    write(tmp_path, "pytest/data.csv")
    assert not fresh_interpreter.shadows(str(tmp_path))
    write(tmp_path, name)
    assert fresh_interpreter.shadows(str(tmp_path))


def test_variables_that_only_a_start_reads() -> None:
    read = {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    assert not fresh_interpreter.variables_require_it({"COLOR": "red", **read}, read)
    assert fresh_interpreter.variables_require_it({"OPENBLAS_NUM_THREADS": "17"}, read)
    assert fresh_interpreter.variables_require_it({"PYTHONHASHSEED": "0"}, {})
