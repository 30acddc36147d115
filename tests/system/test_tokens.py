"""Tokens: every method asks for one, each sees its datasets, and they come and go with a file."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import inkstream as client
import pytest
from certificates import Authority
from serving import RunningServer, ServerFailed

Run = Callable[..., subprocess.CompletedProcess[str]]
SERVICE = "inkstream.v1.DrawingService"
# For what must come about; how fast is not what these tests are about.
SOON = 60


class Tokens:
    """A tokens file, and the tokens of it by name."""

    def __init__(self, path: Path, inkstream: Run) -> None:
        self.path = path
        self.lines: dict[str, str] = {}
        self.of: dict[str, str] = {}
        self._inkstream = inkstream

    def add(self, name: str, *datasets: str) -> str:
        more = ["--datasets", ",".join(datasets)] if datasets else []
        done = self._inkstream("token", name, *more)
        assert done.returncode == 0, done.stderr
        self.of[name], self.lines[name] = done.stdout.splitlines()
        self.write()
        return self.of[name]

    def remove(self, name: str) -> None:
        del self.lines[name]
        self.write()

    def write(self) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text("# who may call\n" + "".join(f"{one}\n" for one in self.lines.values()))
        fresh.rename(self.path)


@pytest.fixture(scope="module")
def guarded(
    binary: Path, store: Path, inkstream: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningServer, Tokens]]:
    """A server of two datasets on loopback and a Unix socket, with tokens."""
    folder = tmp_path_factory.mktemp("guarded")
    tokens = Tokens(folder / "tokens", inkstream)
    tokens.add("all")
    tokens.add("one", "quickdraw")
    flags = ("--tokens", str(tokens.path), "--http", "127.0.0.1:0", "--channelz")
    socket = ("--unix", str(folder / "socket"))
    stores = [f"quickdraw={store}", f"other={store}"]
    with RunningServer(binary, stores, folder / "log", *flags, *socket) as server:
        yield server, tokens


def grpcurl_at(
    grpcurl: Path, server: RunningServer, token: str | None, verb: str, request: object = None
) -> subprocess.CompletedProcess[str]:
    """What a shell would run; an answer may be a stream without an end."""
    words = [] if token is None else ["-H", f"authorization: Bearer {token}"]
    if request is not None:
        words += ["-d", json.dumps(request)]
    return subprocess.run(
        [str(grpcurl), "-plaintext", "-max-time", "20", *words, server.address, *verb.split()],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def metric(server: RunningServer, name: str) -> float:
    page = pages(server)
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    assert found, f"no {name} in {page}"
    return float(found[1])


def pages(server: RunningServer) -> str:
    with urllib.request.urlopen(f"http://{server.addresses['http']}/metrics", timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def await_true(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def methods(grpcurl: Path, server: RunningServer, token: str) -> list[str]:
    """Every method of every service, as reflection tells."""
    found = []
    for service in grpcurl_at(grpcurl, server, token, "list").stdout.split():
        told = grpcurl_at(grpcurl, server, token, f"list {service}")
        assert told.returncode == 0, told.stderr
        found += told.stdout.split()
    return found


def code_of(server: RunningServer, method: str, token: str | None, request: bytes) -> str:
    """What a call of raw bytes comes to, whatever the method's kind is."""
    service, name = method.rsplit(".", 1)
    metadata = [] if token is None else [("authorization", f"Bearer {token}")]
    with grpc.insecure_channel(server.address) as channel:
        invoke: Any = channel.stream_stream(f"/{service}/{name}")
        answers = invoke(iter([request]), metadata=metadata, timeout=30)
        try:
            next(answers, None)
            answers.cancel()
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"


def test_every_method_that_reflection_knows_asks_for_a_token(
    grpcurl: Path, guarded: tuple[RunningServer, Tokens]
) -> None:
    server, tokens = guarded
    found = methods(grpcurl, server, tokens.of["all"])
    assert {f"{SERVICE}.GetStatus", "grpc.channelz.v1.Channelz.GetServers"} <= set(found)
    assert any("ServerReflectionInfo" in method for method in found)
    named = b"\x0a\x09quickdraw"  # field 1, which is Health's name and most requests' dataset
    for method in found:
        for token in (None, "ink_wrong", tokens.lines["all"].split()[1]):
            assert code_of(server, method, token, named) == "UNAUTHENTICATED", (method, token)


def test_the_health_of_the_whole_server_is_anybodys(
    inkstream: Run, guarded: tuple[RunningServer, Tokens], tmp_path: Path
) -> None:
    server, tokens = guarded
    at = ("health", "--target", server.address)
    assert inkstream(*at).stdout == "SERVING\n"
    refused = inkstream(*at, "--service", "quickdraw")
    assert refused.returncode == 1
    assert "token" in refused.stderr
    file = tmp_path / "token"
    file.write_text(tokens.of["one"] + "\n")
    assert inkstream(*at, "--service", "quickdraw", "--token-file", file).stdout == "SERVING\n"
    assert inkstream(*at, "--service", "other", "--token-file", file).returncode == 1


@pytest.mark.parametrize("dataset", ["other", "no-such-dataset"])
def test_a_token_sees_its_datasets_and_no_others(
    grpcurl: Path, guarded: tuple[RunningServer, Tokens], dataset: str
) -> None:
    server, tokens = guarded
    token = tokens.of["one"]
    delivery = {"image": {"height": 8}, "batch_size": 4, "max_batches": 1}
    requests: dict[str, dict[str, object]] = {
        "DescribeDataset": {"dataset": dataset},
        "InspectDrawing": {"dataset": dataset, "index": 1},
        "ExplainPlan": {"dataset": dataset, "open": {"delivery": delivery}},
        "GetStatus": {"dataset": dataset},
        "StreamBatches": {"dataset": dataset, "open": {"delivery": delivery}},
        "FetchDrawings": {"dataset": dataset, "index": [1], "delivery": {"image": {"height": 8}}},
    }
    for method, request in requests.items():
        done = grpcurl_at(grpcurl, server, token, f"{SERVICE}/{method}", request)
        assert "PermissionDenied" in done.stderr, (method, done.stdout, done.stderr)
        own = {**request, "dataset": "quickdraw"}
        done = grpcurl_at(grpcurl, server, token, f"{SERVICE}/{method}", own)
        assert done.returncode == 0, (method, done.stderr)
    done = grpcurl_at(grpcurl, server, token, "grpc.health.v1.Health/Check", {"service": dataset})
    assert "PermissionDenied" in done.stderr
    done = grpcurl_at(grpcurl, server, token, "grpc.channelz.v1.Channelz/GetServers", {})
    assert "PermissionDenied" in done.stderr
    told = json.loads(grpcurl_at(grpcurl, server, token, f"{SERVICE}/ListDatasets").stdout)
    assert [one["dataset"] for one in told["datasets"]] == ["quickdraw"]


def test_the_only_dataset_that_a_token_sees_needs_no_name_and_others_streams_are_not_told(
    grpcurl: Path, guarded: tuple[RunningServer, Tokens]
) -> None:
    server, tokens = guarded
    one = client.connect(server.address, token=tokens.of["one"])
    everything = client.connect(server.address, token=tokens.of["all"])
    assert one.dataset().name == "quickdraw"
    with (
        one.dataset().stream("train", image=28, epochs="forever") as own,
        everything.dataset("other").stream("train", image=28, epochs="forever") as others,
    ):
        next(own)
        next(others)
        told = {
            name: json.loads(
                grpcurl_at(grpcurl, server, tokens.of[name], f"{SERVICE}/GetStatus").stdout
            )["streams"]
            for name in ("one", "all")
        }
    assert [stream["caller"] for stream in told["one"]] == ["token:one"]
    assert sorted(stream["caller"] for stream in told["all"]) == ["token:all", "token:one"]


def test_a_unix_socket_asks_too(guarded: tuple[RunningServer, Tokens]) -> None:
    server, tokens = guarded
    at = f"unix:{server.addresses['unix']}"
    assert client.connect(at, token=tokens.of["one"]).dataset().name == "quickdraw"
    with pytest.raises(client.AccessDenied, match="asks for a token"):
        client.connect(at).dataset("quickdraw")


def test_no_token_is_in_the_log_in_a_metric_or_in_proc(
    grpcurl: Path, guarded: tuple[RunningServer, Tokens]
) -> None:
    server, tokens = guarded
    wrong = "ink_NobodysTokenAtAll0123456789"
    for token in (wrong, *tokens.of.values()):
        grpcurl_at(grpcurl, server, token, f"{SERVICE}/DescribeDataset", {"dataset": "quickdraw"})
        done = grpcurl_at(grpcurl, server, token, f"{SERVICE}/ListDatasets")
        assert token not in done.stderr
    proc = Path(f"/proc/{server.process.pid}")
    texts = {
        "log": server.log,
        "metrics": pages(server),
        "cmdline": (proc / "cmdline").read_text(),
        "environ": (proc / "environ").read_text(),
        "file": tokens.path.read_text(),
    }
    assert "call refused" in texts["log"]
    for where, text in texts.items():
        for token in (wrong, *tokens.of.values()):
            assert token not in text, where


def test_a_token_comes_and_goes_with_its_line(
    binary: Path, store: Path, inkstream: Run, tmp_path: Path
) -> None:
    tokens = Tokens(tmp_path / "tokens", inkstream)
    tokens.add("stays", "quickdraw")
    old = tokens.add("goes")
    file = tmp_path / "trainer.token"
    file.write_text(old)
    flags = ("--tokens", str(tokens.path), "--http", "127.0.0.1:0")
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags) as server:

        def stream(token: str | Path) -> client.Stream:
            data = client.connect(server.address, token=token).dataset("quickdraw")
            return data.stream("train", image=28, batch_size=32, epochs="forever")

        with stream(tokens.of["stays"]) as kept, stream(old) as ended, stream(file) as moved:
            before = [next(one).cursor for one in (kept, ended, moved)]
            assert len(before) == 3
            new = tokens.add("comes")
            await_true(lambda: metric(server, "inkstream_tokens") == 3, server.log)
            file.write_text(new)
            tokens.remove("goes")
            await_true(lambda: metric(server, "inkstream_tokens") == 2, server.log)
            with pytest.raises(client.AccessDenied, match="taken back"):
                for _ in range(100_000):
                    next(ended)
            # The file had another one by then: the stream goes on where it was.
            place = before[2]
            for _ in range(100_000):
                cursor = next(moved).cursor
                if cursor["epoch"] == place["epoch"]:
                    assert cursor["position"] == place["position"] + 32
                place = cursor
                if moved.stats()["reopened"]:
                    break
            assert moved.stats()["reopened"] == 1
            for _ in range(100):
                next(moved)
            next(kept)
            assert kept.stats()["reopened"] == 0
        with pytest.raises(client.AccessDenied, match="none of this server's"):
            client.connect(server.address, token=old).dataset("quickdraw")


def test_a_program_with_the_client_in_cpp_reads_its_token_file_again(
    binary: Path, store: Path, inkstream: Run, tmp_path: Path
) -> None:
    tokens = Tokens(tmp_path / "tokens", inkstream)
    file = tmp_path / "trainer.token"
    file.write_text(tokens.add("goes"))
    flags = ("--tokens", str(tokens.path), "--http", "127.0.0.1:0")
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server:
        command = ["bench", "--target", server.address, "--token-file", str(file)]
        with subprocess.Popen([str(binary), *command, "--seconds", "600"]) as bench:
            try:
                await_true(lambda: "caller=token:goes" in server.log, server.log)
                file.write_text(tokens.add("comes"))
                await_true(lambda: metric(server, "inkstream_tokens") == 2, server.log)
                tokens.remove("goes")
                await_true(lambda: "caller=token:comes" in server.log, server.log)
                assert bench.poll() is None
            finally:
                bench.kill()
        ended = re.search(r"stream ended: .*epoch=(\d+) position=(\d+)", server.log)
        opened = re.search(r"opened: .*:comes .*from epoch (\d+) position (\d+)", server.log)
        assert ended and opened
        # What the server had sent and was still on its way is sent again.
        places = [tuple(int(part) for part in found.groups()) for found in (opened, ended)]
        assert (0, 0) < places[0] <= places[1]


def test_a_bad_file_leaves_the_old_tokens_in_use_and_fewer_rights_end_streams(
    binary: Path, store: Path, inkstream: Run, tmp_path: Path
) -> None:
    tokens = Tokens(tmp_path / "tokens", inkstream)
    token = tokens.add("user")
    flags = ("--tokens", str(tokens.path), "--http", "127.0.0.1:0")
    good = 'inkstream_reload_ok{files="tokens"}'
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags) as server:
        data = client.connect(server.address, token=token).dataset("quickdraw")
        with data.stream("train", image=28, epochs="forever") as stream:
            next(stream)
            right = tokens.lines["user"]
            tokens.lines["user"] = f"user {token} *"
            tokens.write()
            await_true(lambda: metric(server, good) == 0, server.log)
            await_true(lambda: "line 2: the second word" in server.log, server.log)
            assert token not in server.log
            next(stream)
            tokens.lines["user"] = right.replace(" *", " somethingelse")
            tokens.write()
            await_true(lambda: metric(server, good) == 1, server.log)
            with pytest.raises(client.AccessDenied):
                for _ in range(100_000):
                    next(stream)


@contextlib.contextmanager
def wrong_tokens(server: RunningServer, channels: int) -> Iterator[list[str]]:
    """Calls with them, 50 at once over each channel; the codes that they get."""
    stop = threading.Event()
    codes: list[str] = []

    def flood() -> None:
        with grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as at:
            invoke: Any = at.unary_unary(f"/{SERVICE}/ListDatasets")
            while not stop.is_set():
                calls = [
                    invoke.future(b"", metadata=[("authorization", f"Bearer ink_{i}")], timeout=60)
                    for i in range(50)
                ]
                codes.extend(str(call.code().name) for call in calls)

    floods = [threading.Thread(target=flood) for _ in range(channels)]
    for thread in floods:
        thread.start()
    try:
        yield codes
    finally:
        stop.set()
        for thread in floods:
            thread.join()


def test_a_flood_of_wrong_tokens_stops_nobody_and_fills_no_log(
    guarded: tuple[RunningServer, Tokens],
) -> None:
    server, tokens = guarded
    lines_before = server.log.count("\n")
    with wrong_tokens(server, channels=4) as codes:
        data = client.connect(server.address, token=tokens.of["one"]).dataset("quickdraw")
        with data.stream("train", image=28, epochs="forever") as stream:
            for _ in range(300):
                next(stream)
            await_true(lambda: len(codes) >= 500, "the flood did not come about")
            next(stream)
    assert set(codes) == {"UNAUTHENTICATED"}
    assert server.log.count("\n") - lines_before < 200


def test_more_wrong_tokens_than_calls_may_be_open_keep_no_right_one_of_their_host_out(
    binary: Path, store: Path, inkstream: Run, tmp_path: Path
) -> None:
    tokens = Tokens(tmp_path / "tokens", inkstream)
    right = [("authorization", f"Bearer {tokens.add('one')}")]
    # Which comes to 136 calls.
    flags = ("--tokens", str(tokens.path), "--memory", "64MiB", "--max-streams", "8")
    with (
        RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server,
        wrong_tokens(server, channels=16) as codes,
        grpc.insecure_channel(server.address) as channel,
    ):
        await_true(lambda: len(codes) >= 1000, "the flood did not come about")
        call: Any = channel.unary_unary(f"/{SERVICE}/ListDatasets")
        for _ in range(20):
            call(b"", metadata=right, timeout=SOON)


def test_tokens_go_over_no_network_in_plaintext(
    binary: Path, store: Path, inkstream: Run, tmp_path: Path
) -> None:
    tokens = Tokens(tmp_path / "tokens", inkstream)
    token = tokens.add("user")
    flags = ("--tokens", str(tokens.path), "--insecure-network")
    with pytest.raises(ServerFailed, match=r"(?s)exit 2: .*with --tokens it must be --tls-cert"):
        RunningServer(binary, [f"quickdraw={store}"], tmp_path / "a", *flags, listen="0.0.0.0:0")
    with pytest.raises(client.FixRequest, match="in plaintext"):
        client.connect("inkstream.example:50051", token=token)
    file = tmp_path / "token"
    file.write_text(token)
    for command in (("health",), ("bench", "--seconds", "0.1")):
        done = inkstream(*command, "--target", "192.0.2.1:50051", "--token-file", file, timeout=60)
        assert done.returncode != 0
        assert "in plaintext" in done.stderr
    authority = Authority(tmp_path / "authority")
    pair = authority.issue("server")
    encrypting = (*flags[:2], "--tls-cert", str(pair.cert), "--tls-key", str(pair.key))
    with RunningServer(
        binary, [f"quickdraw={store}"], tmp_path / "b", *encrypting, listen="0.0.0.0:0"
    ) as server:
        at = f"127.0.0.1:{server.address.rsplit(':', 1)[1]}"
        done = inkstream(
            "bench", "--target", at, "--tls-ca", authority.ca, "--token-file", file,
            "--seconds", "0.2", "--image", "28x28", "--json",
        )  # fmt: skip
        assert json.loads(done.stdout)["batches"] > 0, done.stderr
        data = client.connect(at, tls=authority.ca, token=file).dataset("quickdraw")
        with data.stream("train", image=28) as stream:
            next(stream)


def test_the_command_tells_a_token_once_and_keeps_its_hash(inkstream: Run, binary: Path) -> None:
    first, second = (
        json.loads(inkstream("token", "trainer", "--datasets", "a,b", "--json").stdout)
        for _ in range(2)
    )
    assert first["token"] != second["token"]
    assert re.fullmatch(r"ink_[A-Za-z0-9_-]{43}", first["token"])
    assert re.fullmatch(r"trainer sha256:[0-9a-f]{64} a,b", first["line"])
    for wrong in ("two words", "", "a#b", "x" * 65):
        assert inkstream("token", wrong).returncode == 2
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(binary), "token", "x"],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
