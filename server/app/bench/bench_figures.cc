#include "server/app/bench/bench_figures.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "server/app/commands/progress_display.h"
#include "server/base/json.h"

namespace inkstream::app {
namespace {

constexpr double kStep = 0.02;  // of the logarithm
constexpr uint64_t kLast = 1099;

double PerSecond(uint64_t count, const BenchFigures& figures) {
  return static_cast<double>(count) / std::max(figures.seconds, 1e-9);
}

double CpuMillisPerThousand(double seconds, const BenchFigures& figures) {
  return seconds * 1e6 / std::max(static_cast<double>(figures.drawings), 1.0);
}

double WireBytesADrawing(const BenchFigures& figures) {
  return static_cast<double>(figures.wire_bytes) /
         std::max(static_cast<double>(figures.drawings), 1.0);
}

}  // namespace

void WaitHistogram::Add(absl::Duration wait) {
  const double micros = std::max(1.0, absl::ToDoubleMicroseconds(wait));
  buckets_.Add(
      std::min(kLast, static_cast<uint64_t>(std::log(micros) / kStep)));
}

double WaitHistogram::Quantile(double quantile) const {
  if (buckets_.total() == 0) return 0;
  const auto bucket = static_cast<double>(buckets_.Quantile(quantile));
  return std::exp((bucket + 0.5) * kStep) / 1000;
}

void BenchFigures::Merge(const BenchFigures& other) {
  batches += other.batches;
  drawings += other.drawings;
  bytes += other.bytes;
  waits.Merge(other.waits);
}

std::string FiguresAsText(const BenchSetup& setup,
                          const BenchFigures& figures) {
  const std::string tensor =
      setup.strokes > 0
          ? absl::StrFormat("stroke-5 of %u points", setup.strokes)
          : absl::StrFormat("%ux%u uint8", setup.height, setup.width);
  std::string text = absl::StrFormat(
      "%s in batches of %u, %u stream%s of %s, %.1f s\n"
      "  drawings/s    %s\n"
      "  MB/s          %.1f\n"
      "  on the wire   %.1f MB/s, %.0f bytes a drawing, codec %s\n"
      "  batch wait    p50 %.2f ms, p90 %.2f ms, p99 %.2f ms\n"
      "  client CPU    %.3f ms per 1,000 drawings\n",
      tensor, setup.batch, setup.streams, setup.streams == 1 ? "" : "s",
      setup.target, figures.seconds,
      WithThousands(
          static_cast<uint64_t>(PerSecond(figures.drawings, figures))),
      PerSecond(figures.bytes, figures) / 1e6,
      PerSecond(figures.wire_bytes, figures) / 1e6, WireBytesADrawing(figures),
      setup.codec, figures.waits.Quantile(0.5), figures.waits.Quantile(0.9),
      figures.waits.Quantile(0.99),
      CpuMillisPerThousand(figures.cpu_seconds, figures));
  if (figures.server_cpu_seconds.has_value()) {
    absl::StrAppendFormat(
        &text,
        "  server CPU    %.3f ms per 1,000 drawings\n"
        "  server sent   %.1f MB\n",
        CpuMillisPerThousand(*figures.server_cpu_seconds, figures),
        static_cast<double>(figures.server_bytes) / 1e6);
  }
  return text;
}

std::string FiguresAsJson(const BenchSetup& setup,
                          const BenchFigures& figures) {
  Json json = {
      {"target", setup.target},
      {"dataset", setup.dataset},
      {"split", setup.split},
      {"codec", setup.codec},
      {"height", setup.strokes > 0 ? 0 : setup.height},
      {"width", setup.strokes > 0 ? 0 : setup.width},
      {"strokes", setup.strokes},
      {"batch", setup.batch},
      {"streams", setup.streams},
      {"seconds", figures.seconds},
      {"batches", figures.batches},
      {"drawings", figures.drawings},
      {"bytes", figures.bytes},
      {"drawings_per_second", PerSecond(figures.drawings, figures)},
      {"megabytes_per_second", PerSecond(figures.bytes, figures) / 1e6},
      {"wire_bytes", figures.wire_bytes},
      {"wire_megabytes_per_second",
       PerSecond(figures.wire_bytes, figures) / 1e6},
      {"wire_bytes_per_drawing", WireBytesADrawing(figures)},
      {"batch_wait_ms_p50", figures.waits.Quantile(0.5)},
      {"batch_wait_ms_p90", figures.waits.Quantile(0.9)},
      {"batch_wait_ms_p99", figures.waits.Quantile(0.99)},
      {"client_cpu_ms_per_1000_drawings",
       CpuMillisPerThousand(figures.cpu_seconds, figures)}};
  if (figures.server_cpu_seconds.has_value()) {
    json["server_cpu_ms_per_1000_drawings"] =
        CpuMillisPerThousand(*figures.server_cpu_seconds, figures);
    json["server_bytes"] = figures.server_bytes;
  }
  return JsonLine(json);
}

}  // namespace inkstream::app
