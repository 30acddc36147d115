#include "server/ingest/fetch/fetch_job.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/file_sync.h"

namespace inkstream::ingest {
namespace {

std::optional<uint64_t> BytesOnDisk(const std::string& path) {
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) return std::nullopt;
  return static_cast<uint64_t>(facts.st_size);
}

class Job {
 public:
  Job(std::vector<RemoteFile> files, const FetchOptions& options)
      : files_(std::move(files)), options_(options), states_(files_.size()) {}

  absl::StatusOr<FetchReport> Run() {
    absl::Status status = OnAll(
        [this](HttpClient* client, size_t i) { return LookUp(client, i); });
    if (status.ok()) status = FirstFailure();
    if (status.ok()) status = CheckSpace();
    if (status.ok()) {
      status = OnAll([this](HttpClient* client, size_t i) {
        return states_[i].kept ? absl::OkStatus() : Fetch(client, i);
      });
    }
    if (!status.ok()) return status;
    for (const State& state : states_) {
      if (!state.status.ok()) report_.failures.push_back(state.status);
    }
    return report_;
  }

 private:
  struct State {
    absl::Status status;
    std::optional<uint64_t> bytes;
    bool kept = false;
  };

  // Runs `work` for every file. An interrupt is an error of the whole; other
  // errors are the file's.
  template <typename Work>
  absl::Status OnAll(const Work& work) {
    std::atomic<size_t> next{0};
    const auto run = [&] {
      absl::StatusOr<std::unique_ptr<HttpClient>> client =
          HttpClient::Create({options_.stall, options_.interrupted});
      for (size_t i = next++; i < files_.size(); i = next++) {
        absl::Status status =
            client.ok() ? work(client->get(), i) : client.status();
        if (absl::IsCancelled(status)) return;
        states_[i].status = std::move(status);
      }
    };
    std::vector<std::thread> threads;
    const auto jobs = std::clamp<size_t>(options_.jobs, 1, files_.size());
    for (size_t t = 0; t < jobs; ++t) threads.emplace_back(run);
    for (std::thread& thread : threads) thread.join();
    if (options_.interrupted && options_.interrupted()) {
      return absl::CancelledError(
          "interrupted; what has come is kept, and the same command goes on");
    }
    return absl::OkStatus();
  }

  absl::Status LookUp(HttpClient* client, size_t i) {
    absl::StatusOr<std::optional<uint64_t>> bytes =
        SizeOf(client, files_[i].url, options_.retry, options_.interrupted);
    if (!bytes.ok()) return bytes.status();
    State& state = states_[i];
    state.bytes = *bytes;
    if (!state.bytes.has_value()) state.bytes = files_[i].bytes;
    const std::optional<uint64_t> here = BytesOnDisk(files_[i].path);
    state.kept = here.has_value() && here == state.bytes;
    const std::lock_guard<std::mutex> lock(mu_);
    progress_.bytes_in_all += state.bytes.value_or(0);
    if (state.kept) {
      ++report_.kept;
      ++progress_.files;
      progress_.bytes += *here;
    } else {
      progress_.bytes += PartBytes(files_[i].path);
    }
    return absl::OkStatus();
  }

  absl::Status FirstFailure() const {
    std::vector<absl::Status> failures;
    for (const State& state : states_) {
      if (!state.status.ok()) failures.push_back(state.status);
    }
    if (failures.empty()) return absl::OkStatus();
    if (failures.size() == 1) return failures[0];
    return absl::Status(failures[0].code(),
                        absl::StrCat(failures[0].message(), ", and ",
                                     failures.size() - 1, " more like it"));
  }

  absl::Status CheckSpace() const {
    struct statvfs facts = {};
    const std::string directory = store::ParentDirectory(files_[0].path);
    if (statvfs(directory.c_str(), &facts) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot use ", directory));
    }
    const uint64_t free_bytes = uint64_t{facts.f_bavail} * facts.f_frsize;
    const uint64_t missing = progress_.bytes_in_all -
                             std::min(progress_.bytes_in_all, progress_.bytes);
    if (missing <= free_bytes) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrCat(directory, ": ", missing >> 20U, " MiB are to come, but ",
                     free_bytes >> 20U, " MiB are free"));
  }

  absl::Status Fetch(HttpClient* client, size_t i) {
    absl::Status status =
        FetchFile(client, files_[i], options_.retry, options_.interrupted,
                  [this](int64_t bytes) {
                    const std::lock_guard<std::mutex> lock(mu_);
                    progress_.bytes += static_cast<uint64_t>(bytes);
                    if (bytes > 0)
                      report_.bytes += static_cast<uint64_t>(bytes);
                    if (options_.progress) options_.progress(progress_);
                  });
    if (!status.ok()) return status;
    const std::lock_guard<std::mutex> lock(mu_);
    ++report_.fetched;
    ++progress_.files;
    if (options_.progress) options_.progress(progress_);
    return absl::OkStatus();
  }

  const std::vector<RemoteFile> files_;
  const FetchOptions& options_;
  std::vector<State> states_;  // of each file; its own thread writes it
  std::mutex mu_;
  FetchProgress progress_;  // guarded by mu_
  FetchReport report_;      // guarded by mu_
};

}  // namespace

absl::StatusOr<FetchReport> FetchFiles(std::vector<RemoteFile> files,
                                       const FetchOptions& options) {
  if (files.empty()) return FetchReport();
  return Job(std::move(files), options).Run();
}

}  // namespace inkstream::ingest
