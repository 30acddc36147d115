// All shared memory of a server: one budget, and the tokens by which clients
// get their streams' descriptors.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/transport/shm/descriptor_socket.h"
#include "server/transport/shm/shm_area.h"

namespace inkstream::transport {

// What a stream is told of its area.
struct ShmOffer {
  std::shared_ptr<ShmArea> area;
  std::string token;           // kTokenBytes
  uint32_t credit_window = 0;  // batches ahead, so that slots are left to lend
};

class ShmHost {
 public:
  // `socket_path`: of the descriptors. `budget`: bytes of all areas together.
  static absl::StatusOr<std::unique_ptr<ShmHost>> Start(
      const std::string& socket_path, uint64_t budget, uint32_t max_credits,
      const SocketAccess& access = {});

  // Areas may outlive it.
  ~ShmHost();

  // Memory for a stream of batches of at most `batch_bytes`. The error says, to
  // the client, why there is none.
  absl::StatusOr<ShmOffer> Offer(uint64_t batch_bytes);

  uint64_t budget() const;
  uint64_t in_use() const;  // bytes of areas
  size_t tokens() const;    // not redeemed yet

 private:
  struct Ledger;

  ShmHost(uint64_t budget, uint32_t max_credits);
  int Redeem(const ShmToken& token);

  const uint32_t max_credits_;
  const std::shared_ptr<Ledger> ledger_;      // areas give back to it
  std::unique_ptr<DescriptorSocket> socket_;  // last: its thread redeems
};

}  // namespace inkstream::transport
