// What changes to the strokes cost, against drawing them unchanged.
#pragma once

#include <string>

#include "tests/bench/album.h"

namespace inkstream::bench {

// Registers augment/SET/TARGET/SIDE for sets of changes. Counters: `ns`, of the
// changes alone; `percent`, that of what drawing takes at SIDE;
// `percent_drawn`, by how much changing and drawing takes longer than drawing,
// which also counts that a changed drawing has more or less to draw.
void RegisterAugmentCost(const std::string& target, const Album& album);

}  // namespace inkstream::bench
