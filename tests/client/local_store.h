// A store in a directory of its own, and the C interface's handles over it.
#pragma once

#include <gtest/gtest.h>
#include <inkstream/v1/service.pb.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "inkstream/engine.h"

namespace inkstream::testing {

// An error's code and text, freed; code 0: there was none.
struct Failure {
  explicit Failure(ik_error* error) {
    if (error == nullptr) return;
    code = error->code;
    text.assign(error->message, error->message_size);
    details.assign(reinterpret_cast<const char*>(error->details),
                   error->details_size);
    ik_error_free(error);
  }

  uint32_t code = 0;
  std::string text;
  std::string details;
};
#define IK_OK(call) ASSERT_EQ(::inkstream::testing::Failure(call).text, "")

struct CloseHandle {
  void operator()(ik_engine* engine) const { ik_engine_close(engine); }
  void operator()(ik_stream* stream) const { ik_stream_close(stream); }
};
using EngineHandle = std::unique_ptr<ik_engine, CloseHandle>;
using StreamHandle = std::unique_ptr<ik_stream, CloseHandle>;

inline EngineHandle OpenEngine(const std::string& path, uint32_t threads = 2) {
  ik_engine_options options = {};
  options.struct_size = sizeof(options);
  options.path = path.c_str();
  options.threads = threads;
  options.memory = 64U << 20U;
  ik_engine* engine = nullptr;
  const Failure failure(ik_engine_open(&options, &engine));
  EXPECT_EQ(failure.text, "");
  return EngineHandle(engine);
}

template <typename Request>
StreamHandle OpenOn(ik_engine* engine, uint32_t kind, const Request& request,
                    Failure* failure) {
  const std::string bytes = request.SerializeAsString();
  ik_stream* stream = nullptr;
  *failure = Failure(ik_stream_open(
      engine, kind, reinterpret_cast<const uint8_t*>(bytes.data()),
      bytes.size(), &stream));
  return StreamHandle(stream);
}

template <typename Request>
StreamHandle OpenOn(ik_engine* engine, uint32_t kind, const Request& request) {
  Failure failure(nullptr);
  StreamHandle stream = OpenOn(engine, kind, request, &failure);
  EXPECT_EQ(failure.text, "");
  return stream;
}

inline v1::StreamBatchesRequest StreamRequest(uint32_t batch_size = 64,
                                              uint32_t side = 28) {
  v1::StreamBatchesRequest request;
  v1::Delivery* const delivery = request.mutable_open()->mutable_delivery();
  delivery->mutable_image()->set_height(side);
  delivery->add_columns("label");
  delivery->add_columns("word");
  delivery->set_batch_size(batch_size);
  delivery->set_tail(v1::TAIL_PARTIAL);
  return request;
}

// Memory for batches, aligned as it must be.
class Memory {
 public:
  explicit Memory(size_t bytes)
      : bytes_(bytes),
        data_(static_cast<uint8_t*>(
                  std::aligned_alloc(64, (bytes + 63) / 64 * 64)),
              &std::free) {}

  uint8_t* data() { return data_.get(); }
  size_t size() const { return bytes_; }

 private:
  size_t bytes_;
  std::unique_ptr<uint8_t, decltype(&std::free)> data_;
};

// Reads a stream to its end with `ahead` pieces of memory.
class Reader {
 public:
  Reader(ik_stream* stream, uint32_t ahead) : stream_(stream) {
    for (uint32_t i = 0; i < ahead; ++i) {
      memory_.push_back(
          std::make_unique<Memory>(ik_stream_batch_bytes(stream)));
      Offer(i);
    }
  }

  // Before its memory goes.
  ~Reader() { ik_stream_cancel(stream_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // False: the stream has ended.
  bool Next() {
    do {
      // Longer than any test may take: what is there wakes whoever waits.
      const Failure failure(ik_stream_next(stream_, 1000, &batch_));
      EXPECT_EQ(failure.text, "");
      if (failure.code != 0) return false;
    } while (batch_.kind == IK_NOTHING);
    if (batch_.kind == IK_END) return false;
    if (batch_.header_size > 0) {
      EXPECT_TRUE(header_.ParseFromArray(batch_.header,
                                         static_cast<int>(batch_.header_size)));
      ++headers_;
    }
    return true;
  }

  // Of the last batch, until GiveBack().
  std::string bytes() {
    return {reinterpret_cast<const char*>(memory_[batch_.token]->data()),
            batch_.size};
  }
  void GiveBack() { Offer(static_cast<uint32_t>(batch_.token)); }
  std::vector<int64_t> Column(const std::string& name) {
    for (const v1::Tensor& tensor : header_.tensors()) {
      if (tensor.name() != name) continue;
      std::vector<int64_t> values(tensor.length() / 8);
      std::memcpy(values.data(),
                  memory_[batch_.token]->data() + tensor.offset(),
                  tensor.length());
      return values;
    }
    return {};
  }

  const ik_batch& batch() const { return batch_; }
  int headers() const { return headers_; }

 private:
  void Offer(uint32_t i) {
    const Failure failure(
        ik_stream_offer(stream_, i, memory_[i]->data(), memory_[i]->size()));
    EXPECT_EQ(failure.text, "");
  }

  ik_stream* const stream_;
  std::vector<std::unique_ptr<Memory>> memory_;
  ik_batch batch_ = {};
  v1::BatchHeader header_;
  int headers_ = 0;
};

}  // namespace inkstream::testing
