// Names of element types, for error texts.
#pragma once

#include "inkstream/tensor.h"

namespace inkstream {

constexpr const char* NameOf(DType dtype) {
  switch (dtype) {
    case DType::kUint8:
      return "uint8";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kFloat16:
      return "float16";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kFloat32:
      return "float32";
    case DType::kBool:
      return "bool";
    case DType::kUnspecified:
      break;
  }
  return "unspecified";
}

}  // namespace inkstream
