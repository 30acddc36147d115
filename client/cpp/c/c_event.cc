#include "client/cpp/c/c_event.h"

#include <algorithm>
#include <utility>

#include "server/wire/status_message.h"

namespace inkstream::client {
namespace {

// But for what ik_event tells of each batch.
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

}  // namespace

void EventTexts::Set(const google::protobuf::MessageLite& told,
                     ik_event* event) {
  header_.clear();
  told.AppendToString(&header_);
  event->header = reinterpret_cast<const uint8_t*>(header_.data());
  event->header_size = header_.size();
}

void EventTexts::Set(ReceivedBatch* batch, ik_event* event) {
  v1::BatchHeader& told = batch->header;
  event->kind = IK_BATCH;
  if (last_ == nullptr || !SaysTheSame(told, *last_)) Set(told, event);
  event->epoch = told.epoch();
  event->step = told.step();
  event->cursor_epoch = told.cursor().epoch();
  event->cursor_position = told.cursor().position();
  event->bad = told.bad();
  event->wire_bytes =
      told.wire_size() > 0 ? told.wire_size() : told.byte_size();
  event->data = batch->bytes.get();
  event->data_size = told.byte_size();
  if (told.byte_size() > 0) {
    event->buffer = new ik_buffer{std::move(batch->bytes)};
  }
  if (last_ == nullptr) last_.reset(new v1::BatchHeader);
  last_->Swap(&told);
}

void EventTexts::Set(const absl::Status& status, uint32_t origin,
                     ik_event* event) {
  event->kind = IK_ERROR;
  event->code = static_cast<uint32_t>(status.code());
  event->origin = origin;
  message_ = std::string(status.message());
  details_ = wire::DetailsOf(status);
  event->message = message_.data();
  event->message_size = message_.size();
  event->details = reinterpret_cast<const uint8_t*>(details_.data());
  event->details_size = details_.size();
}

}  // namespace inkstream::client
