// A store writer that keeps what it is given, for tests of what writes stores.
//
// Thread safety: one thread.
#pragma once

#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/store/store_writer.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::testing {

class FakeStoreWriter : public store::StoreWriter {
 public:
  using StoreWriter::Append;
  using StoreWriter::Finish;
  absl::Status Append(
      store::PackedDrawings packed,
      const std::function<std::string()>& /*resume_point*/) override {
    if (!append_status.ok()) return append_status;
    std::vector<Drawing> drawings = packed.Unpack();
    kept.insert(kept.end(), std::make_move_iterator(drawings.begin()),
                std::make_move_iterator(drawings.end()));
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Finish(std::string /*resume_point*/) override {
    finished = true;
    return std::string("fingerprint");
  }
  absl::Status Discard() override {
    discarded = true;
    return absl::OkStatus();
  }
  uint64_t drawings() const override { return kept.size(); }
  uint64_t taken_over() const override { return 0; }
  std::string resume_point() const override { return ""; }
  uint64_t durable() const override { return durable_drawings; }
  const std::string& directory() const override { return partial->path(); }

  absl::Status append_status;
  std::vector<Drawing> kept;
  // Shared, so that the writer can be assigned.
  std::shared_ptr<ScratchDirectory> partial =
      std::make_shared<ScratchDirectory>();
  uint64_t durable_drawings = 0;
  bool finished = false;
  bool discarded = false;
};

}  // namespace inkstream::testing
