#include "server/service/upload_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace inkstream::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Remembers what it was told.
class FakeUpload : public batch::KeyUpload {
 public:
  absl::Status Add(absl::Span<const int64_t> keys) override {
    names.assign(keys.begin(), keys.end());
    return absl::OkStatus();
  }
  absl::Status AddWeights(batch::DrawingName by_name,
                          absl::Span<const int64_t> given,
                          absl::Span<const double> of_each) override {
    by = by_name;
    names.assign(given.begin(), given.end());
    weights.assign(of_each.begin(), of_each.end());
    return absl::OkStatus();
  }

  batch::DrawingName by = batch::DrawingName::kKey;
  std::vector<int64_t> names;
  std::vector<double> weights;
};

TEST(AddToUpload, KeysAndWeightsByEitherNameComeAsTheyAre) {
  v1::UploadKeysRequest request;
  FakeUpload upload;
  request.add_key_id(7);
  request.add_key_id(5);
  ASSERT_TRUE(AddToUpload(request, &upload).ok());
  EXPECT_THAT(upload.names, ElementsAre(7, 5));
  EXPECT_TRUE(upload.weights.empty());
  request.add_weights(0.5);
  request.add_weights(2);
  ASSERT_TRUE(AddToUpload(request, &upload).ok());
  EXPECT_EQ(upload.by, batch::DrawingName::kKey);
  EXPECT_THAT(upload.weights, ElementsAre(0.5, 2));
  request.clear_key_id();
  request.add_index(3);
  request.add_index(0);
  ASSERT_TRUE(AddToUpload(request, &upload).ok());
  EXPECT_EQ(upload.by, batch::DrawingName::kIndex);
  EXPECT_THAT(upload.names, ElementsAre(3, 0));
}

TEST(AddToUpload, WhatNamesDrawingsTwiceOrWithoutWeightsIsRefused) {
  v1::UploadKeysRequest request;
  FakeUpload upload;
  request.add_index(3);
  EXPECT_THAT(std::string(AddToUpload(request, &upload).message()),
              HasSubstr("index: 1 without weights"));
  request.add_key_id(3);
  const absl::Status status = AddToUpload(request, &upload);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("index: 1 beside 1 key_id"));
}

}  // namespace
}  // namespace inkstream::service
