"""Set the checkout up, then run one command in it. Standard library only: this runs before `.venv`.

Set-up is a chain of steps. Each has a key (a hash of all that its result depends on), kept in
`.venv/.novate/STEP` when the step is done; a step whose key is unchanged is skipped.

    venv       .venv                     the Python, its place, the place of this checkout
    tools      uv, maturin               their pinned versions (group `setup` of pyproject.toml)
    packages   what uv.lock says         uv.lock, pyproject.toml
    native     the compiled module       Rust sources, toolchain key (compiler, flags, CPU, lock)
    node       node_modules              package-lock.json, package.json, .npmrc
    contracts  contracts/out             Solidity sources, foundry.toml, the compiler's door
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMPS = VENV / ".novate"
NATIVE = ROOT / "native"
CONTRACTS = ROOT / "contracts"
NODE_MODULES = ROOT / "node_modules"
KEPT_TARGETS = 2
# x86-64-v3 is AVX2: every x86 server and desktop since about 2015.
PORTABLE_FLAGS = f"-C target-cpu={'x86-64-v3' if platform.machine() == 'x86_64' else 'generic'}"

USAGE = """usage: ./novate COMMAND [ARGUMENTS]

  setup                      set up this checkout and stop
  demo                       clear a market by the law and show that nothing was lost
  test [--quick] [PYTEST..]  all tests; --quick leaves out those marked slow;
                             with PYTEST arguments only pytest runs, with these
  lint                       ruff, mypy, import contracts, rustfmt, clippy, forge fmt
  prove-demo                 prove signed messages applied to a tree, and verify thrice
  render [--check]           write the rendered files again, or compare them
  claims NAME [ARGUMENTS]    one full-size claim; the summary goes to docs/evidence/
  build [--portable]         a wheel in dist/, for this CPU or for others too (x86: AVX2)
  version                    the version of the package

Every command sets the checkout up first; what is there already is skipped.
"""

# (program, the file that makes it necessary, what it is for and where it comes from)
PROGRAMS = (
    ("cargo", "native/Cargo.toml", "Rust builds the native module: https://rustup.rs"),
    ("rustc", "native/Cargo.toml", "Rust builds the native module: https://rustup.rs"),
    ("cc", "native/Cargo.toml", "Rust links with it: Debian's package `build-essential`"),
    ("node", "package.json", "the L1 contracts are compiled with it: https://nodejs.org"),
    ("npm", "package.json", "it installs what package-lock.json says: https://nodejs.org"),
)


class Stop(Exception):
    """Ends the launcher with one message on stderr and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """One line of progress on stderr, so that the stdout of a command stays its own."""
    print(f"novate: {text}", file=sys.stderr, flush=True)


def key_of(*parts: object) -> str:
    """Hash of the parts: a Path stands for its content ('' when absent), the rest for its text."""
    hasher = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            content = part.read_bytes() if part.exists() else b""
        else:
            content = str(part).encode()
        hasher.update(len(content).to_bytes(8, "little") + content)
    return hasher.hexdigest()


def python() -> str:
    """Path of the Python in `.venv`."""
    return str(VENV / "bin" / "python")


def environment() -> dict[str, str]:
    """The caller's environment, with `.venv` active and this checkout's sources importable."""
    env = dict(os.environ)
    for name in ("PYTHONHOME", "CONDA_PREFIX"):
        env.pop(name, None)
    env["VIRTUAL_ENV"] = env["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', '')}"
    env["PYTHONPATH"] = str(ROOT / "src")
    env["PYO3_PYTHON"] = python()
    return env


def call(
    command: Sequence[str], cwd: Path = ROOT, env: dict[str, str] | None = None, code: int = 1
) -> None:
    """Run a command with its output shown; Stop with `code` when it fails."""
    done = subprocess.run(command, cwd=cwd, env=env or environment(), check=False)
    if done.returncode != 0:
        raise Stop(f"`{shlex.join(command)}` failed (exit code {done.returncode})", code)


def output_of(command: Sequence[str], cwd: Path = ROOT) -> str:
    """Stdout of a short command; Stop when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Stop(f"`{shlex.join(command)}` failed: {done.stderr.strip()}", 1)
    return done.stdout


def check_programs() -> None:
    """Stop with one message that names every program this checkout needs and PATH lacks."""
    missing = [
        f"  {program:<6} {purpose}"
        for program, needed_by, purpose in PROGRAMS
        if (ROOT / needed_by).exists() and shutil.which(program) is None
    ]
    if missing:
        raise Stop("not found on PATH:\n" + "\n".join(missing), 2)


def step(name: str, key: str, present: bool, doing: str, work: Callable[[], None]) -> None:
    """Do `work` unless its result is `present` and was made under `key`."""
    stamp = STAMPS / name
    if present and stamp.exists() and stamp.read_text() == key:
        return
    say(f"{doing} ...")
    started = time.monotonic()
    stamp.unlink(missing_ok=True)
    work()
    STAMPS.mkdir(exist_ok=True)
    stamp.write_text(key)
    say(f"{doing}: done in {time.monotonic() - started:.1f} s")


def make_venv() -> None:
    """A new `.venv` from the running Python's base installation."""
    base = getattr(sys, "_base_executable", sys.executable)
    call([base, "-m", "venv", "--clear", str(VENV)], env=dict(os.environ))


def project() -> dict[str, Any]:
    """The parsed pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def install_tools(pins: list[str]) -> None:
    """Put the pinned installers into `.venv`."""
    pip = [python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    call([*pip, *pins])


def flags(env: dict[str, str]) -> list[str]:
    """The compiler flags cargo will use: RUSTFLAGS if set, else those of native/.cargo."""
    if "RUSTFLAGS" in env:
        return env["RUSTFLAGS"].split()
    config = tomllib.loads((NATIVE / ".cargo" / "config.toml").read_text())
    return list(config["build"]["rustflags"])


def with_target(env: dict[str, str]) -> dict[str, str]:
    """`env` with a CARGO_TARGET_DIR of its own for each compiler, flags, CPU features and lock.

    Cargo knows compiler and flags, but not what `target-cpu=native` meant when it compiled: a
    folder that travels to another CPU would run there with instructions this CPU may lack.
    """
    compiler = output_of(["rustc", "-vV"], NATIVE)
    features = output_of(["rustc", "--print", "cfg", *flags(env)], NATIVE)
    key = key_of(compiler, flags(env), features, NATIVE / "Cargo.lock")[:16]
    return env | {"CARGO_TARGET_DIR": str(NATIVE / "target" / key)}


def forget_old_targets(current: str) -> None:
    """Delete all but the newest few keyed target folders: each is some hundred megabytes."""
    folders = [
        folder
        for folder in (NATIVE / "target").glob("?" * 16)
        if folder.is_dir() and str(folder) != current
    ]
    folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[KEPT_TARGETS - 1 :]:
        shutil.rmtree(folder)


def sources(room: Path, built: str = "") -> Iterator[str | Path]:
    """Name, then path, of every file of a room but those in folders named `built`, sorted."""
    for folder, folders, files in os.walk(room):
        folders[:] = sorted(name for name in folders if name != built)
        for name in sorted(files):
            path = Path(folder) / name
            yield str(path.relative_to(room))
            yield path


def native_sources() -> Iterator[str | Path]:
    """Everything under native/ but the build's results."""
    return sources(NATIVE, built="target")


def build_native(env: dict[str, str]) -> None:
    """Compile the native module and install it, with the package, into `.venv` (editable)."""
    forget_old_targets(env["CARGO_TARGET_DIR"])
    manifest = str(NATIVE / "python" / "Cargo.toml")
    maturin = str(VENV / "bin" / "maturin")
    call([maturin, "develop", "--release", "--uv", "--locked", "-m", manifest], NATIVE, env)


def npm_install() -> None:
    """Install exactly what package-lock.json says; Stop when this machine has no forge there."""
    call(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"])
    if not forge_path().exists():
        machine = f"{platform.system()} {platform.machine()}"
        raise Stop(f"package.json names no forge for {machine}; it has one for Linux x86_64", 1)


def forge_path() -> Path:
    """Where npm puts Foundry's forge."""
    return NODE_MODULES / ".bin" / "forge"


def forge(*arguments: str, profile: str = "default") -> None:
    """One forge command in contracts/, where its configuration's paths start.

    Its tests compare gas with contracts/snapshots; `forge test` by itself writes these files anew.
    """
    env = environment() | {"FOUNDRY_PROFILE": profile, "FORGE_SNAPSHOT_CHECK": "true"}
    call([str(forge_path()), *arguments], CONTRACTS, env)


def compile_contracts() -> None:
    """Artifacts of contracts/src, which Python deploys; forge compiles the tests when it runs."""
    forge("build", "--skip", "test")


@contextlib.contextmanager
def set_up_alone() -> Iterator[None]:
    """Hold the lock that keeps two set-ups of one checkout apart."""
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build" / "setup.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this checkout is running; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up() -> None:
    """Bring `.venv` and the native module to what the checkout says."""
    check_programs()
    with set_up_alone():
        key = key_of(sys.version, sys.base_prefix, str(ROOT))
        step("venv", key, Path(python()).exists(), "making .venv", make_venv)
        pins = project()["dependency-groups"]["setup"]
        present = all((VENV / "bin" / pin.split("==")[0]).exists() for pin in pins)
        key = key_of(key, *pins)
        step("tools", key, present, f"installing {', '.join(pins)}", lambda: install_tools(pins))
        key = key_of(key, ROOT / "uv.lock", ROOT / "pyproject.toml")
        sync = [str(VENV / "bin" / "uv"), "sync", "--locked"]
        step("packages", key, True, "installing the packages of uv.lock", lambda: call(sync))
        env = with_target(environment())
        key = key_of(key, env["CARGO_TARGET_DIR"], *native_sources())
        present = any((ROOT / "src" / "novate" / "native").glob("_native*.so"))
        step("native", key, present, "building the native module", lambda: build_native(env))
        if (ROOT / "package.json").exists():
            set_up_contracts()


def set_up_contracts() -> None:
    """Bring node_modules and the contracts' artifacts to what the checkout says."""
    locked = [ROOT / name for name in ("package-lock.json", "package.json", ".npmrc")]
    key = key_of(output_of(["node", "--version"]), *locked)
    present = forge_path().exists()
    step("node", key, present, "installing the packages of package-lock.json", npm_install)
    compiler = (CONTRACTS / "foundry.toml", ROOT / "tools" / "solc_json.js")
    key = key_of(key, *compiler, *sources(CONTRACTS / "src"))
    present = (CONTRACTS / "out").is_dir()
    step("contracts", key, present, "compiling the contracts", compile_contracts)


def cargo(*arguments: str, folder: str = "") -> None:
    """One cargo command in native/, its results in `folder` of the keyed target folder."""
    env = with_target(environment())
    env["CARGO_TARGET_DIR"] = os.path.join(env["CARGO_TARGET_DIR"], folder)
    call(["cargo", *arguments], NATIVE, env)


def become(*arguments: str) -> NoReturn:
    """Replace this process by the Python of `.venv`: its output and exit code are the last."""
    os.execve(python(), [python(), *arguments], environment())


def test(arguments: list[str]) -> None:
    """Rust tests, forge tests, then pytest (last, so that its closing line ends the output)."""
    quick = ["-m", "not slow"] if "--quick" in arguments else []
    chosen = [argument for argument in arguments if argument != "--quick"]
    if not chosen:
        cargo("test", "--locked", "--workspace")
        forge("test", profile="quick" if quick else "default")
        chosen = ["-n", "auto"]
    become("-m", "pytest", *quick, *chosen)


def lint(arguments: list[str]) -> None:
    """Every static check; the first that fails ends it."""
    programs = VENV / "bin"
    call([str(programs / "ruff"), "check", *arguments])
    call([str(programs / "ruff"), "format", "--check"])
    call([str(programs / "mypy")])
    call([str(programs / "lint-imports")])
    cargo("fmt", "--all", "--check")
    # A folder of its own: maturin sets PYO3_* variables, and in one folder each would make the
    # other compile pyo3 again.
    clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]
    cargo(*clippy, folder="clippy")
    forge("fmt", "--check")


def build(arguments: list[str]) -> None:
    """A wheel in dist/. `--portable` replaces the flags that tie it to this CPU."""
    if arguments not in ([], ["--portable"]):
        raise Stop(f"build takes only --portable, not {shlex.join(arguments)}", 2)
    env = environment() | ({"RUSTFLAGS": PORTABLE_FLAGS} if arguments else {})
    manifest = str(NATIVE / "python" / "Cargo.toml")
    command = [str(VENV / "bin" / "maturin"), "build", "--release", "--locked", "-m", manifest]
    call([*command, "--out", str(ROOT / "dist")], NATIVE, with_target(env))


COMMANDS: dict[str, Callable[[list[str]], None]] = {"test": test, "lint": lint, "build": build}


def main(arguments: list[str]) -> int:
    """Set up and run one command; returns its exit code (2: something is missing or misspelt)."""
    if not arguments or arguments[0] in ("help", "--help", "-h"):
        print(USAGE, end="")
        return 0 if arguments else 2
    try:
        set_up()
        if arguments[0] == "setup":
            say("this checkout is set up")
        elif arguments[0] in COMMANDS:
            COMMANDS[arguments[0]](arguments[1:])
        else:
            become("-m", "novate.cli", *arguments)
    except Stop as stop:
        print(f"novate: {stop}", file=sys.stderr)
        return stop.code
    except KeyboardInterrupt:
        return 130
    return 0
