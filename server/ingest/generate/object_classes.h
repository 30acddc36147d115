// Things that people make.
#pragma once

#include "server/ingest/generate/pen.h"

namespace inkstream::ingest {

void DrawBicycle(Pen& pen);
void DrawCar(Pen& pen);
void DrawClock(Pen& pen);
void DrawCup(Pen& pen);
void DrawDoor(Pen& pen);
void DrawEnvelope(Pen& pen);
void DrawEyeglasses(Pen& pen);
void DrawHouse(Pen& pen);
void DrawIceCream(Pen& pen);
void DrawKey(Pen& pen);
void DrawLadder(Pen& pen);
void DrawLollipop(Pen& pen);
void DrawSailboat(Pen& pen);
void DrawTable(Pen& pen);
void DrawUmbrella(Pen& pen);

}  // namespace inkstream::ingest
