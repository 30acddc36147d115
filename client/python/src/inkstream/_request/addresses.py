"""Addresses of servers: which are right, and what a wrong one was probably meant to be.

What gRPC makes of a wrong one helps nobody: it asks a name server for "http", or tries port 443
where none is named, for as long as a stream looks for a server. So all of them are looked at
before the first is tried. A text is refused only where no server can be meant by it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable

from inkstream._request.values import holds_many
from inkstream.errors import FixRequest

_PORT = 50051  # what a server listens on if nobody says otherwise
_LONGEST_PATH = 107  # bytes; what the kernel's address of a Unix socket has room for
_FORMS = '"host:port", "dns:///name:port", "unix:/path", or a list of those'
_SCHEMES = ("dns", "ipv4", "ipv6", "unix", "unix-abstract")
_OTHERS = ("xds:", "vsock:")  # gRPC's own, and for it to judge


class _Wrong(Exception):
    """Why an address is none, and what was probably meant; "" where nobody can tell."""

    def __init__(self, why: str, meant: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.meant = meant


def addresses_of(target: object) -> tuple[str, ...]:
    """Where to connect: an address for each that `target` names. FixRequest for what is none.

    One that names several numeric addresses becomes as many, each of which is then left alone
    when it fails.
    """
    if isinstance(target, str):
        return tuple(_checked("target", target))
    if isinstance(target, os.PathLike):
        raise _refusal("target", target, _Wrong("is a path", _meant_by_path(os.fspath(target))))
    if (
        not isinstance(target, Iterable)
        or isinstance(target, bytes | bytearray)
        or not holds_many(target)
    ):
        raise FixRequest(f"target = {target!r}: give {_FORMS}")
    given = list(target)
    match given:
        case [str(host), int(port)] if ":" not in host:
            raise _refusal("target", target, _Wrong("is no text", repr(f"{host}:{port}")))
        case []:
            raise FixRequest(f"target = {target!r} names no server: give {_FORMS}")
    found: list[str] = []
    for number, one in enumerate(given):
        name = f"target[{number}]"
        if not isinstance(one, str):
            raise FixRequest(f"{name} = {one!r} is not a str: give {_FORMS}")
        found += _checked(name, one)
    return tuple(found)


def is_address(text: str) -> bool:
    """Whether a server may be meant by it."""
    try:
        return bool(_endpoints(text))
    except _Wrong:
        return False


def host_of(address: str) -> str | None:
    """The host of an address that `addresses_of` gave; None where it names a socket's path."""
    if address.startswith(("unix:", "unix-abstract:", *_OTHERS)):
        return None
    scheme, _, rest = address.partition(":")
    plain = rest.rpartition("/")[2] if scheme in _SCHEMES else address
    return plain.rpartition(":")[0].strip("[]")


def is_loopback(address: str) -> bool:
    """Whether it is on this machine, by what it says, without asking a name server."""
    host = host_of(address)
    if host is None:
        return address.startswith("unix")
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    number = _number(host)
    number = getattr(number, "ipv4_mapped", None) or number
    return number is not None and (number.is_loopback or number.is_unspecified)


def is_name(address: str) -> bool:
    """Whether a name server says where it is, so that several servers may be behind it."""
    host = host_of(address)
    return host is not None and not is_loopback(address) and _number(host) is None


def in_words(address: str) -> str:
    """An address as errors name it: with the proxy between it and this process, if any."""
    host = host_of(address)
    names = ("grpc_proxy", "https_proxy", "http_proxy")  # gRPC takes the first that is set
    name = next((name for name in names if os.environ.get(name)), None)
    if host is None or name is None or is_loopback(address):
        return address
    lists = [os.environ.get(name, "") for name in ("no_grpc_proxy", "no_proxy")]
    excepted = (lists[0] or lists[1]).split(",")
    if any(_excepts(entry.strip(), host) for entry in excepted):
        return address
    proxy = os.environ[name].rpartition("@")[2]  # a password is nobody's business
    return f"{address} (by way of {name} = {proxy}; no_proxy would leave it out)"


def _excepts(entry: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry)
    except ValueError:
        return bool(entry) and host.lower().endswith(entry.lower())


def _checked(name: str, text: str) -> list[str]:
    try:
        return _endpoints(text)
    except _Wrong as wrong:
        raise _refusal(name, text, wrong) from None


def _refusal(name: str, given: object, wrong: _Wrong) -> FixRequest:
    meant = f"; {wrong.meant} is probably meant" if wrong.meant else f": give {_FORMS}"
    return FixRequest(f"{name} = {given!r} {wrong.why}{meant}")


def _endpoints(text: str) -> list[str]:
    """The endpoints of one address; _Wrong says what is wrong with it."""
    if not text.strip():
        raise _Wrong("is empty")
    if any(one.isspace() or not one.isprintable() for one in text):
        parts = "".join(one if one.isprintable() else " " for one in text).split()
        several = len(parts) > 1 and all(map(is_address, parts))
        meant = parts if several else "".join(parts)
        raise _Wrong("has blanks or control characters in it", repr(meant) if meant else "")
    scheme, _, rest = text.partition(":")
    if text.startswith(_OTHERS):
        return [text]
    if scheme.lower() in _SCHEMES and scheme not in _SCHEMES:
        raise _Wrong(f"has {scheme!r} for {scheme.lower()!r}", repr(f"{scheme.lower()}:{rest}"))
    if scheme in ("unix", "unix-abstract"):
        return [_checked_socket(scheme, rest, text)]
    if scheme == "dns":
        return [_checked_name(rest, text)]
    if scheme in ("ipv4", "ipv6"):
        return [_checked_number(scheme, one) for one in rest.lstrip("/").split(",")]
    if "://" in text:
        raise _Wrong(f"begins with {scheme + '://'!r}", _meant_by_url(scheme.lower(), rest[2:]))
    if "/" in scheme or (text.endswith((".sock", ".ink")) and not rest) or os.path.isdir(text):
        raise _Wrong("is a path", _meant_by_path(text))
    if "/" in text:
        raise _Wrong("has a path behind it", repr(text.partition("/")[0]))
    if "," in text:
        raise _Wrong("is several addresses in one text", repr(text.split(",")))
    _check_host_port(text)
    return [text]


def _checked_socket(scheme: str, path: str, text: str) -> str:
    if scheme == "unix" and path.startswith("//"):
        path = path[2:]
        if not path.startswith("/"):
            raise _Wrong("has two slashes where a path has one", repr(f"unix:/{path}"))
    if not path:
        raise _Wrong("has no path" if scheme == "unix" else "has no name")
    if path.startswith("~"):
        raise _Wrong("has '~', which is the shell's", repr(f"unix:{os.path.expanduser(path)}"))
    size = len(os.fsencode(path))
    if size > _LONGEST_PATH:
        raise _Wrong(f"has a path of {size} bytes; the kernel's limit is {_LONGEST_PATH}")
    return text


def _checked_name(rest: str, text: str) -> str:
    """dns:[//NAMESERVER]/HOST:PORT or dns:HOST:PORT."""
    prefix, name = "dns:", rest
    if rest.startswith("//"):
        server, slash, name = rest[2:].partition("/")
        if not slash:
            raise _Wrong("has two slashes where three are due", repr(f"dns:///{server}"))
        prefix = f"dns://{server}/"
    elif rest.startswith("/"):
        prefix, name = "dns:/", rest[1:]
    if "," in name:
        raise _Wrong("is several names in one", repr([prefix + one for one in name.split(",")]))
    _check_host_port(name, prefix)
    return text


def _checked_number(scheme: str, text: str) -> str:
    host = _check_host_port(text, f"{scheme}:")
    number = _number(host)
    if number is None or f"ipv{number.version}" != scheme:
        raise _Wrong(f"has {host!r} for an IPv{scheme[-1]} address", repr(text))
    return f"{scheme}:{text}"


def _check_host_port(text: str, prefix: str = "") -> str:
    """The host of HOST:PORT. `prefix`: what stands before it in what is meant."""
    host, port = _split(text, prefix)
    shown = f"[{host}]" if ":" in host else host
    if "@" in host:
        raise _Wrong("has a user's name in it", repr(f"{prefix}{host.rpartition('@')[2]}:{port}"))
    if host in ("", "*"):
        raise _Wrong(f"has {host!r} for a host", repr(f"{prefix}localhost:{port or _PORT}"))
    if not port and host.isascii() and host.isdecimal():
        raise _Wrong("has no host", repr(f"{prefix}localhost:{host}"))
    if not (port.isascii() and port.isdecimal()):
        why = f"has the port {port!r}, which is no number" if port else "has no port"
        raise _Wrong(why, repr(f"{prefix}{shown}:{_PORT}"))
    if not 1 <= int(port) <= 65535:
        raise _Wrong(f"has the port {port}; ports are 1..65535")
    labels = host.removesuffix(".").split(".")
    if ":" not in host and not all(0 < len(label) <= 63 for label in labels):
        raise _Wrong(f"has {host!r} for a host, which no name server knows")
    if len(labels) == 4 and all(map(str.isdecimal, labels)) and _number(host) is None:
        raise _Wrong(f"has {host!r} for a host: numbers of IPv4 are 0..255")
    return host


def _split(text: str, prefix: str) -> tuple[str, str]:
    """Host and port, as far as they are there."""
    if text.count(":") < 2 and "[" not in text:
        host, _, port = text.partition(":")
        return host, port
    framed = re.fullmatch(r"\[(.*)\](?::(.*))?", text)
    if framed is not None and _is_ipv6(framed[1]):
        return framed[1], framed[2] or ""
    bare = text.replace("[", "").replace("]", "")
    host, _, port = (bare, "", str(_PORT)) if _is_ipv6(bare) else bare.rpartition(":")
    if _is_ipv6(host):
        raise _Wrong("is IPv6 without '[' and ']:' around it", repr(f"{prefix}[{host}]:{port}"))
    if "[" in text:
        raise _Wrong("has brackets, which are for IPv6", repr(prefix + bare))
    raise _Wrong("has too many colons")


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """What it says as an address of the Internet; None: it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_ipv6(text: str) -> bool:
    return isinstance(_number(text), ipaddress.IPv6Address)


def _meant_by_url(scheme: str, rest: str) -> str:
    if scheme in ("file", *_SCHEMES):
        return repr(f"unix:/{rest.lstrip('/')}")
    host = rest.lstrip("/").partition("/")[0].rpartition("@")[2]
    if not host:
        return ""
    try:
        _check_host_port(host)
    except _Wrong as wrong:
        return wrong.meant
    secure = " with tls=True" if scheme in ("https", "grpcs") else ""
    return repr(host) + secure


def _meant_by_path(path: str | bytes) -> str:
    text = os.path.expanduser(os.fsdecode(path))
    if os.path.isdir(text) or text.endswith(".ink"):
        return f"inkstream.open({text!r})"
    return repr(f"unix:{text}")
