#include "client/engine/fed_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/engine/drawing_pool.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::engine {
namespace {

// Batches of a plan of tensors that servers let be ahead; of rows they say.
constexpr uint32_t kLeastAhead = 8;

template <typename... Parts>
absl::Status Broken(const Parts&... parts) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", parts...));
}

// But for what ik_batch tells of each batch.
bool SaysTheSame(const v1::BatchHeader& a, const v1::BatchHeader& b) {
  const auto same_cursor = [](const v1::Cursor& x, const v1::Cursor& y) {
    return x.version() == y.version() && x.seed() == y.seed() &&
           x.fingerprint() == y.fingerprint() &&
           x.plan_hash() == y.plan_hash() && x.order_plan() == y.order_plan();
  };
  const auto same_tensor = [](const v1::Tensor& x, const v1::Tensor& y) {
    return x.name() == y.name() && x.dtype() == y.dtype() &&
           x.offset() == y.offset() && x.length() == y.length() &&
           std::equal(x.shape().begin(), x.shape().end(), y.shape().begin(),
                      y.shape().end());
  };
  return a.byte_size() == b.byte_size() &&
         same_cursor(a.cursor(), b.cursor()) &&
         std::equal(a.tensors().begin(), a.tensors().end(), b.tensors().begin(),
                    b.tensors().end(), same_tensor);
}

// Of a batch in messages.
uint64_t WireBytes(const v1::BatchHeader& header) {
  return header.has_rows() ? header.wire_size() : header.byte_size();
}

std::shared_ptr<uint8_t> BytesOf(std::unique_ptr<batch::Buffer> memory) {
  const std::shared_ptr<batch::Buffer> kept = std::move(memory);
  return {kept, kept->data()};
}

template <typename Request>
absl::StatusOr<AskedBatches> Asked(absl::Span<const uint8_t> bytes) {
  Request request;
  if (request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return AskedBy(request);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("request: not an encoded ", request.GetTypeName()));
}

uint32_t RowsOf(const v1::BatchHeader& header) {
  for (const v1::Tensor& tensor : header.tensors()) {
    if (tensor.name() == "index" && tensor.shape_size() == 1) {
      return static_cast<uint32_t>(tensor.shape(0));
    }
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::shared_ptr<LocalStream>> FedStream::Open(
    const FedStreamOptions& options) {
  absl::StatusOr<AskedBatches> asked =
      options.fetch ? Asked<v1::FetchDrawingsRequest>(options.request)
                    : Asked<v1::StreamBatchesRequest>(options.request);
  if (!asked.ok()) return asked.status();
  absl::StatusOr<PartView> first = ReadPart(options.first);
  if (!first.ok()) return first.status();
  if (!first->opened.has_value()) {
    return Broken("the stream did not begin with `opened`");
  }
  v1::StreamOpened& opened = *first->opened;
  absl::StatusOr<uint64_t> most_bytes = asked->MostBytes();
  if (!most_bytes.ok()) return most_bytes.status();
  const uint32_t most_ahead =
      asked->one ? 1 : std::max(kLeastAhead, opened.credit_window());
  const std::shared_ptr<FedStream> stream(
      new FedStream(*most_bytes, most_ahead, asked->one));
  if (opened.codec() == v1::CODEC_STROKES) {
    absl::StatusOr<std::shared_ptr<const RowsPlan>> plan =
        RowsPlan::Create(*asked, opened, options.whence, options.threads);
    if (!plan.ok()) return plan.status();
    stream->plan_ = *std::move(plan);
    stream->assembler_.TakeRows(stream->plan_);
    stream->pool_ = JoinDrawingPool(options.threads);
    // What replicas are compared by is the version of whoever draws.
    opened.set_raster_version(raster::kRasterVersion);
  }
  stream->opened_ = opened.SerializeAsString();
  return stream;
}

FedStream::~FedStream() {
  End();
  if (pool_ != nullptr) LeaveDrawingPool();
}

absl::StatusOr<uint32_t> FedStream::Feed(absl::Span<const uint8_t> message) {
  absl::StatusOr<PartView> part = ReadPart(message);
  absl::StatusOr<uint32_t> whole =
      part.ok() ? Add(*part) : absl::StatusOr<uint32_t>(part.status());
  if (!whole.ok()) {
    const std::lock_guard<std::mutex> lock(mu_);
    if (failed_.ok()) failed_ = whole.status();
  }
  signal_->Set();
  return whole;
}

void FedStream::Finish() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    finished_ = true;
  }
  signal_->Set();
}

absl::StatusOr<uint32_t> FedStream::Add(const PartView& part) {
  const std::lock_guard<std::mutex> feed_lock(feed_mu_);
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (cancelled_) return absl::CancelledError("the stream was closed");
    if (!failed_.ok()) return failed_;
    if (ended_.has_value()) return Broken("a message after the end part");
    if (part.opened.has_value()) return Broken("a second first part");
    if (part.end.has_value()) {
      if (assembler_.incomplete()) return Broken("the end within a batch");
      ended_ = part.end->SerializeAsString();
      return 0;
    }
  }
  for (const v1::BatchHeader& header : part.batches) {
    if (one_ && (assembler_.begun() > 0 || part.batches.size() > 1)) {
      return Broken("several batches for one fetch");
    }
    if (!header.has_rows() && header.byte_size() > batch_bytes()) {
      return Broken("batch ", header.batch_seq(), " claims ",
                    header.byte_size(),
                    " bytes; what was asked for takes at most ", batch_bytes());
    }
  }
  uint32_t whole = 0;
  absl::Status status = assembler_.Add(part, [&](ReceivedBatch batch) {
    absl::Status taken = Take(std::move(batch));
    if (taken.ok()) ++whole;
    return taken;
  });
  if (!status.ok()) return status;
  return whole;
}

// Straight to where it will be read, unless others wait for memory.
std::shared_ptr<uint8_t> FedStream::MemoryNow() {
  const std::lock_guard<std::mutex> lock(mu_);
  if (with_memory_ < batches_.size()) return nullptr;
  auto memory = memory_->Acquire(batch_bytes());
  if (!memory.ok()) return nullptr;  // none is offered
  return BytesOf(*std::move(memory));
}

absl::Status FedStream::Take(ReceivedBatch batch) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (cancelled_) return absl::CancelledError("the stream was closed");
  if (batch.bytes != nullptr) ++with_memory_;
  batches_.push_back({std::move(batch), nullptr});
  UseMemory();
  return absl::OkStatus();
}

void FedStream::UseMemory() {
  size_t pieces = 0;
  for (; with_memory_ < batches_.size(); ++with_memory_) {
    absl::StatusOr<std::unique_ptr<batch::Buffer>> memory =
        memory_->Acquire(batch_bytes());
    if (!memory.ok()) break;  // none is offered
    Received& batch = batches_[with_memory_];
    if (batch.rows.has_value()) {
      batch.work = std::make_shared<RowsWork>(
          plan_, std::move(batch.kept), *std::move(batch.rows),
          batch.header.epoch(), BytesOf(*std::move(memory)));
      if (one_) continue;  // drawn by TryNext()
      pieces += batch.work->pieces();
      queue_->Add(batch.work);
    } else {
      std::copy(batch.kept.begin(), batch.kept.end(), (*memory)->data());
      batch.kept = {};
      batch.bytes = BytesOf(*std::move(memory));
    }
  }
  if (pieces > 0) pool_->Add(queue_, pieces);
}

absl::Status FedStream::Offer(uint64_t token, void* memory, size_t size) {
  absl::Status status = memory_->Offer(token, memory, size);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> lock(mu_);
  UseMemory();
  return absl::OkStatus();
}

absl::StatusOr<NextResult> FedStream::TryNext() {
  if (one_) DrawHere();
  std::optional<Received> batch;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (cancelled_) return absl::CancelledError("the stream was closed");
    if (batches_.empty()) {
      if (!failed_.ok()) return failed_;
      if (ended_.has_value()) return StreamEnded{*ended_};
      if (finished_) return StreamEnded{};
      return batch::NotReady{};
    }
    const Received& first = batches_.front();
    if (with_memory_ == 0 || (first.work != nullptr && !first.work->done())) {
      return batch::NotReady{};
    }
    batch = std::move(batches_.front());
    batches_.pop_front();
    --with_memory_;
  }
  return Given(*std::move(batch));
}

void FedStream::DrawHere() {
  std::shared_ptr<RowsWork> work;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!batches_.empty()) work = batches_.front().work;
  }
  if (work != nullptr && !work->done()) DrawNow(std::move(work), pool_.get());
}

absl::StatusOr<NextResult> FedStream::Given(Received batch) {
  v1::BatchHeader& header = batch.header;
  DrawnBatch given;
  given.wire_bytes = WireBytes(header);
  if (batch.work != nullptr) {
    RowsWork& work = *batch.work;
    if (!work.status().ok()) return work.status();
    absl::Status status = damage_.Add(*plan_, work.batch().damage(), &header);
    if (!status.ok()) return status;
    plan_->Describe(work.batch().tensors(), &header);
    batch.bytes = work.TakeMemory();
  }
  given.token = memory_->TakeBack(batch.bytes.get());
  batch.bytes.reset();
  batch::FinishedBatch& facts = given.batch;
  facts.epoch = header.epoch();
  facts.step = header.step();
  facts.after = {header.cursor().epoch(), header.cursor().position()};
  facts.byte_size = header.byte_size();
  facts.bad = header.bad();
  facts.rows = RowsOf(header);
  if (last_ == nullptr || !SaysTheSame(header, *last_)) {
    given.header = header.SerializeAsString();
  }
  if (last_ == nullptr) last_ = std::make_unique<v1::BatchHeader>();
  last_->Swap(&header);
  return given;
}

void FedStream::End() {
  std::deque<Received> dropped;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    cancelled_ = true;
    dropped.swap(batches_);
    with_memory_ = 0;
  }
  queue_->Drop();
  dropped.clear();
  {
    const std::lock_guard<std::mutex> feed_lock(feed_mu_);
    assembler_.Drop();
  }
  memory_->Close();
  signal_->Set();
}

}  // namespace inkstream::engine
