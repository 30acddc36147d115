// A grid of grey images with a caption above each column, as a PNG file.
//
// Thread safety: one object a thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inkstream::testing {

class ContactSheet {
 public:
  // `cell`: pixels of a side that every image is enlarged to fit.
  ContactSheet(std::vector<std::string> captions, int cell);

  // The next image, [height][width], from left to right and top to bottom.
  void Add(const std::vector<uint8_t>& image, uint32_t height, uint32_t width);

  // False where the file cannot be written.
  bool Write(const std::string& path) const;

 private:
  struct Image {
    std::vector<uint8_t> pixels;
    int height;
    int width;
  };

  const std::vector<std::string> captions_;
  const int cell_;
  std::vector<Image> images_;
};

}  // namespace inkstream::testing
