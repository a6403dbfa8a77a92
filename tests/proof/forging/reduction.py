"""A prover that proves unbalanced buses: the pinned library, edited, built under build/forger.

The stock prover checks that all fractions sum to zero before it reduces them, and stops. Here the
crate is copied from cargo's registry, the statements with that check are cut out by what they say,
and the workspace is built against the copy, under a target folder of its own. What is left is the
library's honest run: a root numerator that is not zero is simply not sent, as never is one.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import numpy as np

from novate.proof.prover import Prover
from tests.proof.forging.scene import Attack, Scene

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "build" / "forger"
CRATE = "p3-multi-stark"
CHECKED_IN = Path("src/fractional_gkr/prover.rs")
CHECKS = 2
"""One for reductions of a single layer, one for all others."""


class Forger:
    """The edited library under the statement's profile."""

    def __init__(self) -> None:
        """Build it. CalledProcessError if cargo fails; ValueError if the library is another."""
        profile = Scene.profile
        self.prover = Prover(Scene.relation, profile)
        self._core = load(build()).Prover(
            Scene.relation.words(),
            [profile.log_rows[form.name] for form in Scene.relation.forms],
            profile.security_level,
            profile.pow_bits,
            profile.sumcheck_pow_bits,
            profile.starting_log_inv_rate,
            list(profile.folds),
            list(profile.rates),
        )

    def prove(self, attack: Attack) -> bytes:
        """A proof of the attack's witness for the real relation."""
        traces = self.prover.fill(attack.primary, attack.publics)
        publics = [
            np.array([attack.publics[name] for name in form.publics], dtype=np.uint64)
            for form in Scene.relation.forms
        ]
        proof: bytes = self._core.prove(traces, publics)
        return proof


def build() -> Path:
    """The edited library as a module. Copies are newer than what was built of them before."""
    crate, workspace = FOLDER / CRATE, FOLDER / "native"
    for folder in (crate, workspace):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(crate_source(), crate, copy_function=shutil.copy)
    edited = without_checks((crate / CHECKED_IN).read_text())
    (crate / CHECKED_IN).write_text(edited)
    built = shutil.ignore_patterns("target")
    shutil.copytree(ROOT / "native", workspace, ignore=built, copy_function=shutil.copy)
    with (workspace / "Cargo.toml").open("a") as manifest:
        manifest.write(f'\n[patch.crates-io]\n{CRATE} = {{ path = "../{CRATE}" }}\n')
    target = FOLDER / "target"
    command = ["cargo", "build", "--release", "--package", "novate-python", "--no-default-features"]
    subprocess.run([*command, "--target-dir", str(target)], cwd=workspace, check=True)
    return target / "release" / "lib_native.so"


def crate_source() -> Path:
    """Where cargo keeps the crate's source. ValueError if the workspace does not use it."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    found = subprocess.run(command, cwd=ROOT / "native", check=True, capture_output=True, text=True)
    for package in json.loads(found.stdout)["packages"]:
        if package["name"] == CRATE:
            return Path(package["manifest_path"]).parent
    raise ValueError(f"the workspace does not use {CRATE}")


def without_checks(source: str) -> str:
    """Rust source without the assertions that speak of fractions summing to zero."""
    statement = re.compile(r"^ *assert\w*!\([^;]*?sum to zero[^;]*?\);\n", re.MULTILINE)
    edited, count = statement.subn("", source)
    if count != CHECKS:
        raise ValueError(f"{CHECKED_IN}: {count} checks found, {CHECKS} expected")
    return edited


def load(path: Path) -> Any:
    """A compiled module beside the one that is imported already."""
    loader = ExtensionFileLoader("_native", str(path))
    spec = spec_from_loader("_native", loader)
    assert spec is not None, "a loader was given"
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module
