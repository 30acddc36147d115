// Animals and plants.
#pragma once

#include "server/ingest/generate/pen.h"

namespace inkstream::ingest {

void DrawApple(Pen& pen);
void DrawCat(Pen& pen);
void DrawFish(Pen& pen);
void DrawFlower(Pen& pen);
void DrawMushroom(Pen& pen);
void DrawTree(Pen& pen);

}  // namespace inkstream::ingest
