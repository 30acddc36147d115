#include "client/cpp/stream/resume_point.h"

namespace inkstream::client {

ResumePoint::ResumePoint(const Plan& plan)
    : plan_(plan),
      bounded_(plan.delivery.max_batches > 0),
      left_(plan.delivery.max_batches) {}

Plan ResumePoint::Opening() {
  Plan opening = plan_;
  if (bounded_) opening.delivery.max_batches = left_;
  to_epoch_ = apart_;
  opened_ = now_;
  if (apart_) {
    opening.delivery.step_offset = plan_.delivery.step_stride - 1;
    opening.delivery.epochs = plan_.start->epoch + 1;
  }
  return opening;
}

void ResumePoint::Accepted(const Cursor& start) {
  plan_.start = start;
  plan_.fingerprint = start.fingerprint;
}

uint64_t ResumePoint::Passed(const Cursor& after, uint64_t epoch,
                             uint64_t step) {
  const uint64_t number = step + (epoch == opened_.epoch ? opened_.steps : 0);
  now_ = after.epoch == epoch ? Behind{epoch, number + 1} : Behind{};
  plan_.start = after;
  apart_ = plan_.delivery.step_stride > 1 && after.epoch == epoch;
  if (bounded_ && left_ > 0) --left_;
  return number;
}

bool ResumePoint::Ended(const Cursor& end) {
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
  now_ = {};
  return false;
}

}  // namespace inkstream::client
