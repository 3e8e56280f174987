"""A PostgreSQL server of the tests' own: Debian's binaries, its data in a folder of its own, on loopback."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote
from uuid import uuid4

import asyncpg

__all__ = ("BINARIES", "PASSWORD", "POOLER", "USER", "Certificate", "Pooler", "Server")

USER, PASSWORD = "postgres", "not a s@cret: 100%/?#"
_READY = "database system is ready to accept connections"


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return Path(found).parent if found else versions[-1].parent if versions else None


BINARIES = _binaries()
POOLER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


class Server:
    """Started, stopped and killed by its own process id. It runs as a user of its own, never as root."""

    def __init__(self, *settings: str) -> None:
        """Start one; settings are such as ``fsync=on``."""
        assert BINARIES is not None
        self._binaries = BINARIES
        self._as = unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="miharu-postgres-"))
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if self._as:
            for path in (self.folder, password):
                os.chown(path, self._as["user"], self._as["group"])
        self._run(
            *("initdb", "-D", str(self.folder / "data"), "-U", USER, "--pwfile", str(password)),
            *("-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions"),
        )
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self.start(*settings)

    def start(self, *settings: str) -> None:
        command = [
            *(str(self._binaries / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
            *("-c", "fsync=off", "-c", "max_connections=60"),
            *(part for setting in settings for part in ("-c", setting)),
        ]
        self._process = subprocess.Popen(
            command, cwd=self.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, **self._as
        )
        log: IO[str] | None = self._process.stderr
        assert log is not None
        said = []
        for line in log:
            said.append(line)
            if _READY in line:
                break
        else:
            raise RuntimeError("PostgreSQL did not start:\n" + "".join(said))
        self._rest = threading.Thread(target=log.read)  # a full pipe would stop it
        self._rest.start()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT breaks off what runs, SIGQUIT is like a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._rest.join()
            assert self._process.stderr is not None
            self._process.stderr.close()
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, database: str, user: str = USER, password: str = PASSWORD, host: str = "127.0.0.1") -> str:
        return f"postgresql+asyncpg://{quote(user)}:{quote(password, safe='')}@{host}:{self.port}/{database}"

    def take(self, certificate: "Certificate") -> list[str]:
        """The settings with which it shows that certificate."""
        settings = []
        for setting, file in (("ssl_cert_file", certificate.file), ("ssl_key_file", certificate.key)):
            copy = self.folder / file.name
            copy.write_bytes(file.read_bytes())
            copy.chmod(0o600)
            if self._as:
                os.chown(copy, self._as["user"], self._as["group"])
            settings.append(f"{setting}={copy}")
        return settings

    async def connect(self, database: str) -> Any:
        """A connection past miharu."""
        return await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, database=database
        )

    async def query(self, database: str, statement: str, *values: object) -> Any:
        """The rows, past miharu."""
        connection = await self.connect(database)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def new_database(self, template: str = "template1") -> str:
        name = f"test_{uuid4().hex[:12]}"
        await self.query(USER, f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._binaries / program), *arguments],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as,
        )


class Certificate:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.file, self.key = folder / "server.crt", folder / "server.key"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-keyout", str(self.key), "-out", str(self.file), "-subj", "/CN=127.0.0.1"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
            ],
            check=True,
            capture_output=True,
        )


class Pooler:
    """A pgbouncer that lends two connections, each for the length of a transaction."""

    def __init__(self, server: Server) -> None:
        assert POOLER is not None
        self.folder = Path(tempfile.mkdtemp(prefix="miharu-pgbouncer-"))
        self.port = free_port()
        settings = self.folder / "pgbouncer.ini"
        password = PASSWORD.replace("'", "''")
        settings.write_text(
            "[databases]\n"
            f"* = host=127.0.0.1 port={server.port} user={USER} password='{password}'\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\nauth_type = any\n"
            "pool_mode = transaction\ndefault_pool_size = 2\n"
        )
        as_whom = unprivileged()
        if as_whom:
            for path in (self.folder, settings):
                os.chown(path, as_whom["user"], as_whom["group"])
        self._process = subprocess.Popen(
            [POOLER, str(settings)], cwd=self.folder, stderr=subprocess.PIPE, text=True, **as_whom
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "process up" in line:
                break
        else:
            raise RuntimeError("pgbouncer did not start")
        self._rest = threading.Thread(target=self._process.stderr.read)
        self._rest.start()

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://somebody@127.0.0.1:{self.port}/{database}"

    def remove(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        self._rest.join()
        assert self._process.stderr is not None
        self._process.stderr.close()
        shutil.rmtree(self.folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL refuses root, and there is no other user to run it as")
