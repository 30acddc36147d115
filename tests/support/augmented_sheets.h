// Contact sheets of changed drawings.
//
// Thread safety: pure functions.
#pragma once

#include "tests/support/contact_sheet.h"

namespace inkstream::testing {

// Seven views of each drawing, changed in every way.
ContactSheet AugmentedSheet();

// Each change alone in a column of its own, then all together.
ContactSheet ChangesSheet();

}  // namespace inkstream::testing
