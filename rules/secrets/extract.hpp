// Field-aware extraction: from the places where the literal matcher saw a naming word to (key, value) pairs as logs
// write them, and from there to hits. What comes out depends on the shape around the key:
//
//   key=value  "key":"value"  \"key\":\"value\"  key: value  <key>value</key>  --key value  key is value
//   SQL: IDENTIFIED BY 'v', PASSWORD 'v', key = crypt('v', …), INSERT INTO t (…, key) VALUES (…, 'v')
//   scheme://user:value@host   Authorization: Basic|Bearer v   <add key="key" value="v"/>   Pwd={v}
//   and the shapes without a key, which shapes.hpp reads: mysql -pv   AUTH PLAIN …   user/v@ORCL   sp_addlogin 'u', 'v'
//
// Work is linear in the record: keys and values have named limits, and what was read once as a value is not read again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/secrets/scanner.hpp"
#include "rules/secrets/vocabulary.hpp"

namespace tocsin::rules::secrets {

// What a literal leads to.
enum class StemKind : std::uint8_t { kKey, kIdentifiedBy, kUrl, kBearer, kBasic, kCommand, kInsert, kRedisAuth, kEncoded, kLogin, kCall };

struct StemHit {
  std::uint32_t start;
  std::uint32_t end;
  StemKind kind;
  bool inside_key = false;  // known to consist of bytes of a key only: no "ssn=", no "za id"
};

// A secret found, with its decoded text; the caller turns it into a Hit and forgets the text.
struct Found {
  FieldRule rule;
  Tier tier = Tier::kPattern;
  std::size_t start = 0;
  std::size_t end = 0;
  std::string secret;
  std::string note;
};

class Extractor {
 public:
  static constexpr std::size_t kMaxValue = 4096;    // longer values are cut there
  static constexpr std::size_t kShortValue = 96;    // … and there once a record's values were read four times over
  static constexpr std::size_t kMaxGap = 8;         // blanks between key, separator and value
  static constexpr std::size_t kMaxColumns = 200;   // of an INSERT
  static constexpr std::size_t kMaxRows = 1000;     // of an INSERT

  explicit Extractor(const Vocabulary& words, bool personal) : words_(words), personal_(personal) {}

  // The literals that the matcher must look for, with what they lead to. Lower case.
  [[nodiscard]] std::vector<std::pair<std::string, StemKind>> stems() const;

  // StemHit::inside_key of a stem's literal.
  [[nodiscard]] static bool is_inside_key(std::string_view literal) noexcept;

  // Whether a stem in a text of one or many records is worth run(): false only if run() would find nothing at it.
  // A stem whose key only speaks about a secret is left out; run() names those among its drops.
  [[nodiscard]] bool worth_reading(std::string_view text, const StemHit& stem) const;

  // Reads around each stem (ordered by end). Appends to `found`, and to `drops` if given.
  void run(std::string_view record, const std::vector<StemHit>& stems, std::vector<Found>& found, std::vector<Drop>* drops) const;

 private:
  const Vocabulary& words_;
  bool personal_;
};

}  // namespace tocsin::rules::secrets
