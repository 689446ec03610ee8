"A PostgreSQL cluster that is thrown away, and what is said where something cannot be had."

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest


def missing(what: str) -> None:
    "Skip, or fail where skips are forbidden."
    (pytest.fail if os.environ.get("SCA_CI_NO_SKIPS") == "1" else pytest.skip)(what)


def _as_postgres(command: list[str]) -> list[str]:
    "PostgreSQL refuses to run as root: hand over to its own user."
    if os.geteuid() != 0:
        return command
    if shutil.which("runuser"):
        return ["runuser", "-u", "postgres", "--", *command]
    return ["su", "postgres", "-s", "/bin/sh", "-c", shlex.join(command)]


def programs_folder() -> Path | None:
    "Folder of the newest PostgreSQL programs."
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    on_path = shutil.which("initdb")
    return programs[-1].parent if programs else Path(on_path).resolve().parent if on_path else None


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    "A throw-away PostgreSQL cluster."

    def __init__(self, programs: Path):
        self.programs, self.port = programs, _free_port()
        self.home = Path(tempfile.mkdtemp(prefix="sca_pg_"))
        self.home.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres")
        self._run(
            "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"
        )
        self.start()

    @property
    def data(self) -> str:
        return str(self.home / "data")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg2://postgres@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *args: str) -> None:
        command = _as_postgres([str(self.programs / program), *args])
        process = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=self.home)
        if process.returncode:
            raise RuntimeError(f"{program}: {process.stderr.strip()[-500:]}")

    def start(self) -> None:
        "Start the server and wait for it."
        options = f"-p {self.port} -k {self.home} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", self.data, "-o", options, "-l", f"{self.home}/log", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        "Stop the server; `immediate` is a crash."
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def remove(self) -> None:
        "Stop the server and delete its files."
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.home, ignore_errors=True)
