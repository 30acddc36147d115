#include "server/ingest/generate/class_catalog.h"

#include "server/ingest/generate/living_classes.h"
#include "server/ingest/generate/object_classes.h"
#include "server/ingest/generate/plain_classes.h"

namespace inkstream::ingest {
namespace {

constexpr DrawingClass kCatalog[] = {
    {"circle", DrawCircle},
    {"house", DrawHouse},
    {"star", DrawStar},
    {"fish", DrawFish},
    {"ladder", DrawLadder},
    {"sun", DrawSun},
    {"car", DrawCar},
    {"umbrella", DrawUmbrella},
    {"lightning", DrawLightning},
    {"envelope", DrawEnvelope},
    {"triangle", DrawTriangle},
    {"square", DrawSquare},
    {"cat", DrawCat},
    {"tree", DrawTree},
    {"flower", DrawFlower},
    {"clock", DrawClock},
    {"cup", DrawCup},
    {"ice cream", DrawIceCream},
    {"smiley face", DrawSmileyFace},
    {"table", DrawTable},
    {"door", DrawDoor},
    {"key", DrawKey},
    {"mushroom", DrawMushroom},
    {"sailboat", DrawSailboat},
    {"apple", DrawApple},
    {"bicycle", DrawBicycle},
    {"cloud", DrawCloud},
    {"moon", DrawMoon},
    {"eyeglasses", DrawEyeglasses},
    {"lollipop", DrawLollipop},
};

}  // namespace

absl::Span<const DrawingClass> ClassCatalog() { return kCatalog; }

}  // namespace inkstream::ingest
