#!/usr/bin/env bash
# Draws the golden tensors with NEON code under an emulator: their hashes must be
# those of every other instruction set. Skipped, saying so, where a tool is missing.
set -euo pipefail

if (($#)); then
  echo 'Usage: tests/raster/neon.sh
Cross-compiles the rasteriser for aarch64 and runs it under qemu-user. Needs the
Debian packages g++-aarch64-linux-gnu and qemu-user-static
(deploy/install_debian.sh neon).'
  [[ $1 == --help || $1 == -h ]] && exit
  exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
for tool in aarch64-linux-gnu-g++ qemu-aarch64-static; do
  command -v "$tool" >/dev/null || {
    echo "neon: skipped: no $tool (deploy/install_debian.sh neon)"
    exit
  }
done

out=$root/build/neon
mkdir -p "$out/include"
# Only what holds for every machine of /usr/include: its other headers are
# those of this one.
for library in hwy absl; do ln -sfn "/usr/include/$library" "$out/include/$library"; done

sources=(server/raster/augment/augmenter.cc
  server/raster/draw/{capsule_plan,capsule_rasterizer,draw_kernel,draw_scratch,frame}.cc
  server/raster/draw/{point_kernel,segment_clip}.cc
  server/raster/tensor/{channel,channel_values,pixel_writer}.cc
  tests/support/{golden_tensors,generated_drawings}.cc tests/raster/golden_main.cc)
# One target compiled in, so that Highway's library, which would choose among
# several, is not needed; what refers to libraries is not linked in.
# shellcheck disable=SC2054  # the comma is the linker's
flags=(-std=c++20 -O2 -ffp-contract=off -march=armv8-a+crypto -static
  -DHWY_COMPILE_ONLY_STATIC -ffunction-sections -Wl,--gc-sections
  -I"$root" -I"$root/include" -I"$out/include")
(cd "$root" && aarch64-linux-gnu-g++ "${flags[@]}" "${sources[@]}" -o "$out/golden")
qemu-aarch64-static "$out/golden"
