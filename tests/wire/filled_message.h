// Messages in which every field is set, to another value than its default: what
// a conversion leaves out, also of a field that was added later, differs.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <string>

namespace inkstream::wire {

// `next`: numbers for the fields, all of them different.
inline void FillMessage(google::protobuf::Message* message, int* next) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& to = *message->GetReflection();
  const google::protobuf::Descriptor& type = *message->GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* const field = type.field(i);
    const bool repeated = field->is_repeated();
    const int number = ++*next;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        repeated ? to.AddString(message, field, std::to_string(number))
                 : to.SetString(message, field, std::to_string(number));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        to.SetUInt32(message, field, number);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        to.SetUInt64(message, field, number);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        to.SetInt32(message, field, number);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        to.SetInt64(message, field, number);
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        repeated
            ? to.AddFloat(message, field, static_cast<float>(number) + 0.5F)
            : to.SetFloat(message, field, static_cast<float>(number) + 0.5F);
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        repeated ? to.AddDouble(message, field, number + 0.5)
                 : to.SetDouble(message, field, number + 0.5);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        to.SetBool(message, field, true);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        to.SetEnumValue(message, field,
                        field->enum_type()
                            ->value(field->enum_type()->value_count() - 1)
                            ->number());
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        FillMessage(repeated ? to.AddMessage(message, field)
                             : to.MutableMessage(message, field),
                    next);
        break;
    }
  }
}

template <typename Message>
Message Filled() {
  Message message;
  int next = 0;
  FillMessage(&message, &next);
  return message;
}

// "" where they are the same; else the fields that differ.
inline std::string Differences(const google::protobuf::Message& one,
                               const google::protobuf::Message& other) {
  std::string told;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&told);
  return differencer.Compare(one, other) ? "" : told;
}

}  // namespace inkstream::wire
