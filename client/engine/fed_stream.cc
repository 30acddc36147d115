#include "client/engine/fed_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/engine/drawing_pool.h"
#include "server/raster/draw/rasterizer.h"
#include "server/wire/delivery_message.h"

namespace inkstream::engine {
namespace {

// A batch needs a handful of tensors.
constexpr int kMostTensors = 1024;
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
                      y.shape().end()) &&
           std::equal(x.vocabulary().begin(), x.vocabulary().end(),
                      y.vocabulary().begin(), y.vocabulary().end());
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

void FedStream::Received::Append(absl::Span<const uint8_t> data) {
  uint8_t* const into = memory != nullptr ? memory->data() : bytes.data();
  if (!data.empty()) std::memcpy(into + filled, data.data(), data.size());
  filled += data.size();
  ++parts;
}

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
  absl::StatusOr<layout::BatchLayout> layout = LayoutOf(asked->delivery);
  if (!layout.ok()) return layout.status();
  const uint32_t most_ahead =
      asked->one ? 1 : std::max(kLeastAhead, opened.credit_window());
  const std::shared_ptr<FedStream> stream(new FedStream(
      layout->Bytes(asked->delivery.batch_size), most_ahead, asked->one));
  if (opened.codec() == v1::CODEC_STROKES) {
    absl::StatusOr<std::shared_ptr<const RowsPlan>> plan =
        RowsPlan::Create(*asked, opened, options.whence, options.threads);
    if (!plan.ok()) return plan.status();
    stream->plan_ = *std::move(plan);
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
      if (growing_.has_value()) return Broken("the end within a batch");
      ended_ = part.end->SerializeAsString();
      return 0;
    }
  }
  uint32_t whole = 0;
  absl::Status status =
      growing_.has_value() ? AddLater(part, &whole) : AddFirst(part, &whole);
  if (!status.ok()) return status;
  return whole;
}

absl::Status FedStream::Check(const v1::BatchHeader& header) {
  if (header.batch_seq() != next_sequence_) {
    return Broken("batch ", header.batch_seq(), " came where ", next_sequence_,
                  " was due");
  }
  if (one_ && next_sequence_ > 0) return Broken("several batches for one fetch");
  if (header.has_rows()) {
    if (plan_ == nullptr) {
      return Broken("batch ", header.batch_seq(),
                    " comes as rows, which was not agreed on");
    }
    if (absl::Status status = plan_->Check(header); !status.ok()) return status;
  } else if (header.byte_size() > batch_bytes()) {
    return Broken("batch ", header.batch_seq(), " claims ", header.byte_size(),
                  " bytes; what was asked for takes at most ", batch_bytes());
  }
  if (header.tensors_size() > kMostTensors) {
    return Broken("a batch of ", header.tensors_size(), " tensors");
  }
  ++next_sequence_;
  return absl::OkStatus();
}

absl::Status FedStream::AddFirst(const PartView& part, uint32_t* whole) {
  if (part.batches.empty() || part.part != 0 || part.offset != 0) {
    return Broken("part ", part.part, " of batch ", part.batch_seq,
                  " came where a new batch was due");
  }
  uint64_t used = 0;  // of the message's bulk bytes
  for (const v1::BatchHeader& header : part.batches) {
    if (absl::Status status = Check(header); !status.ok()) return status;
    const uint64_t size = WireBytes(header);
    const uint64_t begin = header.data_offset();
    if (begin < used || begin > part.data.size()) {
      return Broken("batch ", header.batch_seq(), " starts at ", begin, " of ",
                    part.data.size(), " bytes");
    }
    const uint64_t here = part.data.size() - begin;
    const bool is_whole = header.part_count() <= 1;
    if (is_whole ? here < size : here > size || part.batches.size() > 1) {
      return Broken("batch ", header.batch_seq(), " of ", size, " bytes in ",
                    header.part_count(), " parts does not fit ", here,
                    " bytes");
    }
    const uint64_t take = is_whole ? size : here;
    used = begin + take;
    Received batch;
    batch.header = header;
    Begin(part.data.subspan(begin, take), &batch);
    if (!is_whole) {
      growing_ = std::move(batch);
      return absl::OkStatus();
    }
    if (absl::Status status = Complete(std::move(batch)); !status.ok()) {
      return status;
    }
    ++*whole;
  }
  return absl::OkStatus();
}

absl::Status FedStream::AddLater(const PartView& part, uint32_t* whole) {
  Received& growing = *growing_;
  const uint64_t size = WireBytes(growing.header);
  if (!part.batches.empty() || part.batch_seq != growing.header.batch_seq() ||
      part.part != growing.parts || part.offset != growing.filled) {
    return Broken("part ", part.part, " of batch ", part.batch_seq, " at ",
                  part.offset, " came where part ", growing.parts, " of batch ",
                  growing.header.batch_seq(), " at ", growing.filled,
                  " was due");
  }
  if (part.data.empty()) {
    return Broken("an empty part of batch ", part.batch_seq);
  }
  if (part.data.size() > size - growing.filled) {
    return Broken("batch ", part.batch_seq, " is longer than the ", size,
                  " bytes it announced");
  }
  growing.Append(part.data);
  if (growing.parts < growing.header.part_count()) return absl::OkStatus();
  if (growing.filled != size) {
    return Broken("batch ", part.batch_seq, " ended after ", growing.filled,
                  " of ", size, " bytes");
  }
  Received batch = std::move(growing);
  growing_.reset();
  *whole = 1;
  return Complete(std::move(batch));
}

void FedStream::Begin(absl::Span<const uint8_t> data, Received* batch) {
  if (!batch->header.has_rows()) {
    // Straight to where it will be read, unless others wait for memory.
    const std::lock_guard<std::mutex> lock(mu_);
    if (with_memory_ == batches_.size()) {
      if (auto memory = memory_->Acquire(batch_bytes()); memory.ok()) {
        batch->memory = *std::move(memory);
      }
    }
  }
  if (batch->memory == nullptr) batch->bytes.resize(WireBytes(batch->header));
  batch->Append(data);
}

absl::Status FedStream::Complete(Received batch) {
  if (batch.header.has_rows()) {
    absl::StatusOr<rows::RowsView> rows =
        plan_->Parse(batch.header, batch.bytes);
    if (!rows.ok()) return rows.status();
    batch.rows = *std::move(rows);
  }
  const std::lock_guard<std::mutex> lock(mu_);
  if (cancelled_) return absl::CancelledError("the stream was closed");
  if (batch.memory != nullptr) ++with_memory_;
  batches_.push_back(std::move(batch));
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
          plan_, std::move(batch.bytes), *std::move(batch.rows),
          batch.header.epoch(), *std::move(memory));
      if (one_) continue;  // drawn by TryNext()
      pieces += batch.work->pieces();
      queue_->Add(batch.work);
    } else {
      std::copy(batch.bytes.begin(), batch.bytes.end(), (*memory)->data());
      batch.bytes = {};
      batch.memory = *std::move(memory);
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
    batch.memory = work.TakeMemory();
  }
  given.token = memory_->TakeBack(batch.memory->data());
  batch.memory.reset();
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
    growing_.reset();
  }
  memory_->Close();
  signal_->Set();
}

}  // namespace inkstream::engine
