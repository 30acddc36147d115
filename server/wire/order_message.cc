#include "server/wire/messages.h"

namespace inkstream::wire {

namespace {

absl::StatusOr<Sampling> SamplingFromProto(const v1::Order::Sampling& proto) {
  Sampling sampling;
  switch (proto.kind_case()) {
    case v1::Order::Sampling::kBalanced:
      sampling.kind = SamplingKind::kBalanced;
      sampling.alpha = proto.balanced().alpha();
      break;
    case v1::Order::Sampling::kWeights:
      sampling.kind = SamplingKind::kWeights;
      sampling.weights.assign(proto.weights().weights().begin(),
                              proto.weights().weights().end());
      break;
    case v1::Order::Sampling::kMix:
      sampling.kind = SamplingKind::kMix;
      sampling.weights.assign(proto.mix().weights().begin(),
                              proto.mix().weights().end());
      for (const v1::View& view : proto.mix().views()) {
        absl::StatusOr<View> part = ViewFromProto(view);
        if (!part.ok()) return part.status();
        sampling.views.push_back(*std::move(part));
      }
      break;
    case v1::Order::Sampling::kDrawings:
      sampling.kind = SamplingKind::kDrawings;
      sampling.drawings = proto.drawings().weights();
      break;
    case v1::Order::Sampling::KIND_NOT_SET:
      break;
  }
  return sampling;
}

}  // namespace

absl::StatusOr<OrderSpec> OrderFromProto(const v1::Order& order) {
  absl::Status known = CheckKnown("order", order);
  if (!known.ok()) return known;
  OrderSpec spec;
  spec.seed = order.seed();
  if (!v1::Order::Shuffle_IsValid(order.shuffle())) {
    return UnknownEnum("order.shuffle", order.shuffle());
  }
  spec.shuffle = static_cast<ShuffleKind>(order.shuffle());
  spec.shuffle_window = order.window();
  absl::StatusOr<Sampling> sampling = SamplingFromProto(order.sampling());
  if (!sampling.ok()) return sampling.status();
  spec.sampling = *std::move(sampling);
  return spec;
}

v1::Order OrderToProto(const OrderSpec& order) {
  v1::Order message;
  message.set_seed(order.seed);
  message.set_shuffle(static_cast<v1::Order::Shuffle>(order.shuffle));
  message.set_window(order.shuffle_window);
  const Sampling& sampling = order.sampling;
  v1::Order::Sampling* const to = message.mutable_sampling();
  switch (sampling.kind) {
    case SamplingKind::kUniform:
      message.clear_sampling();
      break;
    case SamplingKind::kBalanced:
      to->mutable_balanced()->set_alpha(sampling.alpha);
      break;
    case SamplingKind::kWeights:
      to->mutable_weights()->mutable_weights()->Assign(sampling.weights.begin(),
                                                       sampling.weights.end());
      break;
    case SamplingKind::kMix:
      to->mutable_mix()->mutable_weights()->Assign(sampling.weights.begin(),
                                                   sampling.weights.end());
      for (const View& view : sampling.views) {
        *to->mutable_mix()->add_views() = ViewToProto(view);
      }
      break;
    case SamplingKind::kDrawings:
      to->mutable_drawings()->set_weights(sampling.drawings);
      break;
  }
  return message;
}

}  // namespace inkstream::wire
