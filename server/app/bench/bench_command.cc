// Every stream has a connection, a thread and a seed of its own, and all are
// opened at once. Measuring begins when each of them has its first batch:
// connecting and resolving the view are not what is asked for.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "inkstream/client.h"
#include "server/app/bench/bench_figures.h"
#include "server/app/bench/bench_streams.h"
#include "server/app/commands/commands.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/flags/target_flag.h"
#include "server/app/interrupt.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "bench";

struct BenchFlags {
  TargetFlags at;
  BenchSetup setup;
  std::string image = "128x128";
  double seconds = 10;
  bool json = false;
};

bool ParseSides(const std::string& text, BenchSetup* setup) {
  char rest = 0;
  const int read = std::sscanf(text.c_str(), "%5ux%5u%c", &setup->height,
                               &setup->width, &rest);
  return read == 2 && setup->height > 0 && setup->width > 0;
}

Codec CodecOf(const std::string& name) {
  if (name == "auto") return Codec::kAuto;
  if (name == "strokes") return Codec::kStrokes;
  return Codec::kNone;
}

// A stream of its own connection.
absl::StatusOr<std::unique_ptr<Stream>> OpenStream(const BenchFlags& flags,
                                                   uint32_t number) {
  const BenchSetup& setup = flags.setup;
  ClientOptions options;
  options.security = flags.at.security();
  auto client = Client::Connect({flags.at.target}, options);
  if (!client.ok()) {
    return client.status();
  }
  Plan plan;
  plan.dataset = setup.dataset;
  plan.view.split = setup.split;
  plan.order.seed = number;
  if (setup.strokes > 0) {
    plan.delivery.strokes = StrokesSpec{};
    plan.delivery.strokes->format = StrokeFormat::kStroke5;
    plan.delivery.strokes->max_len = setup.strokes;
  } else {
    plan.delivery.image.emplace();
    plan.delivery.image->height = setup.height;
    plan.delivery.image->width = setup.width;
  }
  plan.delivery.columns = {"label"};
  plan.delivery.batch_size = setup.batch;
  plan.delivery.epochs = std::nullopt;
  plan.delivery.codec = CodecOf(setup.codec);
  return (*client)->Stream(plan);
}

int RunBench(BenchFlags flags) {
  BenchSetup& setup = flags.setup;
  setup.target = flags.at.target;
  if (!ParseSides(flags.image, &setup)) {
    return Fail(kName,
                absl::InvalidArgumentError(absl::StrCat(
                    "--image ", flags.image,
                    " is not HEIGHTxWIDTH in pixels, such as 128x128")),
                kExitUsage);
  }
  Interrupt::Install();
  BenchStreams streams(setup.streams, [&](uint32_t number) {
    return OpenStream(flags, number);
  });
  absl::Status status = streams.AwaitFirstBatches();
  if (absl::IsCancelled(status) && Interrupt::requested()) {
    // There is nothing to tell, and connecting may take long.
    std::_Exit(Interrupt::exit_code());
  }
  if (!status.ok()) return Fail(kName, status, kExitFailed);

  const StreamStats before = streams.stream(0).stats();
  const double cpu_before = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  const auto begin = std::chrono::steady_clock::now();
  status = streams.Measure(flags.seconds);
  if (!status.ok()) return Fail(kName, status, kExitFailed);
  BenchFigures all = streams.figures();
  all.seconds = absl::ToDoubleSeconds(
      absl::FromChrono(std::chrono::steady_clock::now() - begin));
  all.cpu_seconds =
      static_cast<double>(std::clock()) / CLOCKS_PER_SEC - cpu_before;
  // Batches read ahead count with those before the first one: near enough.
  for (uint32_t i = 0; i < setup.streams; ++i) {
    const StreamStats& stats = streams.stats(i);
    if (stats.bytes > 0) {
      all.wire_bytes +=
          static_cast<uint64_t>(static_cast<double>(streams.bytes(i)) *
                                static_cast<double>(stats.wire_bytes) /
                                static_cast<double>(stats.bytes));
    }
    if (i == 0 && before.server_cpu > 0 &&
        stats.server_cpu >= before.server_cpu) {
      all.server_cpu_seconds = stats.server_cpu - before.server_cpu;
      all.server_bytes = stats.server_bytes - before.server_bytes;
    }
  }
  setup.codec =
      streams.stream(0).info().codec == Codec::kStrokes ? "strokes" : "none";
  const std::string report =
      flags.json ? FiguresAsJson(setup, all) : FiguresAsText(setup, all);
  std::fputs(report.c_str(), stdout);
  return Interrupt::requested() ? Interrupt::exit_code() : kExitDone;
}

}  // namespace

void AddBenchCommand(CLI::App& app, int* exit_code) {
  const auto flags = std::make_shared<BenchFlags>();
  CLI::App* command = app.add_subcommand(
      kName, "Measures how fast batches arrive from a server");
  AddTargetFlags(command, &flags->at);
  command->add_option("--dataset", flags->setup.dataset,
                      "Left out: the server's only one");
  command->add_option("--split", flags->setup.split, "Subset to stream")
      ->capture_default_str();
  CLI::Option* const image =
      command->add_option("--image", flags->image, "Pixels")
          ->type_name("HEIGHTxWIDTH")
          ->capture_default_str();
  command
      ->add_option("--strokes", flags->setup.strokes,
                   "Stroke-5 tensors of up to N points, instead of pixels")
      ->type_name("N")
      ->check(CLI::Range(1U, 1U << 20U))
      ->excludes(image);
  command->add_option("--batch", flags->setup.batch, "Drawings a batch")
      ->check(CLI::Range(1U, 1U << 20U))
      ->capture_default_str();
  command
      ->add_option("--codec", flags->setup.codec,
                   "What travels; auto, strokes: the client draws")
      ->check(CLI::IsMember({"none", "auto", "strokes"}))
      ->capture_default_str();
  command
      ->add_option("--streams", flags->setup.streams,
                   "Streams at once, each over a connection of its own")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str();
  command->add_option("--seconds", flags->seconds, "How long to measure")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  command->add_flag("--json", flags->json,
                    "The figures on standard output, as JSON");
  command->footer(
      "The wait is the time from asking for a batch to having it. Server CPU "
      "and\nbytes are those of its whole process, other clients included.\n"
      "Example:\n"
      "  inkstream bench --target 127.0.0.1:50051 --image 128x128 --seconds "
      "10\n"
      "  inkstream bench --target 127.0.0.1:50051 --strokes 250\n"
      "  inkstream bench --target far-away:50051 --codec strokes");
  command->callback([flags, exit_code] { *exit_code = RunBench(*flags); });
}

}  // namespace inkstream::app
