#include "server/ingest/generate/generate_job.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/ordered_workers.h"
#include "server/ingest/export/byte_sink.h"
#include "server/ingest/export/drawing_writer.h"
#include "server/ingest/generate/class_catalog.h"
#include "server/ingest/generate/drawing_generator.h"

namespace inkstream::ingest {
namespace {

constexpr uint64_t kDrawingsAChunk = 600;

struct IndexRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct Lines {
  std::vector<std::string> texts;  // one a sink
  uint64_t drawings = 0;
};

using Sinks = std::vector<std::unique_ptr<ByteSink>>;

absl::StatusOr<Sinks> OpenSinks(const GenerateOptions& options) {
  Sinks sinks;
  std::vector<std::string> paths;
  std::error_code error;
  const bool by_word = options.format->by_word;
  if (by_word && options.output == "-") {
    return absl::InvalidArgumentError(
        "the binary format is one file a class: name a directory, not -");
  }
  if (absl::EndsWith(options.output, "/") || by_word) {
    std::filesystem::create_directories(options.output, error);
    if (error) {
      return absl::ErrnoToStatus(
          error.value(), absl::StrCat("cannot create ", options.output));
    }
  }
  if (std::filesystem::is_directory(options.output, error)) {
    for (size_t c = 0; c < options.classes; ++c) {
      const std::filesystem::path file =
          std::filesystem::path(options.output) /
          absl::StrCat(ClassCatalog()[c].word(), options.format->suffix);
      paths.push_back(file.string());
    }
  } else {
    paths.push_back(options.output);
  }
  for (const std::string& path : paths) {
    absl::StatusOr<std::unique_ptr<ByteSink>> sink = OpenSink(path);
    if (!sink.ok()) return sink.status();
    sinks.push_back(*std::move(sink));
  }
  return sinks;
}

absl::StatusOr<Lines> Generate(const OutputFormat& format,
                               DrawingGenerator& generator, IndexRange range,
                               size_t sinks) {
  Lines lines;
  lines.texts.resize(sinks);
  Drawing drawing;
  for (uint64_t index = range.begin; index < range.end; ++index) {
    generator.Generate(index, &drawing);
    absl::Status status = format.append(drawing, &lines.texts[index % sinks]);
    if (!status.ok()) return status;
  }
  lines.drawings = range.end - range.begin;
  return lines;
}

}  // namespace

absl::Status RunGenerate(const GenerateOptions& options) {
  absl::StatusOr<Sinks> sinks = OpenSinks(options);
  if (!sinks.ok()) return sinks.status();
  const size_t sink_count = sinks->size();
  for (std::unique_ptr<ByteSink>& sink : *sinks) {
    absl::Status status = sink->Write(options.format->header);
    if (!status.ok()) return status;
  }
  uint64_t next = 0;
  uint64_t written = 0;
  OrderedStages<IndexRange, Lines> stages;
  stages.next = [&](IndexRange* range) -> absl::StatusOr<bool> {
    if (options.interrupted && options.interrupted()) {
      return absl::CancelledError("interrupted");
    }
    range->begin = next;
    range->end = std::min(next + kDrawingsAChunk, options.drawings);
    next = range->end;
    return range->begin < range->end;
  };
  stages.new_worker = [&] {
    auto generator =
        std::make_shared<DrawingGenerator>(options.seed, options.classes);
    return [&options, generator, sink_count](IndexRange& range) {
      return Generate(*options.format, *generator, range, sink_count);
    };
  };
  stages.take = [&](Lines lines) {
    for (size_t s = 0; s < sink_count; ++s) {
      absl::Status status = (*sinks)[s]->Write(lines.texts[s]);
      if (!status.ok()) return status;
    }
    written += lines.drawings;
    if (options.progress) options.progress(written);
    return absl::OkStatus();
  };
  absl::Status status = RunInOrder(options.threads, std::move(stages));
  if (!status.ok()) return status;
  for (std::unique_ptr<ByteSink>& sink : *sinks) {
    status = sink->Close();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace inkstream::ingest
