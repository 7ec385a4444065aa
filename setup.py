"""Package metadata: everything is declared here, there is no pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "kedro_kubeflow/__init__.py").read_text("utf-8")).group(1)

MLFLOW = ["mlflow>=3.1,<4", "kedro-mlflow>=2.0.2,<3"]
VERTEXAI = ["google-cloud-aiplatform>=1.91,<2"]

# A person's login in a browser, kept in the system's keyring.
BROWSER = ["Authlib>=1.3,<2", "keyring>=24,<26"]

# What MLFLOW_TRACKING_AUTH may name.
MLFLOW_AUTH = {
    "bearer": "BearerToken",
    "basic": "Basic",
    "command": "TokenCommand",
    "google-oauth": "GoogleOauth",
    "google-iam": "GoogleIAM",
}

setup(
    name="kedro-kubeflow",
    version=VERSION,
    description="Run Kedro projects on Kubeflow Pipelines v2, with one truthful MLflow run",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["kedro_kubeflow", "kedro_kubeflow.*"]),
    include_package_data=True,
    zip_safe=False,
    install_requires=[
        "cachetools>=5.3,<8",
        "click>=8.2,<9",
        "cloudpickle>=3,<4",
        # What looks like a secret in code that goes along with a run.
        "detect-secrets>=1.5,<2",
        "google-auth>=2.23,<3",
        "kedro>=1.2,<2",
        "kedro-datasets>=8,<10",
        # 2.17 is the first whose local runner knows exit handlers.
        "kfp>=2.17,<3",
        "kfp-kubernetes>=2.17,<3",
        "kfp-server-api>=2.17,<3",
        "packaging>=23,<27",
        "pathspec>=0.12,<2",
        "pydantic>=2.5,<3",
        "PyYAML>=6,<7",
        "requests>=2.31,<3",
        "rich>=13,<16",
        "urllib3>=2,<3",
    ],
    extras_require={"mlflow": MLFLOW, "vertexai": VERTEXAI, "browser": BROWSER, "all": [*MLFLOW, *VERTEXAI, *BROWSER]},
    entry_points={
        "console_scripts": ["kedro-kubeflow = kedro_kubeflow.cli.script:main"],
        "kedro.project_commands": ["kubeflow = kedro_kubeflow.cli:commands"],
        # Begins a run on this machine while Kedro still starts; does nothing at any other command.
        "kedro.init": ["kubeflow = kedro_kubeflow.targets.local.beginning:begin_early"],
        "kedro.hooks": ["kubeflow = kedro_kubeflow.hooks:hooks"],
        "kedro.starters": ["kubeflow = kedro_kubeflow.starters:starters"],
        "mlflow.request_auth_provider": [
            f"kedro-kubeflow-{name} = kedro_kubeflow.auth.mlflow.request_auth:{provider}RequestAuthProvider"
            for name, provider in MLFLOW_AUTH.items()
        ],
    },
    keywords="kedro kubeflow kfp mlflow pipelines mlops",
    classifiers=[
        "Development Status :: 5 - Production/Stable",
        "Environment :: Plugins",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering",
        "Typing :: Typed",
    ],
)
