"""Variables of W&B, Ray, Python, git and the locale, at random, against what they must lead to.

Most cases ask the functions that read the environment, each against an oracle: the operating
system's own limit of a socket's path, git itself, or what the case was made from. A few run a
command in a process of its own.
"""

import contextlib
import io
import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import wandb
from rich.console import Console

from recsweep.cli.streams import write_anything
from recsweep.config.schema import Tracking
from recsweep.errors import BadInput
from recsweep.records.environment import code_version
from recsweep.search import addresses, cluster
from recsweep.tracking import OF_ONE_RUN, stand_apart, wandb_mode

MODES = {"online": "online", "run": "online", "shared": "online", "offline": "offline",
         "dryrun": "offline", "disabled": None}  # fmt: skip
GOOD = {"WANDB_PROJECT": "p", "WANDB_TAGS": "a,b", "WANDB_INIT_TIMEOUT": "30",
        "WANDB_SILENT": "no", "WANDB_NOTES": "±", "WANDB_ENTITY": "team", "WANDB_UNKNOWN": "?",
        "WANDB_CONSOLE": "off"}  # fmt: skip
BAD = {"WANDB_INIT_TIMEOUT": "soon", "WANDB_SILENT": "maybe", "WANDB_BASE_URL": "w.example.org",
       "WANDB_API_KEY": " k", "WANDB_QUIET": "2nd"}  # fmt: skip
ENCODINGS = ("ascii", "latin-1", "gbk", "cp1252", "utf-8", "big5", "shift_jis", "koi8-r", "cp437")
TEXT = "ndcg@10 ± 0.1 → 课程 é…–— “x” ½ 𝒜 ж ア" + "\udcff"
LOCALES = ("C", "POSIX", "en_US.UTF-8", "zh_CN.GBK", "xx_YY", "")
LIMIT = 0.4


class Environments:
    """A project's folder, a home, and a service of Ray's kind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.served = _serve(b"\0\0\0\4\0\0\0\0\0")
        self.web = _serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.n = 0

    def case(self, rng: random.Random) -> tuple[str, str | None]:
        """What the environment was, and what was made of it that is wrong."""
        kinds: list[Callable[[random.Random, Path], tuple[str, str | None]]] = [
            self.mode, self.address, self.place, self.stream, self.apart, self.code,
        ]  # fmt: skip
        self.n += 1
        folder = self.root / str(self.n)
        folder.mkdir()
        ask = self.command if rng.random() < 0.015 else rng.choice(kinds)
        before = Path.cwd()
        os.chdir(folder)
        try:
            with (
                mock.patch.dict(os.environ, {"PATH": os.environ["PATH"]}, clear=True),
                mock.patch.object(addresses, "SECONDS", LIMIT),
                mock.patch.object(wandb_mode, "_trouble", return_value=None),
            ):
                return ask(rng, folder)
        finally:
            os.chdir(before)

    def mode(self, rng: random.Random, folder: Path) -> tuple[str, str | None]:
        """Where W&B runs go."""
        os.environ["HOME"] = str(folder)
        told = _tell_files(rng, folder)
        variable = rng.choice((None, None, "", " ", "Offline", "of", *MODES))
        if variable is not None:
            os.environ["WANDB_MODE"] = variable
        asked = rng.choice(("auto", "auto", "auto", "off", "online", "offline"))
        key = rng.choice((None, "env", "netrc"))
        if key == "env":
            os.environ["WANDB_API_KEY"] = "k"
        elif key == "netrc":
            (folder / ".netrc").write_text("machine api.wandb.ai login user password k")
        os.environ.update(dict(rng.sample(sorted(GOOD.items()), rng.randrange(4))))
        bad = dict(rng.sample(sorted(BAD.items()), 1)) if rng.random() < 0.2 else {}
        os.environ.update(bad)
        os.environ.update(dict.fromkeys(rng.sample(OF_ONE_RUN, rng.randrange(3)), "x"))
        said = f"mode {asked} {dict(os.environ)} file {told}"
        heard = (variable or "").strip()
        refused = bool(bad) or (heard != "" and heard not in MODES)
        if asked == "off":
            refused = False
        refused |= asked == "online" and key is None
        expected = None if asked == "off" else asked
        if asked == "auto":
            expected = MODES.get(heard or told or "online")
            expected = "offline" if expected == "online" and key is None else expected
        try:
            found = wandb_mode.resolve_mode(Tracking.model_validate({"wandb": asked}))
        except BadInput as error:
            return said, _one_line(error) or (None if refused else f"refused: {error}")
        if refused:
            return said, f"taken as {found}, must be refused"
        return said, None if found == expected else f"{found}, expected {expected}"

    def address(self, rng: random.Random, folder: Path) -> tuple[str, str | None]:
        """Is there a cluster to join?"""
        host = rng.choice(
            ("127.0.0.1", "localhost", "[::1", "nobody.invalid", "", "a b", "a..b", "10.0.0.")
        )
        port = rng.choice(
            (str(self.served), str(self.served), str(self.web), "0", "70000", "", "x")
        )
        before = rng.choice(("", "", "", "http://", "ray://", "https://", "redis://", "u@", "://"))
        address = before + host + rng.choice((":", ":", ":", "", "::", "/")) + port
        expected = address in (f"127.0.0.1:{self.served}", f"localhost:{self.served}")
        try:
            addresses.check_address(address)
        except BadInput as error:
            missing = None if address in str(error) else f"doesn't name it: {error}"
            return address, _one_line(error) or missing or ("refused" if expected else None)
        return address, None if expected else "taken, though no Ray is there"

    def place(self, rng: random.Random, folder: Path) -> tuple[str, str | None]:
        """Ray's folder, against a socket of the operating system's in it."""
        name = rng.choice(("RAY_TMPDIR", "TMPDIR"))
        length = rng.randrange(1, 110)
        filler = rng.choice(("x", "é", "长")) * length
        kind = rng.choice(("new", "new", "new", "file", "unset"))
        (folder / "f").write_text("")
        base = {"new": folder / filler, "file": folder / "f" / "x", "unset": None}[kind]
        if base is not None:
            os.environ[name] = str(base)[: rng.randrange(20, 120)] if kind == "new" else str(base)
        said = f"place {dict(os.environ)}"
        if kind == "new" and not os.environ[name].startswith(str(folder) + "/"):
            return said, None  # cut too short to be ours
        try:
            found = cluster._place()
        except BadInput as error:
            ways = _one_line(error) or (None if "RAY_TMPDIR" in str(error) else "no way out")
            if "too long" in str(error):
                fits = _binds(Path(os.environ[name]).absolute() / "ray")
                return said, ways or ("refused, though a socket fits" if fits else None)
            return said, ways or (None if kind == "file" else f"refused: {error}")
        if kind == "file":
            return said, "taken, though it is a file"
        return said, None if kind == "unset" or _binds(found) else "taken, and no socket fits"

    def stream(self, rng: random.Random, folder: Path) -> tuple[str, str | None]:
        """A terminal of any encoding."""
        encoding = rng.choice(ENCODINGS)
        text = "".join(rng.choice(TEXT) for _ in range(rng.randrange(1, 40)))
        raw = io.BytesIO()
        stream = io.TextIOWrapper(raw, encoding, errors=rng.choice(("strict", "ignore")))
        said = f"stream {encoding} {text!r}"
        with mock.patch.multiple(sys, stdout=stream, stderr=stream):
            write_anything()
            console = Console(file=stream, width=500, soft_wrap=True)
            console.print(text, markup=False, highlight=False)
            stream.flush()
        shown = raw.getvalue().decode(encoding)
        rest = iter(shown)
        kept = [c for c in text if _has(encoding, c) and not c.isspace()]
        return said, None if all(c in rest for c in kept) else f"shown as {shown!r}"

    def apart(self, rng: random.Random, folder: Path) -> tuple[str, str | None]:
        """What a command keeps of another process's W&B."""
        names = [*OF_ONE_RUN, *GOOD, "WANDB_API_KEY", "HOME", "XWANDB_RUN_ID"]
        given = {name: rng.choice(("x", "", " ", "0")) for name in rng.sample(names, 9)}
        os.environ.update(given)
        expected = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("WANDB_") or (name not in OF_ONE_RUN and value.strip())
        }
        stand_apart()
        return f"apart {given}", None if dict(os.environ) == expected else f"{dict(os.environ)}"

    def code(self, rng: random.Random, folder: Path) -> tuple[str, str | None]:
        """A package in a repository, its own or another's."""
        own = rng.choice(("", "src"))
        where = rng.choice((own, own, ".venv/lib/python3.11/site-packages", "vendor/x/src"))
        package = folder / where / "package"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (folder / ".gitignore").write_text(rng.choice(("", ".venv\n", "*.so\nlocal.py\n")))
        _git(folder, "init", "-q")
        tracked = rng.random() < 0.8
        _git(folder, "add", ".gitignore", *(["-f", "."] if tracked else []))
        _git(folder, "commit", "-q", "-m", "x")
        change = rng.choice((None, None, "local.py", "a.so", "__init__.py", "notes.txt"))
        if change:
            (package / change).write_text("changed")
        for name in rng.sample(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"), 2):
            os.environ[name] = rng.choice(("/nowhere", ".git", ""))
        said = f"code {where} tracked {tracked} changed {change} {dict(os.environ)}"
        found = code_version(package)
        if where != own or not tracked:
            return said, None if found == {"commit": None, "changes": None} else f"{found}"
        clean = change in (None, "notes.txt")
        right = found["commit"] is not None and (found["changes"] is None) is clean
        return said, None if right else f"{found}"

    def command(self, rng: random.Random, folder: Path) -> tuple[str, str | None]:
        """A whole command: what it can't find is one line, whatever is around it."""
        environment = {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LC_ALL": rng.choice(LOCALES),
            "PYTHONUTF8": rng.choice(("0", "1")),
            "PYTHONIOENCODING": rng.choice(("", *ENCODINGS, "ascii:strict")),
            "HOME": rng.choice(("/nowhere", str(folder))),
            "TMPDIR": rng.choice(("/nowhere", str(folder / ("x" * 90)))),
            "WANDB_MODE": rng.choice(("", "dryrun", "disabled")),
            "WANDB_SERVICE": "3-1-unix-/nowhere",
            "RAY_ADDRESS": rng.choice(("http://127.0.0.1:8265", "nobody.invalid:1", "auto")),
            "TERM": rng.choice(("dumb", "xterm")),
            "COLUMNS": rng.choice(("5", "200", "x")),
        }
        done = subprocess.run(
            [sys.executable, "-m", "recsweep", rng.choice(("compare", "report")), "结果/±"],
            env={**os.environ, **environment}, cwd=folder, capture_output=True, check=False,
        )  # fmt: skip
        told = done.stderr.decode("latin-1")
        problem = None
        if done.returncode != 2 or "Traceback" in told or told.count("recsweep:") != 1:
            problem = f"exit {done.returncode}: {told[-600:]}"
        return f"command {environment}", problem


def _one_line(error: BadInput) -> str | None:
    return f"more than a line: {error}" if "\n" in str(error) else None


def _has(encoding: str, character: str) -> bool:
    try:
        return character.encode(encoding).decode(encoding) == character
    except UnicodeError:
        return False


def _binds(place: Path) -> bool:
    """Does the operating system take the socket that Ray would make there?"""
    path = place / f"session_2026-01-02_03-04-05_678901_{os.getpid()}" / "sockets" / "plasma_store"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    except OSError:
        return False
    return True


def _serve(answer: bytes) -> int:
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(64)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    port: int = listening.getsockname()[1]
    return port


def _tell_files(rng: random.Random, folder: Path) -> str | None:
    """Some of W&B's commands in some places; the mode that counts, which is the last one."""
    told = None
    for where in ("home", "WANDB_DIR", "here"):
        if rng.random() < 0.3:
            told = rng.choice(("online", "offline", "disabled"))
            if where == "WANDB_DIR":
                os.environ["WANDB_DIR"] = str(folder / "runs")
            _write_settings(folder, where, told)
    return told


def _write_settings(folder: Path, where: str, mode: str) -> None:
    """As W&B's own commands do."""
    settings = wandb.Settings(silent=True)
    settings.root_dir = str(folder / "runs" if where == "WANDB_DIR" else folder)
    settings.settings_system = str(folder / ".config" / "wandb" / "settings")
    with mock.patch.object(sys, "stderr", io.StringIO()):
        files = settings.read_system_settings()
        files.set("mode", mode, globally=where == "home")
        files.save()


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)
