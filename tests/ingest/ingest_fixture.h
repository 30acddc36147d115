// Runs an ingest of inputs that a test writes, into memory.
#pragma once

#include <string>

#include "gtest/gtest.h"
#include "server/ingest/ingest_job.h"
#include "tests/support/fake_store_writer.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {

class IngestFixture : public ::testing::Test {
 protected:
  // Everything but the input is in `options_`.
  absl::Status Ingest(const std::string& name, absl::string_view bytes) {
    options_.inputs = {{scratch_.Write(name, bytes), bytes.size()}};
    return IngestInputs();
  }
  absl::Status IngestInputs() {
    options_.max_errors = *MaxErrors::Parse("100%");
    writer_ = testing::FakeStoreWriter();
    report_ = IngestReport();
    return RunIngest(options_, &writer_, &report_);
  }
  // "kind at line L, byte B: reason" of the n-th bad record.
  std::string Example(size_t n) const {
    if (n >= report_.errors.examples().size()) return "none";
    const ErrorExample& example = report_.errors.examples()[n];
    return absl::StrCat(ErrorKindName(example.kind), " at line ", example.line,
                        ", byte ", example.offset, ": ", example.reason);
  }

  const testing::ScratchDirectory scratch_;
  IngestOptions options_;
  testing::FakeStoreWriter writer_;
  IngestReport report_;
};

}  // namespace inkstream::ingest
