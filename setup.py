"""Package metadata. Tool settings are in pyproject.toml.

``pip install ./model-checks .`` brings what defining and starting a pipeline needs;
``.[test]`` the tests and checks; ``.[bench]`` what the benchmarks compare with, too. The local service and the library
of the checks are distributions of their own, in the folders ``local-sagemaker`` and ``model-checks``:
``pip install ./model-checks ./local-sagemaker '.[local]'`` brings all three.
"""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
LINES = HERE.joinpath("pipelines", "requirements.txt").read_text("utf-8").splitlines()
BASE = [
    *[line for line in LINES if line and not line.startswith("#")],  # builds on AWS install these, too
    "model-checks",  # the analyses that portable checks ship with their jobs: in the folder of that name
]
LOCAL = [
    "local-sagemaker",  # the local service: a distribution of its own, in the folder of that name
]
LOCAL_TEST = [
    "local-sagemaker[test]",  # the same with what its tests need
]
XGBOOST = [  # one library in two distributions, never both: docs/adr/0007-xgboost-without-gpu.md
    "xgboost-cpu>=3.0.5,<3.1; sys_platform != 'darwin'",
    "xgboost>=3.0.5,<3.1; sys_platform == 'darwin'",
]
DELIVERY = [
    "matplotlib>=3.8",  # the plot of model-registry compare (comes with sagemaker)
    *XGBOOST,  # local-model trains and converts models on this machine
    "scikit-learn>=1.4,<2",  # its data set and its split; the models go to images that hold 1.x
    "jsonschema>=4",  # the schema of the stages' configurations (comes with sagemaker)
    "joblib>=1.3",  # it reads and writes pickled models (comes with scikit-learn)
]
NOTEBOOK = [
    "ipykernel>=6.29",  # the kernel that runs the notebook; brings IPython, which shows pipelines and executions
    "matplotlib>=3.8",  # its plots (comes with sagemaker)
]
TEST = [
    "nbclient>=0.10",  # runs the notebook from top to bottom
    "nbconvert>=7.16",  # renders a copy of it for readers
    "ruff>=0.9",  # lint and format
    "mypy>=1.13",  # types
    "import-linter>=2.17",  # who may import whom
    "boto3-stubs[logs,s3,sagemaker]",  # types of the project code's clients
    "cfn-lint>=1.20",  # checks the delivery's templates; AWS's resource schemas, for tools/resource_types.py
    "setuptools>=77",  # builds the wheels without a network, in the tests of the installations
    "types-PyYAML",  # the same, for the build specification's test
    "pandas-stubs",  # the same, for frames
]
BENCH = [
    "local-sagemaker",  # what is measured
    *XGBOOST,  # the models that are served, and the bare server beside
    "shap>=0.46",  # KernelExplainer: what explainability is compared with
    "pyarrow>=14",  # writes the data of ten million rows
    "polars>=1.20",  # describe: what a data-quality baseline is compared with
    "duckdb>=1.2",  # SUMMARIZE: the same
]

setup(
    name="sagemaker-pipelines-project",
    version="0.1.0",
    description="An MLOps project for Amazon SageMaker that also runs on one machine, with no account and no Docker",
    long_description=HERE.joinpath("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["pipelines*", "delivery*"]),
    include_package_data=True,
    package_data={
        "pipelines": ["datasets/*"],
        "delivery": ["project/workflows/*"],
        "": ["*.json", "*.yml", "*.html", "*.css", "*.js", "*.txt", "*.csv", "py.typed"],
    },
    install_requires=BASE,
    extras_require={
        "local": LOCAL,
        "delivery": DELIVERY,
        "notebook": NOTEBOOK,
        "test": [*LOCAL_TEST, *DELIVERY, *NOTEBOOK, *TEST],
        "bench": BENCH,
    },
    entry_points={
        "console_scripts": [
            "get-pipeline-definition = pipelines.get_pipeline_definition:main",
            "run-pipeline = pipelines.run_pipeline:main",
            "check-report = pipelines.check_report:main",
            "model-registry = delivery.model_registry:main",
            "delivery = delivery.project.command:main",
            "local-model = delivery.local_model.command:main",
        ]
    },
)
