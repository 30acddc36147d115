"""What peers do with connections, and what newcomers and streams beside see of it."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import grpc
import inkstream
import pytest
from beside import Beside, own_mib
from inkstream import Image
from support.processes import Server, eventually

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # and settings


MEMORY_MIB = 256


def stream_beside(server: Server, address: str = "") -> Beside:
    """It is never interrupted."""
    return Beside(address or server.tcp, server.process.pid, MEMORY_MIB)


def connections(address: str, count: int, sends: bytes = b"") -> contextlib.ExitStack:
    host, port = address.rsplit(":", 1)
    opened = contextlib.ExitStack()
    for _ in range(count):
        with contextlib.suppress(OSError):  # refused already
            one = opened.enter_context(socket.create_connection((host, int(port)), 10))
            one.sendall(sends)
    return opened


def is_closed(connection: socket.socket) -> bool:
    """By the server, which has sent no more than greetings."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


def newcomer_is_served(address: str) -> None:
    with inkstream.connect(address, timeout=60) as client:
        next(client.dataset().stream("train", batch_size=10, image=Image(8)))


def open_files(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def healthy(binary: Path, address: str) -> bool:
    done = subprocess.run([binary, "health", "--target", address, "--timeout", "30"], check=False)
    return done.returncode == 0


@contextlib.contextmanager
def serving(binary: Path, store: Path, home: Path, *flags: str) -> Iterator[Server]:
    limits = ("--memory", f"{MEMORY_MIB}MiB", "--http", "127.0.0.1:0")
    with Server(binary, store, home, *limits, *flags) as server:
        yield server


@pytest.fixture(autouse=True)
def enough_descriptors() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))


@pytest.mark.parametrize("spare", [4, 20, 400])
@pytest.mark.parametrize("sends", [b"", PREFACE])
def test_running_out_of_descriptors_is_got_over(
    binary: Path, store: Path, tmp_path: Path, spare: int, sends: bytes
) -> None:
    with serving(binary, store, tmp_path) as server, stream_beside(server) as beside:
        alone = beside.rate()
        limit = open_files(server) + spare
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        with connections(server.tcp, spare + 800, sends):
            beside.keeps_half(alone)
        assert eventually(lambda: open_files(server) < limit - spare // 2, 30)
        newcomer_is_served(server.tcp)
        newcomer_is_served(server.unix)
        assert healthy(binary, server.tcp)
        beside.keeps_half(alone)


def test_too_few_descriptors_are_refused_with_their_number(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))

    done = subprocess.run(
        [binary, "serve", "--store", store, "--listen", "127.0.0.1:0"],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "1024" in done.stderr
    assert "4096" in done.stderr
    assert done.stdout == ""


def test_the_soft_limit_of_descriptors_is_raised(binary: Path, store: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        server = Server(binary, store, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with server, connections(server.tcp, 400) as opened:
        assert eventually(lambda: open_files(server) > 400)
        newcomer_is_served(server.tcp)
        opened.close()


def test_a_peer_with_too_many_connections_gives_up_its_oldest_without_a_call(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    flags = ("--max-connections", "60", "--max-connections-per-peer", "40")
    with serving(binary, store, tmp_path, *flags) as server, stream_beside(server) as beside:
        alone = beside.rate()
        with connections(server.tcp, 200, PREFACE):
            beside.keeps_half(alone)
            newcomer_is_served(server.tcp)
            newcomer_is_served(server.unix)
        beside.keeps_half(alone)


def test_who_is_served_is_not_displaced_and_a_newcomer_is_refused(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    own = [("grpc.use_local_subchannel_pool", 1)]
    with serving(binary, store, tmp_path, "--max-connections-per-peer", "3") as server:
        with contextlib.ExitStack() as opened:
            watches = []
            for _ in range(3):
                channel = opened.enter_context(grpc.insecure_channel(server.tcp, own))
                watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
                watches.append(watch(b"", timeout=600))
                assert next(watches[-1]) == b"\x08\x01"  # SERVING
            fourth = opened.enter_context(grpc.insecure_channel(server.tcp, own))
            ask = fourth.unary_unary("/inkstream.v1.DrawingService/ListDatasets")
            with pytest.raises(grpc.RpcError) as refused:
                ask(b"", timeout=60)
            assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
            newcomer_is_served(server.unix)
            assert not any(watch.done() for watch in watches)
            watches[0].cancel()  # from now on its connection may make room
            assert ask(b"", timeout=60, wait_for_ready=True)
        newcomer_is_served(server.tcp)


def connection(server: Server, where: str) -> socket.socket:
    if where == "tcp":
        host, port = server.tcp.rsplit(":", 1)
        return socket.create_connection((host, int(port)), 60)
    opened = socket.socket(socket.AF_UNIX)
    opened.settimeout(60)
    opened.connect(server.unix.removeprefix("unix:"))
    return opened


@pytest.mark.parametrize("where", ["tcp", "unix"])
@pytest.mark.parametrize("sends", [b"", PREFACE[:20]])
def test_a_connection_that_never_says_enough_is_closed(
    binary: Path, store: Path, tmp_path: Path, where: str, sends: bytes
) -> None:
    flags = ("--handshake-timeout", "0.3", "--idle-timeout", "1")
    with serving(binary, store, tmp_path, *flags) as server, connection(server, where) as silent:
        silent.sendall(sends)
        assert is_closed(silent)
        newcomer_is_served(server.tcp)


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_a_connection_without_a_call_ends_and_comes_back_with_one(
    binary: Path, store: Path, tmp_path: Path, where: str
) -> None:
    with serving(binary, store, tmp_path, "--idle-timeout", "0.3") as server:
        address = server.tcp if where == "tcp" else server.unix
        with connection(server, where) as idle, stream_beside(server, address) as beside:
            alone = beside.rate()
            idle.sendall(PREFACE)
            with grpc.insecure_channel(address) as channel:
                grpc.channel_ready_future(channel).result(60)
                assert is_closed(idle)
                ask = channel.unary_unary("/inkstream.v1.DrawingService/ListDatasets")

                def is_answered() -> bool:
                    try:
                        return b"quickdraw" in ask(b"", timeout=60, wait_for_ready=True)
                    except grpc.RpcError as error:
                        # It may have been on its way when the connection ended.
                        assert error.code() == grpc.StatusCode.UNAVAILABLE
                        return False

                assert eventually(is_answered, 60)
            beside.keeps_half(alone)


def test_a_thousand_idle_connections_take_little(binary: Path, store: Path, tmp_path: Path) -> None:
    with serving(binary, store, tmp_path) as server, stream_beside(server) as beside:
        alone = beside.rate()
        before = own_mib(server.process.pid)
        with connections(server.tcp, 1000, PREFACE):
            assert eventually(lambda: open_files(server) > 1000, 60)
            beside.keeps_half(alone)
            assert own_mib(server.process.pid) - before < 64
        assert eventually(lambda: open_files(server) < 200, 60)


@pytest.mark.parametrize("sends", [b"", PREFACE])
def test_a_thousand_that_say_no_more_are_closed(
    binary: Path, store: Path, tmp_path: Path, sends: bytes
) -> None:
    flags = ("--handshake-timeout", "1", "--idle-timeout", "1")
    with (
        serving(binary, store, tmp_path, *flags) as server,
        stream_beside(server) as beside,
        contextlib.ExitStack() as opened,
    ):
        host, port = server.tcp.rsplit(":", 1)
        idle = []
        for _ in range(1000):
            idle.append(opened.enter_context(socket.create_connection((host, int(port)), 60)))
            with contextlib.suppress(ConnectionError):  # its time may be over already
                idle[-1].sendall(sends)
        newcomer_is_served(server.tcp)
        assert all(map(is_closed, idle))
        beside.goes_on()


VARIABLES = ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "ipv4:127.0.0.1", "dns:///localhost"])
@pytest.mark.parametrize("variable", [*VARIABLES, *(name.upper() for name in VARIABLES)])
def test_a_proxy_is_not_asked_for_this_machine(
    binary: Path, server: Server, host: str, variable: str
) -> None:
    target = f"{host}:{server.tcp.rsplit(':', 1)[1]}"
    environment = {**os.environ, "no_proxy": "", variable: "http://127.0.0.1:1"}
    for command in (["health"], ["bench", "--seconds", "0.1", "--image", "8x8"]):
        done = subprocess.run(
            [binary, *command, "--target", target],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_channelz_answers_where_it_was_asked_for(
    binary: Path, store: Path, tmp_path: Path, server: Server
) -> None:
    def ask(target: str) -> bytes:
        with grpc.insecure_channel(target) as channel:
            answer: bytes = channel.unary_unary("/grpc.channelz.v1.Channelz/GetServers")(
                b"", timeout=60
            )
            return answer

    with pytest.raises(grpc.RpcError) as refused:
        ask(server.tcp)
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
    with serving(binary, store, tmp_path, "--channelz") as open_server:
        assert ask(open_server.tcp)


def test_the_users_of_a_socket_are_who_may_write_to_its_file(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    group = 12345 if os.geteuid() == 0 else os.getegid()
    flags = ("--unix-mode", "0620", "--unix-group", str(group))
    with serving(binary, store, tmp_path, *flags):
        info = (tmp_path / "socket").stat()
        assert (info.st_mode & 0o777, info.st_gid) == (0o620, group)


# Python itself may lie where only root gets.
_CONNECT = """
import os, socket, sys
os.setgroups([int(group) for group in sys.argv[2:]])
os.setgid(65534)
os.setuid(65534)
with socket.socket(socket.AF_UNIX) as one:
    one.connect(sys.argv[1])
"""
_GROUP = 12345


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize(("groups", "let_in"), [([], False), ([_GROUP], True)])
def test_another_user_gets_in_by_the_group_alone(
    binary: Path, store: Path, groups: list[int], let_in: bool
) -> None:
    flags = ("--unix-mode", "0660", "--unix-group", str(_GROUP))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)
        with serving(binary, store, home, *flags):
            done = subprocess.run(
                [sys.executable, "-c", _CONNECT, str(home / "socket"), *map(str, groups)],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
    assert (done.returncode == 0) == let_in, done.stderr
    assert let_in or "PermissionError" in done.stderr


@pytest.mark.parametrize("kind", ["a link", "a file", "a folder"])
def test_what_is_no_socket_is_not_replaced_by_one(
    binary: Path, store: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "socket"
    if kind == "a link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "a file":
        path.write_text("kept")
    else:
        path.mkdir()
    before = path.lstat()
    done = subprocess.run(
        [binary, "serve", "--store", store, "--listen", "none", "--unix", path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"{path} exists and is not a socket" in done.stderr
    after = path.lstat()
    assert (after.st_ino, stat.S_IFMT(after.st_mode)) == (
        before.st_ino,
        stat.S_IFMT(before.st_mode),
    )
    assert not (tmp_path / "elsewhere").exists()
