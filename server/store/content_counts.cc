#include "server/store/content_counts.h"

#include <utility>

#include "server/store/class_names.h"
#include "server/store/split_hash.h"

namespace inkstream::store {

ContentCounts::ContentCounts(std::vector<SplitInfo> splits) {
  info_.splits = std::move(splits);
}

void ContentCounts::Add(const Drawing& drawing, uint64_t split_hash) {
  ++info_.drawings;
  if (!drawing.word) {
    ++info_.unlabelled;
  } else {
    if (last_count_ == nullptr || last_word_ != *drawing.word) {
      last_word_ = *drawing.word;
      last_count_ = &words_[last_word_];
    }
    ++*last_count_;
  }
  info_.with_countrycode += drawing.countrycode.has_value();
  info_.with_timestamp += drawing.timestamp.has_value();
  info_.with_recognized += drawing.recognized.has_value();
  info_.with_key_id += drawing.key_id.has_value();
  info_.with_times += !drawing.raw.empty();
  for (SplitInfo& split : info_.splits) {
    split.drawings += InSplit(split, split_hash);
  }
}

void ContentCounts::FillIn(StoreInfo* info) const {
  std::map<std::string, uint64_t> classes;
  for (const auto& [word, count] : words_) classes[ClassOfWord(word)] += count;
  info->drawings = info_.drawings;
  info->unlabelled = info_.unlabelled;
  info->with_countrycode = info_.with_countrycode;
  info->with_timestamp = info_.with_timestamp;
  info->with_recognized = info_.with_recognized;
  info->with_key_id = info_.with_key_id;
  info->with_times = info_.with_times;
  info->has_times = info_.with_times > 0;
  info->splits = info_.splits;
  info->classes.clear();
  info->class_counts.clear();
  for (const auto& [name, count] : classes) {
    info->classes.push_back(name);
    info->class_counts.push_back(count);
  }
}

}  // namespace inkstream::store
