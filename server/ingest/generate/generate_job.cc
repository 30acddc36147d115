#include "server/ingest/generate/generate_job.h"

#include <filesystem>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/ingest/export/byte_sink.h"
#include "server/ingest/generate/class_catalog.h"
#include "server/ingest/generate/drawing_generator.h"

namespace inkstream::ingest {
namespace {

using Sinks = std::map<std::string, std::unique_ptr<ByteSink>>;

// By word; "": of all.
absl::StatusOr<Sinks> OpenSinks(const GenerateOptions& options) {
  std::map<std::string, std::string> paths;
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
      const std::string& word = ClassCatalog()[c].word();
      paths[word] = std::filesystem::path(options.output) /
                    absl::StrCat(word, options.format->suffix);
    }
  } else {
    paths[""] = options.output;
  }
  Sinks sinks;
  for (const auto& [word, path] : paths) {
    absl::StatusOr<std::unique_ptr<ByteSink>> sink = OpenSink(path);
    if (!sink.ok()) return sink.status();
    sinks[word] = *std::move(sink);
  }
  return sinks;
}

}  // namespace

absl::Status RunGenerate(const GenerateOptions& options) {
  absl::StatusOr<Sinks> sinks = OpenSinks(options);
  if (!sinks.ok()) return sinks.status();
  for (const auto& [word, sink] : *sinks) {
    absl::Status status = sink->Write(options.format->header);
    if (!status.ok()) return status;
  }
  const auto new_source = [&] {
    auto generator =
        std::make_shared<DrawingGenerator>(options.seed, options.classes);
    return [generator](uint64_t index, Drawing* drawing) {
      generator->Generate(index, drawing);
      return index;
    };
  };
  absl::Status status = WriteDrawings(
      options.drawings, new_source, /*by_word=*/!sinks->contains(""), options,
      [&](const std::string& word, const std::string& bytes) {
        return sinks->at(word)->Write(bytes);
      });
  if (!status.ok()) return status;
  for (const auto& [word, sink] : *sinks) {
    status = sink->Close();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace inkstream::ingest
