#include "server/ingest/export/word_files.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/json_text.h"
#include "server/ingest/input/file_word.h"
#include "server/store/format.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kHeldBytes = size_t{32} << 20U;
constexpr size_t kMaxNameBytes = 200;
constexpr size_t kMaxShown = 60;

absl::Status AppendToFile(const std::string& path, const std::string& bytes) {
  FILE* const file = std::fopen(path.c_str(), "ab");
  int error = file == nullptr ? errno : 0;
  if (file != nullptr) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size()) {
      error = errno;
    }
    // What is buffered is written only here, and some file systems report a
    // full disk only here.
    if (std::fclose(file) != 0 && error == 0) error = errno;
  }
  if (error == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<WordFiles>> WordFiles::Create(
    const std::string& directory, absl::string_view suffix) {
  store::StorePlace place = store::PlaceOf(directory);
  std::error_code error;
  if (place.inside) {
    for (const auto& entry :
         std::filesystem::directory_iterator(place.path, error)) {
      const std::string name = entry.path().filename().string();
      if (name == store::kPartialSuffix || name == "lost+found") continue;
      return absl::AlreadyExistsError(absl::StrCat(
          place.path,
          " exists already; name a directory that does not, or is empty"));
    }
  }
  if (!place.inside && std::filesystem::exists(place.path, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat(place.path, " exists and is no directory"));
  }
  if (!std::filesystem::create_directories(place.directory, error)) {
    if (error) {
      return absl::ErrnoToStatus(
          error.value(), absl::StrCat("cannot create ", place.directory));
    }
    return absl::AlreadyExistsError(absl::StrCat(
        place.directory, " is left of an earlier run; remove it first"));
  }
  return std::unique_ptr<WordFiles>(new WordFiles(std::move(place), suffix));
}

WordFiles::~WordFiles() {
  if (closed_) return;
  std::error_code ignored;
  std::filesystem::remove_all(place_.directory, ignored);
}

absl::Status WordFiles::Append(const std::string& word,
                               absl::string_view bytes) {
  if (word.empty() || word.size() > kMaxNameBytes || word.front() == '.' ||
      WordOfFile(word + suffix_, suffix_) != word) {
    return absl::InvalidArgumentError(
        word.empty()
            ? "a drawing has no word, by which its file would be named"
            : absl::StrCat("the word \"", PrintableText(word, kMaxShown),
                           "\" cannot name a file"));
  }
  held_[word].append(bytes.data(), bytes.size());
  held_bytes_ += bytes.size();
  return held_bytes_ < kHeldBytes ? absl::OkStatus() : Flush();
}

absl::Status WordFiles::Flush() {
  for (const auto& [word, bytes] : held_) {
    absl::Status status =
        AppendToFile(absl::StrCat(place_.directory, "/", word, suffix_), bytes);
    if (!status.ok()) return status;
  }
  held_.clear();
  held_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status WordFiles::Close() {
  if (absl::Status status = Flush(); !status.ok()) return status;
  std::error_code error;
  if (place_.inside) {
    for (const auto& entry :
         std::filesystem::directory_iterator(place_.directory, error)) {
      std::filesystem::rename(
          entry.path(),
          std::filesystem::path(place_.path) / entry.path().filename(), error);
      if (error) break;
    }
    if (!error) std::filesystem::remove(place_.directory, error);
  } else {
    std::filesystem::rename(place_.directory, place_.path, error);
  }
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot rename to ", place_.path));
  }
  closed_ = true;
  return absl::OkStatus();
}

}  // namespace inkstream::ingest
