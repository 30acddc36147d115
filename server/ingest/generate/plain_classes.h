// Shapes and signs.
#pragma once

#include "server/ingest/generate/pen.h"

namespace inkstream::ingest {

void DrawCircle(Pen& pen);
void DrawSquare(Pen& pen);
void DrawTriangle(Pen& pen);
void DrawStar(Pen& pen);
void DrawLightning(Pen& pen);
void DrawSun(Pen& pen);
void DrawMoon(Pen& pen);
void DrawCloud(Pen& pen);
void DrawSmileyFace(Pen& pen);

}  // namespace inkstream::ingest
