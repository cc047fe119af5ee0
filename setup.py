"""Package metadata. Tool settings are in pyproject.toml.

``pip install .`` brings what defining and starting a pipeline needs, as CodeBuild does on AWS; ``.[local]`` the local
service; ``.[test]`` the tests and checks; ``.[bench]`` what the benchmarks
compare with, too.
"""

from pathlib import Path

from setuptools import find_packages, setup

BASE = [
    "sagemaker>=3.27,<4",  # pipeline definitions; v2 reaches its end of support in 2026
    "boto3>=1.40,<2",  # everything that is not a definition
    "scikit-lego>=0.9,<1",  # carries the abalone data set, so that nothing is downloaded
    "scikit-learn>=1.4",  # preprocessing, in the step scripts and in scikit-lego
    "pandas>=2.1",  # tables, in the step scripts
    "rich>=13",  # the live table of run-pipeline (comes with sagemaker)
    "matplotlib>=3.8",  # plots of the check reports (comes with sagemaker)
]
LOCAL = [
    "xgboost>=3.0.5,<3.1",  # the library of image 3.0-5; the last line that loads the binary models of 1.x
    "botocore>=1.40,<2",  # AWS's service models: requests are parsed, validated and answered from them
    "starlette>=0.40,<2",  # the HTTP edge (comes with sagemaker)
    "uvicorn>=0.30,<1",  # the HTTP server of the service and of model servers (comes with sagemaker)
    "httptools>=0.6,<1",  # uvicorn's C parser: bodies of a GiB stream through it
    "uvloop>=0.19,<1; sys_platform != 'win32'",  # uvicorn's fast event loop
    "moto[iam,sts]>=5.1,<6",  # the neighbours: services where nothing needs to run (IAM, STS, ...)
    "flask>=3,<4",  # moto's own request dispatcher is a WSGI application on it
    "flask-cors>=4",  # the same
    "jsonschema>=4.20",  # validates Clarify's analysis configuration against its published schema
    "awscrt>=0.20",  # CRC-64/NVME in C: the default checksum of the AWS CLI v2
    "jmespath>=1",  # paths in Clarify's and Model Monitor's configurations
    "smclarify>=0.5,<1",  # bias metrics: the library inside the Clarify container
    "scipy>=1.11",  # distances and tests in the monitors
    "datasketches>=5",  # KLL quantile and HyperLogLog sketches of data quality
    "matplotlib>=3.8",  # plots of the Clarify report (comes with sagemaker)
    "pyarrow>=14",  # Parquet channels and datasets (comes with sagemaker)
]
DELIVERY = [
    "matplotlib>=3.8",  # the plot of model-registry compare (comes with sagemaker)
    "xgboost>=3.0.5,<3.1",  # local-model trains and converts models on this machine
    "joblib>=1.3",  # it reads and writes pickled models (comes with scikit-learn)
]
NOTEBOOK = [
    "ipykernel>=6.29",  # the kernel that runs the notebook; brings IPython, which shows pipelines and executions
    "matplotlib>=3.8",  # its plots (comes with sagemaker)
]
TEST = [
    "pytest>=8",  # the tests
    "pytest-timeout>=2",  # a hanging test ends with its stack
    "pytest-xdist>=3.6",  # the tests use all cores
    "hypothesis>=6.100",  # properties of the pure parts
    "awscli>=1.40,<2",  # the AWS CLI as a client of the service
    "nbclient>=0.10",  # runs the notebook from top to bottom
    "nbconvert>=7.16",  # renders a copy of it for readers
    "shap>=0.46",  # the reference that Kernel SHAP is compared with
    "ruff>=0.9",  # lint and format
    "mypy>=1.13",  # types
    "import-linter>=2.1",  # who may import whom
    "boto3-stubs[logs,s3,sagemaker]",  # types of the project code's clients
    "setuptools>=77",  # builds the package without a network, in the test of codebuild-buildspec.yml
    "types-PyYAML",  # the same, for the build specification's test
    "pandas-stubs",  # the same, for frames
]
BENCH = [
    "polars>=1.20",  # describe: what a data-quality baseline is compared with
    "duckdb>=1.2",  # SUMMARIZE: the same
]

setup(
    name="sagemaker-pipelines-project",
    version="0.1.0",
    description="An MLOps project for Amazon SageMaker that also runs on one machine, with no account and no Docker",
    long_description=Path(__file__).with_name("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["pipelines*", "delivery*", "local_sagemaker*"]),
    include_package_data=True,
    package_data={"": ["*.json", "*.html", "*.css", "*.js", "*.txt", "py.typed"]},
    install_requires=BASE,
    extras_require={"local": LOCAL, "delivery": DELIVERY, "notebook": NOTEBOOK, "test": [*LOCAL, *NOTEBOOK, *TEST]},
    entry_points={
        "console_scripts": [
            "get-pipeline-definition = pipelines.get_pipeline_definition:main",
            "run-pipeline = pipelines.run_pipeline:main",
            "check-report = pipelines.check_report:main",
            "model-registry = delivery.model_registry:main",
            "local-model = delivery.local_model.command:main",
            "local-sagemaker = local_sagemaker.cli:main",
        ]
    },
)
