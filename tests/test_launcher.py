"""The launcher: what it says when something is missing, and what makes it do a step again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools import launcher

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that holds only the launcher and an empty Rust workspace."""
    root = tmp_path / "checkout"
    (root / "tools").mkdir(parents=True)
    (root / "native").mkdir()
    shutil.copy(ROOT / "novate", root / "novate")
    shutil.copy(ROOT / "tools" / "launcher.py", root / "tools" / "launcher.py")
    (root / "native" / "Cargo.toml").write_text("[workspace]\n")
    return root


def launch(root: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher of `root` with only the programs in the folder `path`."""
    env = {**os.environ, "PATH": str(path)}
    command = [sys.executable, str(root / "novate"), *arguments]
    return subprocess.run(
        command, env=env, cwd=path, capture_output=True, text=True, timeout=60, check=False
    )


def programs(folder: Path, *names: str) -> Path:
    """A folder with executables of these names that do nothing."""
    folder.mkdir()
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("command", ["setup", "test", "demo", "lint"])
def test_all_missing_programs_are_named_at_once(
    checkout: Path, tmp_path: Path, command: str
) -> None:
    done = launch(checkout, programs(tmp_path / "bin"), command)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == "novate: not found on PATH:"
    assert [line.split()[0] for line in lines[1:]] == ["cargo", "rustc", "cc"]
    assert not (checkout / ".venv").exists()


def test_only_the_missing_programs_are_named(checkout: Path, tmp_path: Path) -> None:
    (checkout / "package.json").write_text("{}")
    done = launch(checkout, programs(tmp_path / "bin", "cargo", "rustc", "node"), "setup")
    assert done.returncode == 2
    assert [line.split()[0] for line in done.stderr.splitlines()[1:]] == ["cc", "npm"]


def test_help_needs_nothing(checkout: Path, tmp_path: Path) -> None:
    done = launch(checkout, programs(tmp_path / "bin"), "help")
    assert done.returncode == 0
    assert "./novate COMMAND" in done.stdout
    assert launch(checkout, tmp_path / "bin").returncode == 2


def test_an_old_python_hands_over_to_a_newer_one(checkout: Path, tmp_path: Path) -> None:
    """The first file runs on any Python 3: here with its idea of `oldest` moved into the future."""
    text = (checkout / "novate").read_text()
    (checkout / "novate").write_text(text.replace("OLDEST = (3, 11)", "OLDEST = (3, 29)"))
    folder = programs(tmp_path / "bin")
    done = launch(checkout, folder, "setup")
    assert done.returncode == 2
    assert "Python 3.29 or newer is needed" in done.stderr
    (folder / "python3.30").write_text('#!/bin/sh\n[ "$1" = "-c" ] || echo "newer: $2"\n')
    (folder / "python3.30").chmod(0o755)
    done = launch(checkout, folder, "setup")
    assert (done.returncode, done.stdout) == (0, "newer: setup\n")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Moves the launcher's stamps to a folder of their own; collects the steps that ran."""
    monkeypatch.setattr(launcher, "STAMPS", tmp_path / "stamps")
    return []


def run_step(work: list[str], key: str, present: bool = True) -> None:
    """One step of the launcher that only notes its key."""
    launcher.step("name", key, present, "testing", lambda: work.append(key))


def test_a_step_is_done_once_for_each_key(work: list[str]) -> None:
    for key in ("a", "a", "b", "b", "a"):
        run_step(work, key)
    assert work == ["a", "b", "a"]


def test_a_step_is_done_again_when_its_result_is_gone(work: list[str]) -> None:
    run_step(work, "a")
    run_step(work, "a", present=False)
    assert work == ["a", "a"]


def test_a_failed_step_is_done_again(work: list[str]) -> None:
    def fail() -> None:
        raise launcher.Stop("failed", 1)

    run_step(work, "a")
    with pytest.raises(launcher.Stop):
        launcher.step("name", "b", True, "testing", fail)
    run_step(work, "a")
    assert work == ["a", "a"]


def test_a_key_depends_on_each_part_and_on_their_borders(tmp_path: Path) -> None:
    file = tmp_path / "file"
    keys = {launcher.key_of("ab", "c"), launcher.key_of("a", "bc"), launcher.key_of("abc")}
    keys.add(launcher.key_of(file))
    for content in ("abc ", "abc  "):
        file.write_text(content)
        keys.add(launcher.key_of(file))
    assert len(keys) == 6


def test_builds_with_other_flags_never_share_a_folder() -> None:
    env = launcher.environment()
    env.pop("RUSTFLAGS", None)
    folders = [
        launcher.with_target(chosen)["CARGO_TARGET_DIR"]
        for chosen in (env, env, env | {"RUSTFLAGS": ""}, env | {"RUSTFLAGS": "-C opt-level=1"})
    ]
    assert folders[0] == folders[1]
    assert len(set(folders)) == 3


def test_native_sources_leave_out_what_was_built() -> None:
    sources = [path for path in launcher.native_sources() if isinstance(path, Path)]
    assert ROOT / "native" / "Cargo.lock" in sources
    assert not any("target" in path.relative_to(launcher.NATIVE).parts for path in sources)


def test_old_builds_are_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(launcher, "NATIVE", tmp_path)
    names = [f"{number:016x}" for number in range(4)]
    for age, name in enumerate(names):
        (tmp_path / "target" / name).mkdir(parents=True)
        os.utime(tmp_path / "target" / name, (1_000_000 - age, 1_000_000 - age))
    (tmp_path / "target" / "release").mkdir()
    launcher.forget_old_targets(str(tmp_path / "target" / names[3]))
    kept = {folder.name for folder in (tmp_path / "target").iterdir()}
    assert kept == {names[0], names[3], "release"}


def test_the_build_system_uses_the_pinned_maturin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = project["dependency-groups"]["setup"]
    assert all("==" in pin for pin in pins)
    assert set(project["build-system"]["requires"]) <= set(pins)


def test_the_lock_names_only_the_public_index() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    for package in lock["package"]:
        assert package["source"] in (
            {"registry": "https://pypi.org/simple"},
            {"virtual": "."},
        ), package["name"]
        for file in [*package.get("wheels", []), package.get("sdist")]:
            assert file is None or file["url"].startswith("https://files.pythonhosted.org/")


def test_a_machine_without_forge_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launcher, "NODE_MODULES", tmp_path / "node_modules")
    monkeypatch.setattr(launcher, "call", lambda command: None)
    with pytest.raises(launcher.Stop, match=r"package\.json names no forge for"):
        launcher.npm_install()
