"""The house: what the texts promise exists, and a first visitor is told what is missing."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from quizprop import __version__, cli
from quizprop.web.app import create_app
from quizprop.web.settings import from_environment
from tests.conftest import missing

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
COMMAND = re.compile(r"(?:^|`|\$ |, )quizprop ((?:[a-z-]+ ?)+)", re.MULTILINE)


def commands_in(text):
    """The commands that a text tells to type, in code only."""
    code = re.findall(r"```(?:sh|text)\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    return {found.strip() for block, inline in code for found in COMMAND.findall(f"`{block or inline}")}


def targets():
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.fixture
def make():
    return shutil.which("make") or missing("make", "apt-get install make")


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_that_a_text_names_exists(name):
    for command in commands_in((ROOT / name).read_text(encoding="utf-8")):
        group = cli.main
        for word in command.split():
            if not hasattr(group, "commands"):
                break  # an argument: the name of an exercise
            assert word in group.commands, f"{name}: quizprop {command}"
            group = group.commands[word]


def test_the_readme_shows_the_commands():
    assert {"serve", "solve mazur", "bank list", "db upgrade"} <= commands_in((ROOT / "README.md").read_text())


@pytest.mark.parametrize("name", TEXTS)
def test_every_make_target_that_a_text_names_exists(name):
    assert set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", (ROOT / name).read_text(), re.MULTILINE)) <= {
        (target, "") for target in targets()
    } | {("", target) for target in targets()}


def test_make_explains_every_target(make):
    explained = subprocess.run([make], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([a-z-]+) ", explained, re.MULTILINE)) == targets() - {"help"}


def test_make_says_which_python_it_needs(make, tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        [make, "serve"], cwd=tmp_path, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "quizprop needs Python 3.11 or newer" in done.stderr
    assert "make PYTHON=/path/to/python3.11 serve" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_container_starts_a_command_that_exists_and_looks_at_an_address_that_does(tmp_path):
    lines = dict(
        re.findall(r"^(ENTRYPOINT|CMD|HEALTHCHECK CMD) (\[.*\])$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    )
    (program,), (command, *options) = (json.loads(lines[name]) for name in ("ENTRYPOINT", "CMD"))
    assert program.endswith("/quizprop")
    # Below the program itself: a command remembers its help option, which is named there.
    parent = click.Context(cli.main, **cli.main.context_settings)
    with cli.main.commands[command].make_context(command, options, parent=parent) as context:
        assert (context.params["host"], context.params["port"]) == ("0.0.0.0", 8000)  # noqa: S104 - in the container
    (address,) = re.findall(r"http://127.0.0.1:8000(/\w+)", lines["HEALTHCHECK CMD"])
    app = create_app(
        {
            "DATABASE_URL": f"sqlite:///{tmp_path}/q.sqlite",
            "TRUSTED_HOSTS": from_environment({"QUIZPROP_HOSTS": "a.org"})["TRUSTED_HOSTS"],
        }
    )
    assert app.test_client().get(address, headers={"Host": "127.0.0.1:8000"}).status_code == 200


def test_the_container_has_all_that_is_installed():
    """What the image leaves out is no part of the package."""
    left_out = (ROOT / ".containerignore").read_text().splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", "README.md", "LICENSE", *wheel["packages"], *wheel["force-include"]}
    assert not needed & set(left_out)
    (extras,) = re.findall(r"'/src\[(.*)\]'", (ROOT / "Containerfile").read_text())
    assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])


def test_the_changelog_tells_of_this_version():
    assert f"\n## {__version__} - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_continuous_integration_runs_what_a_developer_runs():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    assert {"set -euo pipefail", "make test", "make lint"} <= set(lines)
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_every_dependency_says_from_which_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [
        project["project"]["dependencies"],
        project["dependency-groups"]["test"],
        project["dependency-groups"]["lint"],
    ]
    assert [each for group in groups for each in group if ">=" not in each] == []
