#include "inkstream/batch.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace inkstream {
namespace {

// What the integers of that tensor mean; empty where they mean themselves.
const std::vector<std::string>& WordsOf(const Vocabulary* vocabulary,
                                        absl::string_view tensor) {
  static const std::vector<std::string>* const kNone =
      new std::vector<std::string>();
  if (vocabulary == nullptr) return *kNone;
  if (tensor == "word") return vocabulary->words;
  return tensor == "countrycode" ? vocabulary->countrycodes : *kNone;
}

}  // namespace

int64_t Batch::rows() const {
  // Ragged tensors have other first dimensions; `index` has one row a drawing.
  for (const TensorInfo& info : content_.tensors) {
    if (info.name == "index" && !info.shape.empty()) return info.shape[0];
  }
  return content_.tensors.empty() || content_.tensors[0].shape.empty()
             ? 0
             : content_.tensors[0].shape[0];
}

absl::StatusOr<TensorView> Batch::Find(absl::string_view name) const {
  for (const TensorInfo& info : content_.tensors) {
    if (info.name == name) {
      return TensorView{
          &info,
          absl::MakeConstSpan(content_.data.get() + info.offset, info.length),
          &WordsOf(content_.vocabulary.get(), name)};
    }
  }
  return absl::NotFoundError(
      absl::StrCat("the batch has no tensor \"", name, "\"; it has ",
                   absl::StrJoin(content_.tensors, ", ",
                                 [](std::string* out, const TensorInfo& info) {
                                   absl::StrAppend(out, "\"", info.name, "\"");
                                 })));
}

absl::StatusOr<TensorView> Batch::FindTyped(absl::string_view name, DType dtype,
                                            DType also) const {
  absl::StatusOr<TensorView> view = Find(name);
  if (view.ok() && view->info->dtype != dtype && view->info->dtype != also) {
    return absl::InvalidArgumentError(absl::StrCat(
        "tensor \"", name, "\" has dtype ", static_cast<int>(view->info->dtype),
        ", not ", static_cast<int>(dtype), " as asked for"));
  }
  return view;
}

}  // namespace inkstream
