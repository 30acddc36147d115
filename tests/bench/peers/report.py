"""The JSON of a run as a Markdown table and as an SVG plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_OURS, _OTHERS = "#1f6f8b", "#b8b2a7"


def table(content: dict[str, Any]) -> str:
    """Everything that was measured."""
    machine = content["machine"]
    lines = [
        f"{content['drawings']:,} drawings, shuffled batches of {content['batch']} uint8 images "
        f"with labels in one training process, {content['seconds']:g} s each, one after the "
        f"other; {machine['cores']} cores ({machine['cpu']}), load before the run "
        f"{machine['load_before']}.",
        "",
    ]
    if content.get("portions", 1) > 1:
        lines += [f"Not one run: measured in {content['portions']} portions (`--add`).", ""]
    for side, rows in content["loaders"].items():
        lines += [
            f"| {side}x{side} | drawings/s | CPU s per 1 M | preparing, s | |",
            "|---|---|---|---|---|",
        ]
        for row in sorted(rows.values(), key=lambda row: -row["drawings_per_s"]):
            lines.append(
                f"| {row['name']} | {row['drawings_per_s']:,} | {row['cpu_s_per_million']:,} "
                f"| {row['prepare_s']} | {row['note']} |"
            )
        lines.append("")
    lines += _where_pixels_win(content)
    lines += _sharing(content.get("sharing") or {})
    if content["failed"]:
        lines += ["Not measured:", ""]
        lines += [f"- {name}: {reason}" for name, reason in content["failed"].items()]
        lines.append("")
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    lines.append(f"Linux {machine['kernel']}, Python {machine['python']}; {versions}.")
    return "\n".join(lines) + "\n"


def _where_pixels_win(content: dict[str, Any]) -> list[str]:
    lines = []
    for side, rows in content["loaders"].items():
        streams = [
            rows[n]["drawings_per_s"]
            for n in ("inkstream-tcp", "inkstream-unix", "inkstream-open")
            if n in rows
        ]
        if "pixels" in rows and streams:
            pixels, ours = rows["pixels"]["drawings_per_s"], max(streams)
            winner = "the map wins" if pixels > ours else "the stream wins"
            lines.append(
                f"Memory-mapped pixels against the fastest stream at {side}x{side}: "
                f"{pixels / ours:.1f} times its rate ({winner}); it holds one size and "
                f"no augmentation, and 50 M drawings take {50e6 * int(side) ** 2 / 1e9:,.0f} GB."
            )
    return [*lines, ""] if lines else []


def _sharing(sharing: dict[str, Any]) -> list[str]:
    lines = []
    for title, rows in sharing.get("summing", {}).get("sums", {}).items():
        size = sharing["summing"]["megabytes"]
        lines += [
            f"| numpy.sum, {title}, {size} MB, 4 processes | first ms | median ms | best ms |",
            "|---|---|---|---|",
        ]
        for name, row in sorted(rows.items(), key=lambda item: item[1]["best_ms"]):
            lines.append(f"| {name} | {row['first_ms']:,} | {row['ms']:,} | {row['best_ms']:,} |")
        lines.append("")
    passing = sharing.get("between_processes")
    if passing:
        lines += [
            f"| {passing['megabytes']:.0f} MB float64 from a worker | arrives, ms | read, ms |",
            "|---|---|---|",
        ]
        for name, row in passing["methods"].items():
            lines.append(f"| {name} | {row['arrives_ms']:,} | {row['read_ms']:,} |")
        lines.append("")
    return lines


def plot(content: dict[str, Any], path: Path) -> None:
    """Horizontal bars, one panel a workload."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    panels: list[tuple[str, str, list[tuple[str, float]]]] = []
    for side, rows in content["loaders"].items():
        bars = [(row["name"], float(row["drawings_per_s"])) for row in rows.values()]
        title = f"{side}x{side}, thousand drawings/s"
        panels.append((title, "k", sorted(bars, key=lambda bar: bar[1])))
    sharing = content.get("sharing") or {}
    for title, sums in sharing.get("summing", {}).get("sums", {}).items():
        bars = [(name, row["best_ms"]) for name, row in sums.items()]
        heading = f"numpy.sum, {title}, {sharing['summing']['megabytes']} MB, 4 processes, ms"
        panels.append((heading, "ms", sorted(bars, key=lambda bar: -bar[1])))
    if sharing.get("between_processes"):
        passing = sharing["between_processes"]
        bars = [(name, row["arrives_ms"]) for name, row in passing["methods"].items()]
        heading = f"{passing['megabytes']:.0f} MB from a worker process, ms"
        panels.append((heading, "ms", sorted(bars, key=lambda bar: -bar[1])))
    panels = [panel for panel in panels if panel[2]]
    heights = [0.9 + 0.27 * len(bars) for _, _, bars in panels]
    figure, axes = pyplot.subplots(
        len(panels), 1, figsize=(8.5, sum(heights)), height_ratios=heights, squeeze=False
    )
    for axis, (title, unit, bars) in zip(axes[:, 0], panels, strict=True):
        _bars(axis, title, unit, bars)
    machine = content["machine"]
    footer = f"logarithmic scales; {machine['cores']} cores, {machine['cpu']}"
    figure.text(0.99, 0.003, footer, ha="right", size=7, color="#666")
    figure.tight_layout(rect=(0, 0.01, 1, 1))
    # The same figures give the same file, with text as text: a quarter of the lines.
    pyplot.rcParams |= {"svg.hashsalt": "inkstream", "svg.fonttype": "none"}
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _bars(axis: Any, title: str, unit: str, bars: list[tuple[str, float]]) -> None:
    names = [name for name, _ in bars]
    values = [value for _, value in bars]
    ours = ("inkstream", "install()", "share()")
    colours = [_OURS if name.startswith(ours) else _OTHERS for name in names]
    axis.barh(names, values, color=colours, height=0.7)
    axis.set_xscale("log")
    axis.set_xlim(min(values) / 2, max(values) * 2.5)
    axis.set_title(title, loc="left", size=10, weight="bold")
    for i, value in enumerate(values):
        text = f"{value / 1000:,.1f}" if unit == "k" else f"{value:,.1f}"
        axis.text(value * 1.06, i, text, va="center", size=8)
    axis.tick_params(axis="y", length=0, labelsize=8)
    axis.set_xticks([])
    axis.minorticks_off()
    for side in ("top", "right", "bottom"):
        axis.spines[side].set_visible(False)
