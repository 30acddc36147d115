"""The way to a server, one step after the other: address, name, proxy, connection, TLS."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator

from inkstream._command.findings import BAD, FINE, ODD, Finding
from inkstream._network.credentials import Credentials
from inkstream._request.addresses import addresses_of, host_of, in_words
from inkstream.errors import FixRequest

_PLAIN = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_DAY = 86_400


def network_findings(
    target: str, tls: bool | str | dict[str, str], timeout: float
) -> Iterator[Finding]:
    """What stands between this machine and `target`."""
    try:
        addresses = addresses_of(target)
        credentials = Credentials.checked(tls, "")
    except FixRequest as error:
        yield Finding("address", BAD, str(error), "give HOST:PORT, dns:///NAME:PORT or unix:/PATH")
        return
    yield Finding("address", FINE, ", ".join(addresses))
    for address in addresses:
        yield from _one(address, credentials, timeout)


def reaches(findings: Iterable[Finding]) -> bool:
    """Whether it is worth asking: of several addresses one is enough.

    A proxy may know a way that this machine does not, and of some sockets nothing was found out.
    """
    states = [(finding.name, finding.state) for finding in findings]
    if ("address", BAD) in states:
        return False
    names = [name for name, _ in states]
    if "proxy" in names or not {"DNS", "connect"} & {*names}:
        return True
    deaf = states.count(("HTTP/2", BAD)) + states.count(("TLS", BAD))
    return states.count(("connect", FINE)) > deaf


def _one(address: str, credentials: Credentials, timeout: float) -> Iterator[Finding]:
    host = host_of(address)
    if host is None:
        scheme, _, path = address.partition(":")
        if scheme in ("unix", "unix-abstract"):
            yield _unix(path.removeprefix("//"), "\0" if scheme == "unix-abstract" else "", timeout)
        return
    said = in_words(address)
    if said != address:
        yield Finding(
            "proxy", ODD, said, "a proxy that does not know gRPC is left out by no_proxy=HOST"
        )
    port = int(address.rpartition(":")[2])
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield Finding(
            "DNS",
            BAD,
            f"{host} has no address: {error.strerror or error}",
            "is it spelled right? `getent hosts` asks the same; in Kubernetes the name is "
            "SERVICE.NAMESPACE.svc",
        )
        return
    places = sorted({str(entry[4][0]) for entry in found})
    yield Finding("DNS", FINE, f"{host} is {', '.join(places)}")
    began = time.monotonic()
    try:
        connection = socket.create_connection((host, port), timeout)
    except OSError as error:
        yield Finding("connect", BAD, f"{address}: {error.strerror or error}", _why_not(error))
        return
    with connection:
        taken = time.monotonic() - began
        yield Finding("connect", FINE, f"{address} in {taken * 1000:.1f} ms")
        if credentials.tls is None:
            yield from _plaintext(connection, address)
        else:
            yield from _handshake(connection, host, credentials)


def _why_not(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return (
            "the machine is there and nothing listens on that port: is `inkstream serve` running, "
            "with --listen on this address and not on 127.0.0.1 alone?"
        )
    return "nothing answers: a firewall, a network policy or a wrong address is in between"


def _unix(path: str, before: str, timeout: float) -> Finding:
    with socket.socket(socket.AF_UNIX) as tried:
        tried.settimeout(timeout)
        try:
            tried.connect(before + path)
        except OSError as error:
            return Finding(
                "connect",
                BAD,
                f"{path}: {error.strerror or error}",
                "is `inkstream serve --unix` running, and may this user open its socket? A "
                "container needs the socket's folder mounted",
            )
    return Finding("connect", FINE, path)


def _plaintext(connection: socket.socket, address: str) -> Iterator[Finding]:
    """Whether what listens speaks HTTP/2 without TLS."""
    try:
        connection.sendall(_PLAIN)
        answer = connection.recv(9)
    except TimeoutError:
        yield Finding("HTTP/2", BAD, f"{address} takes connections and says nothing", _SILENT)
        return
    except OSError as error:
        yield Finding("HTTP/2", BAD, f"{address}: {error.strerror or error}", _SOMETHING_ELSE)
        return
    # A settings frame comes first; a TLS server sends an alert, or hangs up.
    if len(answer) >= 4 and answer[3:4] == b"\x04" and answer[:1] == b"\x00":
        yield Finding("HTTP/2", FINE, "spoken, without TLS")
    elif answer[:1] == b"\x15" or not answer:
        yield Finding(
            "HTTP/2",
            BAD,
            f"{address} hangs up on plaintext",
            "it probably wants TLS: --tls, or --tls-ca FILE with its authority",
        )
    else:
        yield Finding("HTTP/2", BAD, f"{address} answers something else", _SOMETHING_ELSE)


_SOMETHING_ELSE = "what listens there is no gRPC server: is the port right?"
_SILENT = (
    "it was stopped, or hangs: look at its log and its process; if it is no server, at the port"
)


def _handshake(connection: socket.socket, host: str, credentials: Credentials) -> Iterator[Finding]:
    context = ssl.create_default_context()
    files = credentials.files()
    if "ca" in files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=files["ca"].decode("ascii", "replace"))
    tls = credentials.tls
    if tls is not None and tls.cert is not None:
        context.load_cert_chain(tls.cert, tls.key)
    context.set_alpn_protocols(["h2"])
    try:
        with context.wrap_socket(connection, server_hostname=host) as secure:
            certificate = secure.getpeercert() or {}
            version = secure.version()
    except ssl.SSLCertVerificationError as error:
        yield Finding("TLS", BAD, error.verify_message or str(error), _distrust(error))
        return
    except TimeoutError:
        yield Finding("TLS", BAD, "the server takes connections and says nothing", _SILENT)
        return
    except OSError as error:
        yield Finding(
            "TLS",
            BAD,
            str(error),
            "the server may speak no TLS at all (leave out --tls), or want a certificate of this "
            "client's (--tls-cert, --tls-key)",
        )
        return
    until = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    days = int((until - time.time()) // _DAY)
    said = f"{version}, its certificate holds for {days} more days"
    if days < 14:
        yield Finding("TLS", ODD, said, "renew it; the server reads the files again by itself")
    else:
        yield Finding("TLS", FINE, said)


def _distrust(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message or ""
    if "expired" in said or "not yet valid" in said:
        return "renew the certificate, or set this machine's clock: see above what it says"
    if "mismatch" in said or "not valid for" in said:
        return "connect by a name that stands in the certificate"
    return "give the authority that signed it: --tls-ca FILE"
