// 8-bit channel images -> the elements of an image tensor.
//
// A float element is (pixel / 255 - mean) / std, computed in IEEE float32 with
// each of the three operations rounded to nearest even, as NumPy and torch do
// for float32 arrays; float16 and bfloat16 are that float32 rounded once more
// to nearest even. Without mean and std it is pixel / 255. A pixel has only 256
// values, so every channel's elements are tabulated once.
//
// Thread safety: const methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "inkstream/image_spec.h"

namespace inkstream::raster {

// The float32 element of one pixel.
float FloatPixel(uint8_t pixel, float mean, float std);

// The name of an element type, for error texts.
const char* NameOf(DType dtype);

// OK, or INVALID_ARGUMENT naming the field whose elements cannot be written:
// the type, mean and std by their number, or an element that the type does not
// hold. Channels have been checked.
absl::Status CheckElements(const ImageSpec& spec);

class PixelWriter {
 public:
  // `spec` has passed CheckImageSpec.
  explicit PixelWriter(const ImageSpec& spec);

  size_t image_bytes() const { return channels_ * pixels_ * element_bytes_; }

  // Whether the channel images one after another already are the tensor.
  bool is_copy() const { return is_copy_; }

  // `planes`: [channels][height * width]; `out` has image_bytes() bytes and
  // needs no alignment.
  void Write(const uint8_t* planes, uint8_t* out) const;

 private:
  template <class Element>
  void WritePlane(const uint8_t* plane, size_t channel, uint8_t* out) const;
  template <class Element>
  void WriteInterleaved(const uint8_t* planes, uint8_t* out) const;
  template <class Element>
  void WriteElements(const uint8_t* planes, uint8_t* out) const;

  size_t channels_;
  size_t pixels_;
  size_t element_bytes_;
  bool interleaved_;
  bool is_copy_;
  std::vector<uint32_t> elements_;  // [channels][256], bits
};

}  // namespace inkstream::raster
