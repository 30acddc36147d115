"""Many trainers on links of their own against one server that has a part of a core.

    python tests/bench/scale/trainers.py [--store DRAWINGS.ink] [--trainers N] [--cpus SHARE]
        [--rate RATE]... [--form FORM] [--seconds S]

The server and each trainer run in a network namespace of their own (root, iproute2, control
groups); a token bucket shapes what the server sends to each. For each rate, in tc's words, it says
what a trainer draws, how full its link is, and how much of its share of a core the server spent:
the side that is full is what more of would help. Then what follows for sizing: drawings a second
a server core, and bytes a drawing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "bench" / "transport"), str(ROOT / "tests" / "system")]

from control_group import ControlGroup  # noqa: E402
from serving import BINARY, cpu_of, generated, machine  # noqa: E402

BATCH = 256
TO_PYTHON = ROOT / "tests" / "bench" / "transport" / "to_python.py"
UNITS = {"kbit": 10**3, "mbit": 10**6, "gbit": 10**9}


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout


class Star:
    """Namespaces around the server's, from `with` to its end; each link is shaped to `rate`."""

    def __init__(self, links: int, rate: str) -> None:
        self._name, self._links, self._rate = f"ink{os.getpid()}", links, rate
        self.on_server = ("ip", "netns", "exec", self._name)

    def on_client(self, link: int) -> tuple[str, ...]:
        return ("ip", "netns", "exec", f"{self._name}c{link}")

    def server_address(self, link: int) -> str:
        return f"10.213.{link + 10}.1"

    def sent(self, link: int) -> int:
        """Bytes that the server has put on a link so far."""
        said = _run("ip", "-n", self._name, "-s", "-j", "link", "show", "dev", f"l{link}")
        return int(json.loads(said)[0]["stats64"]["tx"]["bytes"])

    def __enter__(self) -> Star:
        try:
            _run("ip", "netns", "add", self._name)
            _run("ip", "-n", self._name, "link", "set", "lo", "up")
            for link in range(self._links):
                self._join(link)
        except BaseException:
            self._take_down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._take_down()

    def _join(self, link: int) -> None:
        client, device = f"{self._name}c{link}", f"l{link}"
        _run("ip", "netns", "add", client)
        veth = ("ip", "link", "add", device, "netns", self._name, "type", "veth")
        _run(*veth, "peer", "up0", "netns", client)
        for namespace, end, last in ((self._name, device, 1), (client, "up0", 2)):
            inside = ("ip", "-n", namespace)
            _run(*inside, "address", "add", f"10.213.{link + 10}.{last}/24", "dev", end)
            _run(*inside, "link", "set", end, "up")
            _run(*inside, "link", "set", "lo", "up")
        shape = ("tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", self._rate)
        _run(*self.on_server, *shape, "burst", "256kb", "latency", "50ms")

    def _take_down(self) -> None:
        for name in (self._name, *(f"{self._name}c{link}" for link in range(self._links))):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def bits(rate: str) -> int:
    for unit, size in UNITS.items():
        if rate.endswith(unit):
            return int(float(rate.removesuffix(unit)) * size)
    raise SystemExit(f"--rate {rate}: give a number and one of {', '.join(UNITS)}")


def run(flags: argparse.Namespace, store: Path, rate: str) -> None:
    """One rate: a line of the table, and what follows."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "client" / "python" / "src")}
    with contextlib.ExitStack() as stack:
        star = stack.enter_context(Star(flags.trainers, rate))
        group = stack.enter_context(ControlGroup(4096, flags.cpus))
        serve = [str(BINARY), "serve", "--store", str(store), "--listen", "0.0.0.0:50051"]
        server = subprocess.Popen(
            [*group.before, *star.on_server, *serve, "--insecure-network"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        assert server.stdout is not None
        if not server.stdout.readline().startswith("inkstream ready"):
            raise SystemExit("no server")
        readers = []
        for link in range(flags.trainers):
            source = f"{star.server_address(link)}:50051"
            read = ["--read", source, "--way", "tcp", "--form", flags.form]
            command = [sys.executable, str(TO_PYTHON), *read, "--seconds", str(flags.seconds)]
            readers.append(
                subprocess.Popen(
                    [*star.on_client(link), *command],
                    env=environment,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        for reader in readers:
            assert reader.stdout is not None
            reader.stdout.readline()  # it reads now, and for so many seconds
        spent, sent = cpu_of(server.pid), [star.sent(link) for link in range(flags.trainers)]
        began = time.monotonic()
        time.sleep(flags.seconds / 2)
        wall = time.monotonic() - began
        spent = cpu_of(server.pid) - spent
        sent = [star.sent(link) - before for link, before in enumerate(sent)]
        told = [json.loads(reader.communicate()[0]) for reader in readers]
    rates = [one["rate"] for one in told]
    a_drawing = sum(sent) / wall / sum(rates)
    full = [8 * count / wall / bits(rate) for count in sent]
    print(
        f"| {rate} | {sum(rates):,.0f} | {min(rates):,.0f} to {max(rates):,.0f} "
        f"| {min(full):.0%} to {max(full):.0%} | {spent / wall / flags.cpus:.0%} "
        f"| {sum(rates) * wall / spent:,.0f} | {a_drawing:.0f} |",
        flush=True,
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--store", type=Path, help="default: 100,000 generated drawings")
    parser.add_argument("--trainers", type=int, default=8)
    parser.add_argument("--cpus", type=float, default=0.5, help="of a core, for the server")
    parser.add_argument("--rate", action="append", help="default: 5mbit and 1gbit")
    parser.add_argument("--form", default="128x128")
    parser.add_argument("--seconds", type=float, default=12)
    flags = parser.parse_args()
    print(machine())
    print(
        f"{flags.trainers} trainers, {flags.form}, a server with {flags.cpus} of a core\n\n"
        "| link of each | drawings/s in all | a trainer | its link is full to | the server's share "
        "of a core is full to | drawings/s a server core | bytes a drawing |\n"
        "|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory(prefix="ink-bench-") as folder:
        store = (flags.store or generated(100_000, Path(folder))).resolve()
        for rate in flags.rate or ["5mbit", "1gbit"]:
            run(flags, store, rate)


if __name__ == "__main__":
    main()
