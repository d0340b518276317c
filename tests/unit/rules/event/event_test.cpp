// JSON in, the same JSON out; what is refused; and that the arena keeps what it gives.
#include <gtest/gtest.h>

#include <string>

#include "rules/event.hpp"
#include "rules/json_event.hpp"

namespace tocsin::rules {
namespace {

std::string round_trip(std::string_view text) {
  Arena arena(64);  // small blocks, so that several are needed
  const auto value = parse_json(text, arena);
  if (!value) return "error: " + value.error().message;
  std::string out;
  write_json(*value, out);
  return out;
}

TEST(JsonEvent, KeepsWhatTheTextSays) {
  struct Row { const char* name; const char* in; const char* out; };
  const Row rows[] = {
      {"scalars", R"( [null,true,false,1,-7,1.5,"x",""] )", R"([null,true,false,1,-7,1.5,"x",""])"},
      {"order and repeated names", R"({"b":1,"a":2,"b":3})", R"({"b":1,"a":2,"b":3})"},
      {"nesting", R"({"a":[{"b":{"c":[]}},{}]})", R"({"a":[{"b":{"c":[]}},{}]})"},
      {"escapes", R"(["\u00e9\n\"\\\/\u0001"])", "[\"é\\n\\\"\\\\/\\u0001\"]"},
      {"largest integer", "[9223372036854775807]", "[9223372036854775807]"},
      {"beyond it", "[18446744073709551615]", "[18446744073709551616]"},
      {"a lone scalar", "\"text\"", "\"text\""},
  };
  for (const Row& row : rows) EXPECT_EQ(round_trip(row.in), row.out) << row.name;
}

TEST(JsonEvent, RefusesWithTheReason) {
  const auto code = [](std::string_view text) {
    Arena arena;
    const auto value = parse_json(text, arena);
    return value ? Errc::kInternal : value.error().code;
  };
  EXPECT_EQ(code(""), Errc::kInvalid);
  EXPECT_EQ(code("{\"a\":"), Errc::kInvalid);
  EXPECT_EQ(code("{} {}"), Errc::kInvalid);
  EXPECT_EQ(code("[\"\xff\"]"), Errc::kInvalid);
  EXPECT_EQ(code("[1e999]"), Errc::kInvalid);
  EXPECT_EQ(code(std::string(63, '[') + std::string(63, ']')), Errc::kInternal) << "63 levels are fine";
  EXPECT_EQ(code(std::string(100, '[') + std::string(100, ']')), Errc::kTooLarge);
  EXPECT_EQ(code(std::string(1000000, '[') + std::string(1000000, ']')), Errc::kTooLarge) << "and no stack is used up";
}

TEST(JsonEvent, ALargeDocumentIsReadWhole) {
  std::string text = "[";
  for (int i = 0; i < 300000; ++i) text += R"({"name":"event","n":)" + std::to_string(i) + "},";
  text.back() = ']';
  EXPECT_EQ(round_trip(text), text);
}

TEST(Arena, ResetKeepsTheMemoryAndOldTextIsNotNeededAnyMore) {
  Arena arena(64);
  for (int round = 0; round < 3; ++round) {
    std::string long_text(1000, 'x');
    const std::string_view kept = arena.copy(long_text);
    const auto numbers = arena.make<std::int64_t>(100);
    long_text.assign(1000, 'y');
    EXPECT_EQ(kept, std::string(1000, 'x'));
    EXPECT_EQ(numbers[99], 0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(numbers.data()) % alignof(std::int64_t), 0U);
    numbers[99] = 7;
    arena.reset();
  }
}

}  // namespace
}  // namespace tocsin::rules
