// Cursors: message <-> value.
//
// Thread safety: pure functions.
#pragma once

#include <inkstream/v1/plan.pb.h>

#include "inkstream/cursor.h"

namespace inkstream::wire {

Cursor CursorFromProto(const v1::Cursor& proto);

void CursorToProto(const Cursor& cursor, v1::Cursor* proto);

}  // namespace inkstream::wire
