#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/ingest/fetch/fetch_job.h"
#include "server/store/file_sync.h"
#include "server/store/manifest.h"
#include "server/store/store_verifier.h"

namespace inkstream::ingest {
namespace {

absl::Status RemoveAll(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (!error) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("cannot remove ", path, ": ", error.message()));
}

// A MANIFEST is fetched anew each time: it is small, and the store may have
// been replaced.
absl::StatusOr<store::Manifest> FetchManifest(
    const std::string& url, const std::string& directory,
    const FetchOptions& options,
    const std::string& name = store::kManifestName) {
  const std::string path = absl::StrCat(directory, "/", name);
  absl::Status removed = RemoveAll(path);
  if (!removed.ok()) return removed;
  FetchOptions quiet = options;
  quiet.progress = nullptr;
  absl::StatusOr<FetchReport> report =
      FetchFiles({{absl::StrCat(url, "/", name), path, std::nullopt}}, quiet);
  if (!report.ok()) return report.status();
  if (!report->failures.empty()) return report->failures[0];
  return store::ReadManifest(directory, nullptr, name);
}

// The generations before the last, as far back as the site has them: their
// segments are among the last one's. Streams that are pinned to one of them
// find it here too.
absl::Status FetchEarlier(const std::string& url, const std::string& directory,
                          const store::Manifest& last,
                          const FetchOptions& options) {
  for (uint64_t generation = last.info.generation; generation-- > 1;) {
    const std::string name = store::ManifestNameOf(generation);
    absl::StatusOr<store::Manifest> manifest =
        FetchManifest(url, directory, options, name);
    if (absl::IsNotFound(manifest.status())) return absl::OkStatus();
    if (!manifest.ok()) return manifest.status();
    if (manifest->segments.size() > last.segments.size()) {
      return absl::DataLossError(
          absl::StrCat(url, "/", name, " has segments that the store lacks"));
    }
    for (size_t s = 0; s < manifest->segments.size(); ++s) {
      if (manifest->segments[s].file == last.segments[s].file &&
          manifest->segments[s].content == last.segments[s].content) {
        continue;
      }
      return absl::DataLossError(absl::StrCat(url, "/", name, ": its segment ",
                                              manifest->segments[s].file,
                                              " is not the store's"));
    }
  }
  return absl::OkStatus();
}

absl::Status Verified(const std::string& directory, const std::string& url,
                      const FetchOptions& options) {
  absl::StatusOr<store::VerifyReport> report = store::VerifyStore(directory);
  if (options.interrupted && options.interrupted()) {
    return absl::CancelledError(
        "interrupted; what has come is kept, and the same command goes on");
  }
  absl::Status status = report.status();
  if (status.ok() && !report->problems.empty()) {
    status = absl::DataLossError(report->problems[0]);
  }
  if (status.ok()) return status;
  absl::Status removed = RemoveAll(directory);
  return absl::DataLossError(absl::StrCat(
      url, " is damaged, here or there: ", status.message(), "; ",
      removed.ok() ? "what came has been removed" : removed.message()));
}

}  // namespace

absl::StatusOr<FetchReport> FetchStore(const std::string& url,
                                       const std::string& path,
                                       const FetchOptions& options) {
  const std::string directory = path + ".fetch";
  const absl::string_view base = absl::StripSuffix(url, "/");
  struct stat facts = {};
  if (lstat(path.c_str(), &facts) == 0) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, " exists; choose another name or remove it"));
  }
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", directory));
  }
  absl::StatusOr<store::Manifest> manifest =
      FetchManifest(std::string(base), directory, options);
  if (!manifest.ok()) {
    rmdir(directory.c_str());  // only if nothing has come
    return manifest.status();
  }
  std::vector<RemoteFile> files;
  for (const store::SegmentEntry& segment : manifest->segments) {
    files.push_back({absl::StrCat(base, "/", UrlEscaped(segment.file)),
                     absl::StrCat(directory, "/", segment.file),
                     segment.bytes});
  }
  absl::StatusOr<FetchReport> report = FetchFiles(std::move(files), options);
  if (!report.ok()) return report.status();
  if (!report->failures.empty()) return report->failures[0];
  absl::Status status =
      FetchEarlier(std::string(base), directory, *manifest, options);
  if (!status.ok()) return status;
  status = Verified(directory, std::string(base), options);
  if (status.ok()) status = store::RenameNew(directory, path);
  if (!status.ok()) return status;
  return report;
}

}  // namespace inkstream::ingest
