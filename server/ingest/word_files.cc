#include "server/ingest/word_files.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/file_word.h"
#include "server/ingest/json_text.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kHeldBytes = size_t{32} << 20U;
constexpr size_t kMaxNameBytes = 200;
constexpr size_t kMaxShown = 60;

std::string PartialName(const std::string& directory) {
  return directory + ".partial";
}

absl::Status AppendToFile(const std::string& path, const std::string& bytes) {
  FILE* const file = std::fopen(path.c_str(), "ab");
  bool good = file != nullptr;
  if (good)
    good = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  const int error = errno;
  // Some file systems report a full disk only when the file is closed.
  if (file != nullptr && std::fclose(file) != 0) good = false;
  if (good) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<WordFiles>> WordFiles::Create(
    const std::string& directory, absl::string_view suffix) {
  std::string plain = directory;
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  std::error_code error;
  if (std::filesystem::exists(plain, error) &&
      !std::filesystem::is_empty(plain, error)) {
    return absl::AlreadyExistsError(absl::StrCat(
        plain, " exists already; name a directory that does not, or is empty"));
  }
  if (!std::filesystem::create_directories(PartialName(plain), error)) {
    if (error) {
      return absl::ErrnoToStatus(
          error.value(), absl::StrCat("cannot create ", PartialName(plain)));
    }
    return absl::AlreadyExistsError(absl::StrCat(
        PartialName(plain), " is left of an earlier run; remove it first"));
  }
  return std::unique_ptr<WordFiles>(new WordFiles(std::move(plain), suffix));
}

WordFiles::~WordFiles() {
  if (closed_) return;
  std::error_code ignored;
  std::filesystem::remove_all(PartialName(directory_), ignored);
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
    absl::Status status = AppendToFile(
        absl::StrCat(PartialName(directory_), "/", word, suffix_), bytes);
    if (!status.ok()) return status;
  }
  held_.clear();
  held_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status WordFiles::Close() {
  if (absl::Status status = Flush(); !status.ok()) return status;
  if (std::rename(PartialName(directory_).c_str(), directory_.c_str()) != 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot rename to ", directory_));
  }
  closed_ = true;
  return absl::OkStatus();
}

}  // namespace inkstream::ingest
