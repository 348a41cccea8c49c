"""Sizes, and inputs that are made once and kept: see benches/README.md."""

import hashlib
import os
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benches.measure import ROUNDS, SEED, SIZES, Inputs, Measure
from planner import core

_HERE = Path(__file__).parent
_NO_MAKERS = ("conftest.py", "measure.py", "stages.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--pods 1k,100k,1m`, by default what PLANNER_BENCH_PODS says, else 1k and 100k."""
    default = os.environ.get("PLANNER_BENCH_PODS", "1k,100k")
    parser.addoption("--pods", default=default, help=f"sizes, of {', '.join(SIZES)}")
    parser.addoption("--rounds", type=int, help="of each stage; by default fewer of large fleets")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a size that is not known before anything is collected."""
    for size in config.getoption("--pods").split(","):
        if size not in SIZES:
            raise pytest.UsageError(f"--pods {size}: the sizes are {', '.join(SIZES)}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every bench runs for every size."""
    if "inputs" in metafunc.fixturenames:
        sizes = metafunc.config.getoption("--pods").split(",")
        metafunc.parametrize("inputs", sizes, indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _release_build() -> None:
    if core.BUILD_PROFILE != "release":
        pytest.exit(
            f"the core is a {core.BUILD_PROFILE} build, whose speed says nothing; "
            "run `make setup`, which builds it for release",
            returncode=64,
        )


@pytest.fixture(scope="session")
def inputs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Inputs of one size; lists stay in pytest's cache while what makes them stays as it is."""
    makers = (path for path in sorted(_HERE.glob("*.py")) if path.name not in _NO_MAKERS)
    sources = b"".join(path.read_bytes() for path in makers if not path.match("bench_*"))
    key = hashlib.sha256(sources).hexdigest()[:12]
    return Inputs(
        size=request.param,
        directory=request.config.cache.mkdir(f"fleet-{request.param}-{SEED}-{key}"),
        scratch=tmp_path_factory.mktemp(request.param),
        rounds=request.config.getoption("--rounds") or ROUNDS[request.param],
    )


@pytest.fixture
def measure(benchmark: BenchmarkFixture, inputs: Inputs) -> Measure:
    """Measures one stage at one size."""
    return Measure(benchmark=benchmark, inputs=inputs)
