# SPDX-License-Identifier: Apache-2.0
"""The wheel: what it is called, what is in it, and that it works where nothing else is."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.apart

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYUSDT", "USDT"))}


def run(*command: object, cwd: Path | None = None, **env: str) -> str:
    """The command's output; a failure shows all of it."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=CLEAN | env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(shared_checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    pip_wheel = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
    run(*pip_wheel, "-w", target, ".", cwd=shared_checkout)
    (path,) = target.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and without its dependencies."""
    target = tmp_path_factory.mktemp("installed")
    venv.create(target, symlinks=True)
    python = target / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel)
    return target


@pytest.mark.skipif(FREE_THREADED, reason="a free-threaded build has no stable ABI")
def test_one_wheel_for_every_python(wheel: Path) -> None:
    assert "-cp312-abi3-linux_" in wheel.name


def test_wheel_holds_library_types_and_scripts(wheel: Path, tracked: list[str]) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in tracked if name.startswith("pyusdt/") and name != "pyusdt/scripts"}
    scripts = {f"pyusdt/{name}" for name in tracked if name.startswith("scripts/")}
    assert package | scripts <= inside
    assert {name for name in inside if name.endswith("/libpyusdt.abi3.so")} or FREE_THREADED
    assert "pyusdt/libpyusdt_compat.so" in inside
    assert not [name for name in inside if name.endswith((".c", ".h", ".pyc"))]


PLUGINS = """
import sys
from importlib.metadata import entry_points
print([(found.name, found.value) for found in entry_points(group="pytest11")])
print("pyusdt" in sys.modules)
"""


def test_the_plugin_of_pytest_is_found_without_the_core(installed: Path) -> None:
    said = run(installed / "bin" / "python", "-c", PLUGINS, cwd=installed)
    assert said == "[('pyusdt', 'pyusdt_pytest')]\nFalse\n"
    assert list(installed.glob("lib/*/site-packages/pyusdt_pytest.py"))


def test_man_pages_are_installed(installed: Path, tracked: list[str]) -> None:
    pages = {Path(name).name for name in tracked if name.startswith("man/")}
    assert {path.name for path in (installed / "share/man/man1").iterdir()} == pages
    assert "pyusdt.1" in pages


def test_import_needs_no_third_party(installed: Path) -> None:
    code = "import pyusdt; print(pyusdt.__file__)"
    assert str(installed) in run(installed / "bin" / "python", "-c", code, cwd=installed)


def test_probes_of_provider_python_are_found(installed: Path) -> None:
    code = "import pyusdt"
    said = run(installed / "bin" / "python", "-c", code, cwd=installed, PYUSDT_VERBOSE="1")
    assert said.splitlines() == ["pyusdt: ready"], "it says so where they are missing"


HOOK, PLUGIN = "pyusdt_hook.pth", "pyusdt_pytest.py"
LOADED = "import sys; print('pyusdt' in sys.modules)"


def test_the_start_up_hook_is_installed(installed: Path, wheel: Path) -> None:
    assert HOOK in zipfile.ZipFile(wheel).namelist()
    python = installed / "bin" / "python"
    for options in ([], ["-s"], ["-P"]):
        assert run(python, *options, "-c", LOADED, cwd=installed) == "False\n"
        assert run(python, *options, "-c", LOADED, cwd=installed, PYUSDT="1") == "True\n"
    for option in ("-S", "-E", "-I"):
        assert run(python, option, "-c", LOADED, cwd=installed, PYUSDT="1") == "False\n"


def test_the_start_up_hook_of_a_package_that_is_gone(wheel: Path, tmp_path: Path) -> None:
    """It goes with the package; one that stays behind does no harm."""
    venv.create(tmp_path, symlinks=True)
    python = tmp_path / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "-q", "--no-deps", wheel)
    (hook,) = tmp_path.glob(f"lib/*/site-packages/{HOOK}")
    content = hook.read_bytes()
    run(*pip, "uninstall", "-q", "-y", "pyusdt")
    assert not hook.exists()
    hook.parent.mkdir(exist_ok=True)
    hook.write_bytes(content)
    assert run(python, "-c", LOADED, cwd=tmp_path, PYUSDT="1") == "False\n"


def test_console_script_runs(installed: Path) -> None:
    assert "pyusdt" in run(installed / "bin" / "pyusdt", "--help", cwd=installed)


def test_sdist_holds_all_that_a_build_needs(shared_checkout: Path, tracked: list[str]) -> None:
    run(sys.executable, "setup.py", "-q", "sdist", cwd=shared_checkout)
    (path,) = (shared_checkout / "dist").glob("*.tar.gz")
    with tarfile.open(path) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    needed = {name for name in tracked if name.startswith(("src/", "include/", "man/"))}
    assert needed | {"setup.py", "pyproject.toml", "LICENSE", "README.md", HOOK, PLUGIN} <= inside


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        ("sys.platform = 'darwin'", "pyusdt: needs Linux (USDT probes are Linux uprobes)"),
        ("sys.version_info = (3, 11, 9)", "pyusdt: needs CPython 3.12 or newer (sys.monitoring)"),
        ("sys.implementation.name = 'pypy'", "pyusdt: needs CPython 3.12 or newer"),
    ],
)
def test_refusal_is_one_line(shared_checkout: Path, lie: str, message: str) -> None:
    code = f"import runpy, sys; {lie}; runpy.run_path('setup.py')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=shared_checkout,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


def test_the_scripts_come_with_it(installed: Path) -> None:
    listed = run(installed / "bin" / "pyusdt", "trace", "--list", cwd=installed)
    assert "pycalls [PART]        Which functions are called most?" in listed
