#include <gtest/gtest.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "server/service/service.h"

namespace inkstream::service {
namespace {

TEST(InspectDrawing, WhatNamesNoDrawingIsRefusedBeforeAnyStoreIsAsked) {
  const Service service;  // without an engine
  v1::InspectDrawingRequest request;
  v1::InspectDrawingResponse response;
  absl::Status status = InspectDrawing(service, request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "give an index or a key_id");
  for (const int64_t key : {int64_t{0}, int64_t{-1}}) {
    request.set_key_id(key);
    status = InspectDrawing(service, request, &response);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(),
              absl::StrCat("key_id: ", key, " is not in 1..2^63-1"));
  }
}

}  // namespace
}  // namespace inkstream::service
