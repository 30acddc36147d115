// `inkstream stats`: what is in a store, in figures.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/app/commands/commands.h"
#include "server/app/commands/progress_display.h"
#include "server/app/commands/value_counts.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/interrupt.h"
#include "server/base/json.h"
#include "server/base/machine_limits.h"
#include "server/base/ordered_workers.h"
#include "server/store/store_reader.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "stats";
constexpr uint64_t kDrawingsATask = 16384;
constexpr size_t kShownClasses = 5;
constexpr size_t kWidth = 80;

struct StatsFlags {
  std::string store;
  int threads = 0;
  bool json = false;
};

struct IndexRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct Counts {
  ValueCounts strokes;
  ValueCounts points;
};

absl::StatusOr<Counts> Count(store::DrawingReader& reader, IndexRange range) {
  Counts counts;
  for (uint64_t index = range.begin; index < range.end; ++index) {
    absl::StatusOr<StrokesView> strokes = reader.ReadStrokes(index);
    if (!strokes.ok()) return strokes.status();
    counts.strokes.Add(strokes->strokes());
    counts.points.Add(strokes->points());
  }
  return counts;
}

absl::StatusOr<Counts> CountAll(const store::StoreReader& store, int threads,
                                ProgressDisplay* display) {
  Counts all;
  uint64_t next = 0;
  OrderedStages<IndexRange, Counts> stages;
  stages.next = [&](IndexRange* range) -> absl::StatusOr<bool> {
    if (Interrupt::requested()) return absl::CancelledError("interrupted");
    range->begin = next;
    range->end = next = std::min(next + kDrawingsATask, store.size());
    return range->begin < range->end;
  };
  stages.new_worker = [&] {
    std::shared_ptr<store::DrawingReader> reader = store.NewDrawingReader();
    return [reader](IndexRange& range) { return Count(*reader, range); };
  };
  stages.take = [&](Counts counts) {
    all.strokes.Merge(counts.strokes);
    all.points.Merge(counts.points);
    const uint64_t done = all.strokes.total();
    display->Update({done, done, store.size(), false});
    return absl::OkStatus();
  };
  absl::Status status = RunInOrder(threads, std::move(stages));
  if (!status.ok()) return status;
  return all;
}

double BytesADrawing(const store::StoreInfo& info) {
  return static_cast<double>(info.bytes_on_disk) /
         static_cast<double>(std::max<uint64_t>(1, info.drawings));
}

using ClassCount = std::pair<uint64_t, std::string>;

// Most drawings first.
std::vector<ClassCount> SortedClasses(const store::StoreInfo& info) {
  std::vector<ClassCount> classes;
  for (size_t c = 0; c < info.classes.size(); ++c) {
    classes.emplace_back(info.class_counts[c], info.classes[c]);
  }
  std::sort(classes.begin(), classes.end(),
            [](const ClassCount& a, const ClassCount& b) {
              return a.first != b.first ? a.first > b.first
                                        : a.second < b.second;
            });
  return classes;
}

std::string ClassesText(const store::StoreInfo& info) {
  const std::vector<ClassCount> classes = SortedClasses(info);
  std::string text =
      absl::StrCat("classes: ", WithThousands(classes.size()), "\n");
  for (size_t c = 0; c < classes.size(); ++c) {
    if (c == kShownClasses && classes.size() > 2 * kShownClasses) {
      c = classes.size() - kShownClasses;
      absl::StrAppendFormat(&text, "%15s\n", "...");
    }
    absl::StrAppendFormat(&text, "%15s  %s\n", WithThousands(classes[c].first),
                          classes[c].second);
  }
  if (info.unlabelled > 0) {
    absl::StrAppendFormat(&text, "%15s  (without a word)\n",
                          WithThousands(info.unlabelled));
  }
  return text;
}

std::vector<std::pair<const char*, uint64_t>> Columns(
    const store::StoreInfo& info) {
  return {{"word", info.drawings - info.unlabelled},
          {"countrycode", info.with_countrycode},
          {"timestamp", info.with_timestamp},
          {"recognized", info.with_recognized},
          {"key_id", info.with_key_id},
          {"times", info.with_times}};
}

std::string Text(const store::StoreReader& store, const Counts& counts) {
  const store::StoreInfo& info = store.info();
  std::string text = absl::StrFormat(
      "%s: %s drawings of dataset %s, generation %d\n"
      "on disk: %s bytes, %.1f a drawing, %.2f a point\n",
      store.path(), WithThousands(info.drawings), info.name, info.generation,
      WithThousands(info.bytes_on_disk), BytesADrawing(info),
      static_cast<double>(info.bytes_on_disk) /
          static_cast<double>(std::max<uint64_t>(1, counts.points.Sum())));
  text += "columns:\n";
  for (const auto& [name, with] : Columns(info)) {
    absl::StrAppendFormat(&text, "%15s  %s\n", WithThousands(with), name);
  }
  text += "splits:\n";
  for (const store::SplitInfo& split : info.splits) {
    absl::StrAppendFormat(&text, "%15s  %s (%s)\n",
                          WithThousands(split.drawings), split.name,
                          split.rule);
  }
  text += ClassesText(info);
  absl::StrAppend(&text, counts.strokes.Text("strokes a drawing", kWidth),
                  counts.points.Text("points a drawing", kWidth));
  return text;
}

std::string JsonText(const store::StoreReader& store, const Counts& counts) {
  const store::StoreInfo& info = store.info();
  Json columns, splits = Json::object(), classes = Json::object();
  for (const auto& [name, with] : Columns(info)) columns[name] = with;
  for (const store::SplitInfo& split : info.splits) {
    splits[split.name] = split.drawings;
  }
  for (const auto& [count, word] : SortedClasses(info)) classes[word] = count;
  return JsonLine({{"drawings", info.drawings},
                   {"bytes_on_disk", info.bytes_on_disk},
                   {"bytes_per_drawing", BytesADrawing(info)},
                   {"fingerprint", info.fingerprint},
                   {"generation", info.generation},
                   {"columns", columns},
                   {"splits", splits},
                   {"classes", classes},
                   {"strokes", counts.strokes.ToJson()},
                   {"points", counts.points.ToJson()}});
}

int RunStats(const StatsFlags& flags) {
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> store =
      store::StoreReader::Open(flags.store);
  if (!store.ok()) return Fail(kName, store.status(), kExitFailed);
  Interrupt::Install();
  ProgressDisplay display(kName);
  const absl::StatusOr<Counts> counts = CountAll(
      **store, flags.threads > 0 ? flags.threads : UsableCpus(), &display);
  display.Clear();
  if (!counts.ok()) return Fail(kName, counts.status(), kExitFailed);
  std::fputs((flags.json ? JsonText(**store, *counts) : Text(**store, *counts))
                 .c_str(),
             stdout);
  return kExitDone;
}

}  // namespace

void AddStatsCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<StatsFlags>();
  CLI::App* command = app.add_subcommand(
      kName, "What is in a store: classes, columns, strokes, points, bytes");
  command->add_option("STORE", flags->store, "The store")->required();
  command->add_option("--threads", flags->threads, "0: one a usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "As JSON, every class named");
  command->footer("Example:\n  inkstream stats drawings.ink");
  command->callback([flags, exit_code] { *exit_code = RunStats(*flags); });
}

}  // namespace inkstream::app
