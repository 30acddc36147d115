#include "client/cpp/course.h"

namespace inkstream::client {

Course::Course(const Plan& plan)
    : plan_(plan),
      bounded_(plan.delivery.max_batches > 0),
      left_(plan.delivery.max_batches) {}

Plan Course::Opening() {
  Plan opening = plan_;
  if (bounded_) opening.delivery.max_batches = left_;
  to_epoch_ = apart_;
  if (apart_) {
    opening.delivery.step_offset = plan_.delivery.step_stride - 1;
    opening.delivery.epochs = plan_.start->epoch + 1;
  }
  return opening;
}

void Course::Accepted(const Cursor& start) {
  plan_.start = start;
  plan_.fingerprint = start.fingerprint;
}

void Course::Passed(const Cursor& after, uint64_t epoch) {
  plan_.start = after;
  apart_ = plan_.delivery.step_stride > 1 && after.epoch == epoch;
  if (bounded_ && left_ > 0) --left_;
}

bool Course::Ended(const Cursor& end) {
  if (!to_epoch_ || complete()) {
    plan_.start = end;
    return true;
  }
  const uint64_t epoch = plan_.start->epoch + (apart_ ? 1 : 0);
  if (plan_.delivery.epochs.has_value() && epoch >= *plan_.delivery.epochs) {
    return true;
  }
  plan_.start->epoch = epoch;
  plan_.start->position = 0;
  apart_ = false;
  return false;
}

}  // namespace inkstream::client
