"""The wheel is all that one needs: it works in any folder, without the checkout."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def done(*words, **options):
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy without the files that only a developer has."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in ("quizprop", "migrations", "problem_bank"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    done(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=source)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Run a program of a fresh environment that has the wheel, and this environment's other packages."""
    home = tmp_path_factory.mktemp("home")
    done(sys.executable, "-m", "venv", "--without-pip", home / "venv")
    scripts = home / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / "python"
    done(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    places = done(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # A folder named in a .pth file is searched, but its own .pth files, such as the checkout's, are not read.
    (Path(places) / "others.pth").write_text(sysconfig.get_path("purelib"))
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "QUIZPROP", "COVERAGE"))
    }

    def run(program, *words):
        return done(scripts / program, *words, cwd=home, env={**kept, "XDG_DATA_HOME": str(home / "data")})

    return run


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"quizprop"}
    for file in ("_data/problem_bank/mazur.toml", "_data/migrations/env.py", "web/static/quizprop.css", "py.typed"):
        assert f"quizprop/{file}" in names


def test_the_commands_work_outside_the_checkout(installed):
    where = installed("python", "-c", "import quizprop; print(quizprop.__file__)")
    assert str(ROOT) not in where
    assert "mazur-like" in installed("quizprop", "bank", "list")
    assert "0.149780716" in installed("quizprop", "solve", "mazur")
    assert "is at revision" in installed("quizprop", "db", "upgrade")
    assert "as this release wants it" in installed("quizprop", "db", "check")


def test_the_website_works_outside_the_checkout(installed):
    code = """
from quizprop.web.app import create_app
client = create_app().test_client()
print(client.get("/").status_code, client.get("/static/quizprop.css").status_code)
"""
    assert installed("python", "-c", code).split() == ["200", "200"]


def test_the_source_distribution_has_what_its_tests_read_and_its_texts_show(tmp_path):
    done(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", tmp_path, cwd=ROOT)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    shown = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {".github/exercise.png", "CONTRIBUTING.md"} <= set(shown)
    assert {*shown, "Containerfile", ".containerignore", ".ci/run", "Makefile", "tests/test_house.py"} - names == set()
