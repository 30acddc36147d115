"""A server in a container's limits knows them, and is never killed for what others ask of it."""

from __future__ import annotations

from pathlib import Path

from beside import Beside
from control_group import ControlGroup
from serving import RunningServer
from test_memory_is_shared import fetch_request, stream_request
from unreading_client import UnreadingClient

MEMORY_MIB = 300


def test_a_small_container_is_enough_beside_those_who_read_nothing(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    with (
        ControlGroup(MEMORY_MIB, cpus=1) as group,
        RunningServer(
            binary, [f"quickdraw={store}"], tmp_path / "log", before=group.before
        ) as server,
    ):
        assert f"1 workers, {MEMORY_MIB * 9 // 10} MiB of memory" in server.log
        with (
            Beside(server.address, server.process.pid, MEMORY_MIB * 0.9) as beside,
            UnreadingClient(server.address) as client,
        ):
            alone = beside.rate()
            for _ in range(20):
                client.call("StreamBatches", stream_request(16), close=False)
                client.call("FetchDrawings", fetch_request(32))
            beside.keeps_half(alone)
        assert group.killed == 0
        assert server.stop() == 0
