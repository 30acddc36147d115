// Numbers on a command line, read as they are written: CLI11 alone takes -1
// for 2^64-1, whatever is too large for that too, and 010 for 8.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace inkstream::app {

// For Option::transform: refuses what is no whole number in 0..`most`.
CLI::Validator WholeNumber(
    uint64_t most = std::numeric_limits<uint64_t>::max());

// For Option::transform: bytes, a whole number and a unit if there is one: B,
// K, KB or KiB, and so on to E, in any case, all of them powers of 1024.
CLI::Validator ByteSize();

}  // namespace inkstream::app
