// Our walk over simdjson's token places must accept, read and refuse exactly what simdjson's DOM does: over documents
// that a generator writes, and over the same documents damaged. TOCSIN_LONG=n multiplies the work; TOCSIN_SEED repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "rules/json_event.hpp"
#include "tests/oracle/json_oracle.hpp"

namespace tocsin::rules {
namespace {

class Writer {
 public:
  explicit Writer(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_()) % n; }
  std::string document() {
    std::string out;
    value(out, 0);
    return out;
  }
  // One edit of a byte: changed, removed, put in, or the rest cut off.
  std::string damaged(std::string text) {
    constexpr std::string_view kBytes = "{}[]\",:\\ \n0123456789-+.eEtrufalsn\x01\xC3\xFF";
    const std::size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0: return text.insert(at, 1, kBytes[below(kBytes.size())]);
      case 1: return text.erase(std::min(at, text.size() - 1), 1);
      case 2: text[std::min(at, text.size() - 1)] = kBytes[below(kBytes.size())]; return text;
      default: return text.substr(0, at);
    }
  }

 private:
  void space(std::string& out) {
    static constexpr std::array<const char*, 6> kSpace = {"", "", "", " ", "\n  ", "\t\r\n"};
    out += kSpace[below(kSpace.size())];
  }
  void string(std::string& out) {
    static constexpr std::array<const char*, 14> kPieces = {"a",       "Zürich", "\\\\", "\\\"",   "\\n",        "\\u00e9", "\\ud83d\\ude00",
                                                            "\\ud800", "\\x",    "C:\\\\Windows\\\\System32\\\\cmd.exe", "/open", "   ", "{[,:]}", "0123456789abcdef0123456789abcdef0123456789"};
    out += '"';
    for (std::size_t n = below(4); n > 0; --n) out += kPieces[below(below(10) == 0 ? kPieces.size() : 7)];
    out += '"';
  }
  void number(std::string& out) {
    static constexpr std::array<const char*, 30> kNumbers = {
        "0", "-0", "1", "-7", "10", "00", "01", "-", "1.5", "-1.5e10", "1e5", "1E+5", "1e-5", "1.", ".5", "1e", "9223372036854775807",
        "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "999999999999999999",
        "1e999", "1e-999", "0.1e-400", "123456789012345678901234567890", "1.7976931348623157e308", "0.30000000000000004", "1x"};
    if (below(2) == 0) out += std::to_string(static_cast<std::int64_t>(random_()) >> static_cast<int>(below(64)));
    else out += kNumbers[below(below(4) == 0 ? kNumbers.size() : 5)];
  }
  void value(std::string& out, int depth) {
    static constexpr std::array<const char*, 6> kWords = {"true", "false", "null", "nul", "truex", "True"};
    space(out);
    const std::size_t what = below(depth > 5 ? 6 : 10);
    if (what < 3) {
      string(out);
    } else if (what < 5) {
      number(out);
    } else if (what == 5) {
      out += kWords[below(below(8) == 0 ? kWords.size() : 3)];
    } else {
      const bool object = what < 8;
      out += object ? '{' : '[';
      const std::size_t count = below(5);
      for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) out += ',';
        if (object) {
          space(out);
          string(out);
          space(out);
          out += ':';
        }
        value(out, depth + 1);
      }
      space(out);
      out += object ? '}' : ']';
    }
    space(out);
  }

  std::mt19937_64 random_;
};

std::string read(const std::string& text) {
  Arena arena(64);
  // A copy of exactly the right size, so that a sanitizer sees a step too far.
  const auto exact = std::make_unique<char[]>(std::max<std::size_t>(text.size(), 1));
  std::copy(text.begin(), text.end(), exact.get());
  const auto value = parse_json({exact.get(), text.size()}, arena);
  if (!value) return "refused " + std::to_string(static_cast<int>(value.error().code));
  std::string out;
  write_json(*value, out);
  return out;
}
std::string wanted(const std::string& text) {
  const JsonVerdict verdict = oracle_json(text);
  return verdict.text ? *verdict.text : "refused " + std::to_string(static_cast<int>(verdict.code));
}

TEST(JsonOracle, AgreesOnGeneratedAndDamagedDocuments) {
  const char* named = std::getenv("TOCSIN_SEED");
  const std::uint64_t seed = named != nullptr ? std::strtoull(named, nullptr, 10) : 20261123;
  std::printf("seed %llu (TOCSIN_SEED)\n", static_cast<unsigned long long>(seed));
  const char* longer = std::getenv("TOCSIN_LONG");
  const std::size_t rounds = 20000 * (longer != nullptr ? std::max<std::size_t>(1, std::strtoull(longer, nullptr, 10)) : 1);
  Writer writer(seed);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    std::string text = writer.document();
    for (std::size_t edits = writer.below(4); edits > 0 && !text.empty(); --edits) text = writer.damaged(std::move(text));
    const std::string ours = read(text);
    ASSERT_EQ(ours, wanted(text)) << text;
    if (!ours.starts_with("refused ")) ++accepted;
  }
  EXPECT_GT(accepted, rounds / 10);
  EXPECT_LT(accepted, rounds * 9 / 10);
}

TEST(JsonOracle, AgreesOnEdges) {
  const std::string deep62 = std::string(62, '[') + "{\"a\":1}" + std::string(62, ']');
  const std::string deep63 = std::string(63, '[') + "{\"a\":1}" + std::string(63, ']');
  for (const std::string& text : {std::string("1"), std::string("-"), std::string("\""), std::string("\"\\"), std::string("\"\\\""), std::string(" "),
                                  std::string("{"), std::string("[1"), std::string("[1,"), std::string("{\"a\""), std::string("{\"a\":1,}"),
                                  std::string("\"a\"\"b\""), std::string("1\"a\""), std::string("\"a\"1"), std::string("true false"), std::string("]"),
                                  std::string("[1]]"), std::string("{\"a\":\"b\\\\\"}"), std::string("[\"\\u12\"]"), std::string("\0", 1),
                                  std::string("[\"a\0b\"]", 7), std::string("\xEF\xBB\xBF{}"), deep62, deep63}) {
    EXPECT_EQ(read(text), wanted(text)) << text;
  }
}

}  // namespace
}  // namespace tocsin::rules
