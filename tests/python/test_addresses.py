"""Addresses: what can be none is refused with what was probably meant, before anybody is asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream._request.addresses import addresses_of, in_words, is_loopback, is_name
from support.fake_server import FakeServer
from support.processes import Server, run_python

PROXIES = ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("http://h:1", "'h:1' is probably meant"),
        ("https://h:443/x", "'h:443' with tls=True is probably meant"),
        ("grpc://me@h", "'h:50051' is probably meant"),
        ("tcp://[::1]:5", "'[::1]:5' is probably meant"),
        ("file:///run/x.sock", "'unix:/run/x.sock' is probably meant"),
        ("http://", 'give "host:port"'),
        ("/run/x.sock", "'unix:/run/x.sock' is probably meant"),
        ("x.sock", "'unix:x.sock' is probably meant"),
        ("drawings.ink", "inkstream.open('drawings.ink') is probably meant"),
        (Path("/run/x.sock"), "'unix:/run/x.sock' is probably meant"),
        ("unix:", "has no path"),
        ("unix://run/x", "'unix:/run/x' is probably meant"),
        ("unix:~/x", f"'unix:{Path.home()}/x' is probably meant"),
        ("unix:/" + "x" * 107, "108 bytes; the kernel's limit is 107"),
        ("UNIX:/x", "'unix:/x' is probably meant"),
        ("", "is empty"),
        (" ", "is empty"),
        (" h:1\n", "'h:1' is probably meant"),
        ("h:1 g:2", "['h:1', 'g:2'] is probably meant"),
        ("h :1", "'h:1' is probably meant"),
        ("h\0:1", "control characters in it; 'h:1' is probably meant"),
        ("\x7f", 'control characters in it: give "host:port"'),
        ("h:1,g:2", "['h:1', 'g:2'] is probably meant"),
        (":1", "'localhost:1' is probably meant"),
        ("localhost", "'localhost:50051' is probably meant"),
        ("50052", "'localhost:50052' is probably meant"),
        ("*:1", "'localhost:1' is probably meant"),
        ("dns:///*:1", "'dns:///localhost:1' is probably meant"),
        ("h:", "'h:50051' is probably meant"),
        ("h:http", "'h:50051' is probably meant"),
        ("h:0", "ports are 1..65535"),
        ("h:99999", "ports are 1..65535"),
        ("h:-1", "'-1', which is no number"),
        ("h:1/", "'h:1' is probably meant"),
        ("h:1:2", "too many colons"),
        ("a..b:1", "no name server knows"),
        ("256.1.1.1:1", "0..255"),
        ("::1", "'[::1]:50051' is probably meant"),
        ("::1:50051", "'[::1]:50051' is probably meant"),
        ("[::1]", "'[::1]:50051' is probably meant"),
        ("[::1:50051", "'[::1]:50051' is probably meant"),
        ("[1.2.3.4]:5", "'1.2.3.4:5' is probably meant"),
        ("dns:///h", "'dns:///h:50051' is probably meant"),
        ("dns://h:1", "'dns:///h:1' is probably meant"),
        ("dns:///a:1,b:2", "['dns:///a:1', 'dns:///b:2'] is probably meant"),
        ("ipv4:h:1", "'h:1' is probably meant"),
        ("ipv4:1.2.3.4", "'ipv4:1.2.3.4:50051' is probably meant"),
        ("ipv6:1.2.3.4:1", "for an IPv6 address"),
        ([], "names no server"),
        (["h:1", "http://g:2"], "target[1] = 'http://g:2'"),
        (["h:1", 5], "target[1] = 5 is not a str"),
        (("localhost", 50051), "'localhost:50051' is probably meant"),
        (None, 'give "host:port"'),
        (b"h:1", 'give "host:port"'),
        (50051, 'give "host:port"'),
    ],
)
def test_what_can_be_no_address_is_refused_at_once(target: Any, said: str) -> None:
    with pytest.raises(inkstream.FixRequest, match=re.escape(said)):
        inkstream.connect(target)


def test_a_store_that_is_there_is_to_be_opened(tmp_path: Path) -> None:
    with pytest.raises(inkstream.FixRequest, match=re.escape(f"inkstream.open({str(tmp_path)!r})")):
        inkstream.connect(str(tmp_path))


@pytest.mark.parametrize(
    ("target", "endpoints"),
    [
        ("h:1", ["h:1"]),
        ("h.example.:65535", ["h.example.:65535"]),
        ("my_host:00080", ["my_host:00080"]),
        ("127.0.0.1:1", ["127.0.0.1:1"]),
        ("0.0.0.0:1", ["0.0.0.0:1"]),
        ("[::1]:1", ["[::1]:1"]),
        ("[fe80::1%eth0]:1", ["[fe80::1%eth0]:1"]),
        ("dns:h:1", ["dns:h:1"]),
        ("dns:/h:1", ["dns:/h:1"]),
        ("dns:///h:1", ["dns:///h:1"]),
        ("dns://9.9.9.9/h:1", ["dns://9.9.9.9/h:1"]),
        ("ipv4:1.2.3.4:1,5.6.7.8:2", ["ipv4:1.2.3.4:1", "ipv4:5.6.7.8:2"]),
        ("ipv6:[::1]:1,[::2]:2", ["ipv6:[::1]:1", "ipv6:[::2]:2"]),
        ("unix:/run/x", ["unix:/run/x"]),
        ("unix:x", ["unix:x"]),
        ("unix:///run/x", ["unix:///run/x"]),
        ("unix:/" + "x" * 106, ["unix:/" + "x" * 106]),
        ("unix-abstract:x", ["unix-abstract:x"]),
        ("xds:///h", ["xds:///h"]),
        (("h:1", "ipv4:1.2.3.4:1,5.6.7.8:2"), ["h:1", "ipv4:1.2.3.4:1", "ipv4:5.6.7.8:2"]),
    ],
)
def test_what_may_be_one_is_left_as_it_is(target: Any, endpoints: list[str]) -> None:
    assert list(addresses_of(target)) == endpoints


def test_every_right_form_reaches_a_server(server: Server) -> None:
    host, _, port = server.tcp.rpartition(":")
    path = server.unix.removeprefix("unix:")
    forms = [server.tcp, f"dns:///{host}:{port}", f"dns:{host}:{port}", f"ipv4:{host}:{port}"]
    for form in [*forms, f"localhost:{port}", f"unix:{path}", f"unix://{path}"]:
        with inkstream.connect(form) as client:
            data = client.dataset()
            assert data.fetch(index=[1]).index.tolist() == [1], form
            assert next(data.stream("train", batch_size=4)).index.shape == (4,)


@pytest.mark.parametrize(
    "address",
    [
        "localhost:1",
        "a.localhost:1",
        "127.0.0.1:1",
        "127.9.8.7:1",
        "0.0.0.0:1",
        "[::1]:1",
        "[::ffff:127.0.0.1]:1",
        "dns:///localhost:1",
        "ipv4:127.0.0.1:1",
        "ipv6:[::1]:1",
        "unix:/x",
    ],
)
def test_this_machine_is_told_by_the_whole_address(address: str) -> None:
    assert is_loopback(address) and not is_name(address)


@pytest.mark.parametrize("address", ["127.example.org:1", "localhost.example.org:1", "dns:///h:1"])
def test_a_name_that_begins_like_this_machine_is_another(address: str) -> None:
    assert is_name(address) and not is_loopback(address)


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_proxy_is_named_where_there_is_one(no_proxies: pytest.MonkeyPatch) -> None:
    assert in_words("h:1") == "h:1"
    no_proxies.setenv("http_proxy", "http://me:secret@proxy:8080")
    assert in_words("h:1") == "h:1 (by way of http_proxy = proxy:8080; no_proxy would leave it out)"
    assert in_words("127.0.0.1:1") == "127.0.0.1:1"
    assert in_words("unix:/x") == "unix:/x"
    no_proxies.setenv("grpc_proxy", "http://other")
    assert "grpc_proxy = http://other" in in_words("dns:///h:1")
    for excepted in ("h", "g, h", "example.org,H"):
        no_proxies.setenv("no_proxy", excepted)
        assert in_words("dns:///h:1") == "dns:///h:1"
    no_proxies.setenv("no_proxy", "10.0.0.0/8")
    assert in_words("10.1.2.3:1") == "10.1.2.3:1"
    assert "grpc_proxy" in in_words("11.1.2.3:1")


THROUGH = """
import sys, inkstream
try:
    print(inkstream.connect(sys.argv[1], timeout=1.5).datasets())
except inkstream.Unavailable as error:
    print(error)
"""


def test_an_error_names_the_proxy_that_is_in_the_way(server: Server) -> None:
    proxy = {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    told = run_python(THROUGH, "192.0.2.1:50051", **proxy).stdout
    assert "by way of http_proxy = http://127.0.0.1:9; no_proxy would leave it out" in told
    for target in (server.tcp, f"ipv4:{server.tcp}", f"dns:///{server.tcp}"):
        for name in ("grpc_proxy", "https_proxy", "http_proxy"):
            told = run_python(THROUGH, target, **{**proxy, name: "http://127.0.0.1:9"}).stdout
            assert told == "['quickdraw']\n"


def test_nobody_is_asked_before_the_first_question() -> None:
    with FakeServer() as server:
        inkstream.connect(["127.0.0.1:1", server.address])
        assert not server.opened
