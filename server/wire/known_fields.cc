#include <google/protobuf/unknown_field_set.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/wire/messages.h"

namespace inkstream::wire {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status CheckKnown(absl::string_view field, const Message& message) {
  const Reflection* const reflection = message.GetReflection();
  const auto& unknown = reflection->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    // Of an earlier contract: what it asked for has gone.
    const int number = unknown.field(i).number();
    if (message.GetDescriptor()->IsReservedNumber(number)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        field, ": field ", number, " of ", message.GetDescriptor()->full_name(),
        " is not in this server's contract; update the server or "
        "leave the field out"));
  }
  std::vector<const FieldDescriptor*> set;
  reflection->ListFields(message, &set);
  for (const FieldDescriptor* const inner : set) {
    const std::string name = absl::StrCat(field, ".", inner->name());
    if (inner->cpp_type() == FieldDescriptor::CPPTYPE_ENUM &&
        !inner->is_repeated()) {
      const int value = reflection->GetEnumValue(message, inner);
      if (inner->enum_type()->FindValueByNumber(value) == nullptr) {
        return UnknownEnum(name, value);
      }
    }
    if (inner->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!inner->is_repeated()) {
      absl::Status status =
          CheckKnown(name, reflection->GetMessage(message, inner));
      if (!status.ok()) return status;
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, inner); ++i) {
      absl::Status status =
          CheckKnown(absl::StrCat(name, "[", i, "]"),
                     reflection->GetRepeatedMessage(message, inner, i));
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace inkstream::wire
