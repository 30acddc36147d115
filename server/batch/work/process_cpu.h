// What this process has computed so far: for figures of a server or a client.
//
// Thread safety: function.
#pragma once

namespace inkstream::batch {

// Seconds of processor time of all its threads, ended ones too, in user and
// system mode. Never falls.
double ProcessCpuSeconds();

}  // namespace inkstream::batch
