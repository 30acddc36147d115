// What a server sends of a stream, as messages, without a network: an engine's
// batches in the contract's form.
#pragma once

#include <gtest/gtest.h>
#include <inkstream/v1/service.pb.h>

#include <condition_variable>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "inkstream/engine.h"
#include "server/batch/engine.h"
#include "server/service/service.h"
#include "server/wire/messages.h"
#include "tests/client/local_store.h"
#include "tests/support/batch_puller.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::testing {

struct ServedMessages {
  std::string opened;
  std::vector<v1::BatchPart> parts;  // a whole batch each
  std::vector<std::string> bytes;    // of each batch as tensors
  std::string end;
};

class FakeService {
 public:
  explicit FakeService(uint64_t drawings = 500)
      : store_(std::make_shared<FakeStore>(drawings)) {
    batch::EngineOptions options;
    options.workers = 1;
    engine_ = *batch::Engine::Create(options);
    store_->DrawSketches();
    EXPECT_TRUE(engine_->AddDataset("fake", store_).ok());
  }

  // `request`: with the codec that it is to come by.
  ServedMessages Serve(const v1::StreamBatchesRequest& request) {
    ServedMessages served;
    Plan plan = *wire::PlanFromProto(request);
    plan.delivery.codec = Codec::kNone;
    for (const batch::FinishedBatch& batch : Open(plan).All()) {
      served.bytes.push_back(BytesOf(batch));
    }
    plan.delivery.codec = static_cast<Codec>(request.open().delivery().codec());
    BatchPuller stream = Open(plan);
    const batch::StreamFacts& facts = stream->facts();
    v1::BatchPart part;
    *part.mutable_opened() = service::OpenedOf(facts);
    part.mutable_opened()->set_credit_window(facts.credit_window);
    part.mutable_opened()->set_codec(facts.rows ? v1::CODEC_STROKES
                                                : v1::CODEC_NONE);
    served.opened = part.SerializeAsString();
    batch::TakeResult last;
    for (const batch::FinishedBatch& batch : stream.All(&last)) {
      served.parts.push_back(PartOf(facts, batch));
    }
    part.Clear();
    *part.mutable_end() = service::EndOf(facts, std::get<batch::Ended>(last));
    served.end = part.SerializeAsString();
    return served;
  }

  // The answer to a fetch, by the codec that it asks for.
  ServedMessages Serve(const v1::FetchDrawingsRequest& request) {
    ServedMessages served;
    batch::FetchPlan plan = *service::FetchPlanFromProto(request);
    const Codec codec = plan.delivery.codec;
    plan.delivery.codec = Codec::kNone;
    served.bytes.push_back(BytesOf(Fetch(plan).batch));
    plan.delivery.codec = codec;
    const batch::FetchedBatch fetched = Fetch(plan);
    v1::BatchPart part;
    *part.mutable_opened() = service::OpenedOf(fetched.facts);
    part.mutable_opened()->set_codec(fetched.facts.rows ? v1::CODEC_STROKES
                                                        : v1::CODEC_NONE);
    served.opened = part.SerializeAsString();
    served.parts.push_back(PartOf(fetched.facts, fetched.batch));
    return served;
  }

  FakeStore* store() { return store_.get(); }

 private:
  static v1::BatchPart PartOf(const batch::StreamFacts& facts,
                              const batch::FinishedBatch& batch) {
    v1::BatchPart part;
    part.set_batch_seq(batch.sequence);
    v1::BatchHeader* const header = part.add_batches();
    *header = service::HeaderOf(facts, batch);
    header->set_part_count(1);
    part.set_data(batch.buffer->data() + batch.offset, batch.wire_bytes());
    return part;
  }

  batch::FetchedBatch Fetch(const batch::FetchPlan& plan) {
    std::promise<absl::StatusOr<batch::FetchedBatch>> answer;
    engine_->Fetch(plan, engine_->Arbitrate(pool_), {},
                   [&](absl::StatusOr<batch::FetchedBatch> fetched) {
                     answer.set_value(std::move(fetched));
                   });
    absl::StatusOr<batch::FetchedBatch> fetched = answer.get_future().get();
    EXPECT_TRUE(fetched.ok()) << fetched.status();
    return *std::move(fetched);
  }

  BatchPuller Open(const Plan& plan) {
    auto stream = engine_->OpenStream(plan, engine_->Arbitrate(pool_));
    EXPECT_TRUE(stream.ok()) << stream.status();
    return BatchPuller(*std::move(stream));
  }

  const std::shared_ptr<HeapBufferPool> pool_ =
      std::make_shared<HeapBufferPool>();
  const std::shared_ptr<FakeStore> store_;
  std::unique_ptr<batch::Engine> engine_;
};

// Credits between two threads.
class Turns {
 public:
  void Give(int more) {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      turns_ += more;
    }
    changed_.notify_all();
  }
  void End() {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      ended_ = true;
    }
    changed_.notify_all();
  }
  // Waits for one; false: there are none to come.
  bool Take() {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [this] { return ended_ || turns_ > 0; });
    return !ended_ && turns_-- > 0;
  }

 private:
  std::mutex mu_;  // guards everything below
  std::condition_variable changed_;
  int turns_ = 0;
  bool ended_ = false;
};

// Several batches as one message.
inline v1::BatchPart Gathered(const std::vector<v1::BatchPart>& parts) {
  v1::BatchPart all;
  all.set_batch_seq(parts.front().batch_seq());
  for (const v1::BatchPart& part : parts) {
    v1::BatchHeader* const header = all.add_batches();
    *header = part.batches(0);
    header->set_data_offset(all.data().size());
    all.mutable_data()->append(part.data());
  }
  return all;
}

// One batch as messages of at most so many bytes of it.
inline std::vector<v1::BatchPart> Cut(const v1::BatchPart& whole, size_t most) {
  std::vector<v1::BatchPart> parts;
  for (size_t at = 0; at < whole.data().size(); at += most) {
    v1::BatchPart& part = parts.emplace_back();
    part.set_batch_seq(whole.batch_seq());
    part.set_part(static_cast<uint32_t>(parts.size() - 1));
    part.set_offset(at);
    part.set_data(whole.data().substr(at, most));
  }
  *parts.front().add_batches() = whole.batches(0);
  parts.front().mutable_batches(0)->set_part_count(
      static_cast<uint32_t>(parts.size()));
  return parts;
}

// What a message was answered with, and the batches that it made whole.
inline Failure Feed(ik_stream* stream, const std::string& message,
                    uint32_t* batches = nullptr) {
  uint32_t whole = 0;
  Failure failure(
      ik_stream_feed(stream, reinterpret_cast<const uint8_t*>(message.data()),
                     message.size(), &whole));
  if (batches != nullptr) *batches = whole;
  return failure;
}

template <typename Request>
StreamHandle Receive(const Request& request, const std::string& first,
                     Failure* failure, uint32_t threads = 2) {
  const std::string bytes = request.SerializeAsString();
  ik_receive_options options = {};
  options.struct_size = sizeof(options);
  options.request = reinterpret_cast<const uint8_t*>(bytes.data());
  options.request_size = bytes.size();
  options.first = reinterpret_cast<const uint8_t*>(first.data());
  options.first_size = first.size();
  options.endpoint = "there:1";
  options.threads = threads;
  options.kind = std::is_same_v<Request, v1::FetchDrawingsRequest>
                     ? IK_FETCH_DRAWINGS
                     : IK_STREAM_BATCHES;
  ik_stream* stream = nullptr;
  *failure = Failure(ik_stream_receive(&options, &stream));
  return StreamHandle(stream);
}

template <typename Request>
StreamHandle Receive(const Request& request, const std::string& first) {
  Failure failure(nullptr);
  StreamHandle stream = Receive(request, first, &failure);
  EXPECT_EQ(failure.text, "");
  return stream;
}

inline v1::StreamBatchesRequest RowsRequest(uint32_t batch_size = 64,
                                            uint32_t side = 28) {
  v1::StreamBatchesRequest request = StreamRequest(batch_size, side);
  request.mutable_open()->mutable_delivery()->set_codec(v1::CODEC_STROKES);
  return request;
}

}  // namespace inkstream::testing
