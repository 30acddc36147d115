// What every transport must keep to, from engine to client. A transport joins
// by INSTANTIATE_TEST_SUITE_P(Name, BatchStreamSuite, Values(TransportParam)).
//
// What arrives is compared with the pure order functions and with what the
// store says, never with a recording.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inkstream/client.h"
#include "server/batch/engine.h"
#include "server/store/store_reader.h"
#include "tests/conformance/transport_under_test.h"
#include "tests/support/fake_store.h"

namespace inkstream::conformance {

// One row as it arrived.
struct Row {
  int64_t index = 0;
  bool valid = true;

  bool operator==(const Row&) const = default;
};

class BatchStreamSuite : public ::testing::TestWithParam<TransportParam> {
 protected:
  static constexpr uint64_t kDrawings = 1000;

  // Serves "drawings": kDrawings real records, splits train and valid.
  void SetUp() override;
  void TearDown() override;

  // Serves `store` as "fake" besides.
  void ServeFake(std::shared_ptr<inkstream::testing::FakeStore> store);

  // Never hides an outage unless asked to.
  static ClientOptions Options();
  std::shared_ptr<Client> Connect(const ClientOptions& options = Options());
  std::unique_ptr<Stream> Open(const Plan& plan,
                               const ClientOptions& options = Options());
  std::vector<Batch> ReadAll(const Plan& plan,
                             const ClientOptions& options = Options());

  // With the codec under test, unless the plan has one.
  static Plan Coded(Plan plan);

  // A plan of indices only, in which nothing but the order matters.
  static Plan IndexPlan(uint32_t batch_size);
  static std::vector<Row> RowsOf(const Batch& batch);

  // What `plan` must give: the rows of each batch and the place after it, by
  // the order functions over the view's indices in ascending order.
  struct Expected {
    std::vector<Row> rows;
    uint64_t epoch = 0;
    uint64_t position = 0;
  };
  std::vector<Expected> ExpectedOf(const Plan& plan) const;
  void ExpectOrder(const Plan& plan);

  std::string directory_;
  std::shared_ptr<const store::StoreReader> store_;
  std::unique_ptr<batch::Engine> engine_;
  std::unique_ptr<TransportUnderTest> transport_;
};

}  // namespace inkstream::conformance
