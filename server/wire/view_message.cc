#include "absl/strings/str_cat.h"
#include "server/wire/messages.h"

namespace inkstream::wire {

absl::StatusOr<View> ViewFromProto(const v1::View& view) {
  absl::Status known = CheckKnown("view", view);
  if (!known.ok()) return known;
  View plain;
  plain.split = view.split();
  plain.classes.assign(view.classes().begin(), view.classes().end());
  for (int i = 0; i < view.where_size(); ++i) {
    const v1::Where& term = view.where(i);
    if (!v1::Where::Op_IsValid(term.op())) {
      return UnknownEnum(absl::StrCat("view.where[", i, "].op"), term.op());
    }
    plain.where.push_back({term.column(),
                           static_cast<WhereOp>(term.op()),
                           {term.values().begin(), term.values().end()}});
  }
  plain.max_per_class = view.max_per_class();
  if (view.fraction() != 0) plain.fraction = view.fraction();
  plain.include_keys = view.include_keys();
  plain.exclude_keys = view.exclude_keys();
  if (view.has_fold()) {
    plain.fold =
        Fold{view.fold().index(), view.fold().count(), view.fold().held_out()};
  }
  return plain;
}

v1::View ViewToProto(const View& view) {
  v1::View message;
  message.set_split(view.split);
  message.mutable_classes()->Assign(view.classes.begin(), view.classes.end());
  for (const WhereTerm& term : view.where) {
    v1::Where* const where = message.add_where();
    where->set_column(term.column);
    where->set_op(static_cast<v1::Where::Op>(term.op));
    where->mutable_values()->Assign(term.values.begin(), term.values.end());
  }
  message.set_max_per_class(view.max_per_class);
  if (view.fraction != 1) message.set_fraction(view.fraction);
  message.set_include_keys(view.include_keys);
  message.set_exclude_keys(view.exclude_keys);
  if (view.fold.has_value()) {
    v1::View::Fold* const fold = message.mutable_fold();
    fold->set_index(view.fold->index);
    fold->set_count(view.fold->count);
    fold->set_held_out(view.fold->held_out);
  }
  return message;
}

}  // namespace inkstream::wire
