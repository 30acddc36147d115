// A link, a server and a client of known rates under a clock of the test's own.

#include "server/transport/codec_chooser.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace inkstream::transport {
namespace {

constexpr double kBatchBytes = 4 << 20;

class ChosenStream {
 public:
  // Rates in bytes a second, of batches as they are before packing.
  ChosenStream(double link, double draw, double pack, double ratio)
      : link_(link), draw_(draw), pack_(pack), ratio_(ratio) {}

  void set_link(double link) { link_ = link; }
  void set_pause(double seconds) { pause_ = seconds; }

  // Sends batches for `seconds`.
  void Run(double seconds) {
    for (const double end = at_.now + seconds; at_.now < end;) {
      const bool packed = chooser_.packs();
      // Drawing and sending go on at the same time; the slower one is waited
      // for.
      const double making =
          kBatchBytes / draw_ + (packed ? kBatchBytes / pack_ : 0);
      const double sending = kBatchBytes / (packed ? ratio_ : 1) / link_;
      at_.now += std::max(making, sending) + pause_;
      at_.waited_network += sending;
      at_.waited_client += pause_;
      sent_ += 1;
      packed_ += packed ? 1 : 0;
      switches_ += packed != was_packed_ ? 1 : 0;
      was_packed_ = packed;
      chooser_.OnSent(packed, 1, static_cast<uint64_t>(kBatchBytes), at_);
    }
  }

  bool packs() const { return chooser_.packs(); }
  int switches() const { return switches_; }
  double packed_share() const { return packed_ / sent_; }
  void Forget() { sent_ = packed_ = switches_ = 0; }

 private:
  CodecChooser chooser_;
  double link_;
  double draw_;
  double pack_;
  double ratio_;
  double pause_ = 0;
  WriteProgress at_;
  bool was_packed_ = false;
  double sent_ = 0;
  double packed_ = 0;
  int switches_ = 0;
};

TEST(CodecChooser, AThinLinkGetsPackedBatchesAndKeepsThem) {
  for (const double link : {1e6, 12.5e6, 125e6}) {
    ChosenStream stream(link, 4e9, 1.4e9, 10);
    stream.Run(60);
    EXPECT_TRUE(stream.packs()) << link;
    stream.Forget();
    stream.Run(3600);
    EXPECT_GT(stream.packed_share(), 0.99) << link;
  }
}

TEST(CodecChooser, AFastLinkGetsRawBatches) {
  ChosenStream stream(3e9, 4e9, 1.4e9, 10);
  stream.Run(3600);
  EXPECT_EQ(stream.switches(), 0);
}

TEST(CodecChooser, AServerThatPacksSlowlyGoesBackAndTriesEverMoreRarely) {
  ChosenStream stream(400e6, 4e9, 300e6, 10);
  stream.Run(3600);
  EXPECT_LT(stream.packed_share(), 0.05);
  EXPECT_LT(stream.switches(), 40);
}

TEST(CodecChooser, WhatHardlyGetsSmallerStaysRaw) {
  ChosenStream stream(125e6, 4e9, 1.4e9, 1.1);
  stream.Run(600);
  EXPECT_LT(stream.packed_share(), 0.1);
}

TEST(CodecChooser, ALinkThatChangesIsNoticed) {
  ChosenStream stream(3e9, 4e9, 1.4e9, 10);
  stream.Run(60);
  EXPECT_FALSE(stream.packs());
  stream.set_link(50e6);
  stream.Run(60);
  EXPECT_TRUE(stream.packs());
  stream.set_link(5e9);
  stream.Run(1200);
  EXPECT_FALSE(stream.packs());
}

TEST(CodecChooser, AClientThatTakesItsTimeChangesNothing) {
  ChosenStream stream(3e9, 4e9, 1.4e9, 10);
  stream.set_pause(0.2);
  stream.Run(600);
  EXPECT_EQ(stream.switches(), 0);
}

}  // namespace
}  // namespace inkstream::transport
