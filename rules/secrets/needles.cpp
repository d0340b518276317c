// Needles from the tree of a regex: each way through the pattern is a row of byte classes with gaps; the best literal
// among the classes becomes the needle of that way.
#include "rules/secrets/needles.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "rules/secrets/byte_classes.hpp"
#include "rules/secrets/regex_tree.hpp"

namespace tocsin::rules::secrets {
namespace {

using Kind = RegexTree::Kind;

constexpr std::size_t kMaxWays = 64;      // through one pattern
constexpr std::size_t kMaxElements = 400;  // of one way; behind that it is a gap
constexpr std::size_t kMinLiteral = 2;

struct Element {
  enum class What : std::uint8_t { kClass, kEdge, kGap, kAssignment } what = What::kGap;
  std::bitset<128> bytes;
};
using Way = std::vector<Element>;
using Ways = std::vector<Way>;

const Element kGap{Element::What::kGap, {}};

bool same_texts(const RegexTree& a, const RegexTree& b) {
  return a.kind == b.kind && a.bytes == b.bytes && a.min == b.min && a.max == b.max &&
         std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(), same_texts);
}

// The three parts of the assignment as they are written in rules.
const std::vector<RegexTree>& assignment_parts() {
  static const std::vector<RegexTree> parts = [] {
    auto tree = read_regex(R"((?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,))");
    return tree->parts;
  }();
  return parts;
}

// Concatenations inside a concatenation, laid flat.
void lay_flat(const RegexTree& tree, std::vector<const RegexTree*>& out) {
  if (tree.kind != Kind::kConcat) {
    out.push_back(&tree);
    return;
  }
  for (const auto& part : tree.parts) lay_flat(part, out);
}

Ways ways_of(const RegexTree& tree);

void append(Ways& ways, const Ways& tails) {
  const auto cut = [](Way& way) {
    if (way.size() > kMaxElements) way.resize(kMaxElements), way.push_back(kGap);
  };
  if (tails.empty() || ways.size() * tails.size() > kMaxWays) {
    for (auto& way : ways) way.push_back(kGap);
    return;
  }
  Ways out;
  for (const auto& way : ways) {
    for (const auto& tail : tails) {
      out.push_back(way);
      out.back().insert(out.back().end(), tail.begin(), tail.end());
      cut(out.back());
    }
  }
  ways = std::move(out);
}

Ways ways_of_concat(const RegexTree& tree) {
  std::vector<const RegexTree*> parts;
  lay_flat(tree, parts);
  const auto& assignment = assignment_parts();
  Ways ways{Way{}};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool assigned = i + assignment.size() <= parts.size() &&
                          std::equal(assignment.begin(), assignment.end(), parts.begin() + static_cast<std::ptrdiff_t>(i),
                                     [](const RegexTree& a, const RegexTree* b) { return same_texts(a, *b); });
    if (assigned) {
      append(ways, {Way{Element{Element::What::kAssignment, {}}}});
      i += assignment.size() - 1;
      continue;
    }
    append(ways, ways_of(*parts[i]));
  }
  return ways;
}

// Empty = could be anything.
Ways ways_of(const RegexTree& tree) {
  switch (tree.kind) {
    case Kind::kClass:
      if (tree.wide && !tree.folded) return {};
      return {Way{Element{Element::What::kClass, tree.bytes}}};
    case Kind::kWordEdge: return {Way{Element{Element::What::kEdge, {}}}};
    case Kind::kBegin:
    case Kind::kEnd:
    case Kind::kEmpty: return {Way{}};
    case Kind::kConcat: return ways_of_concat(tree);
    case Kind::kAlt: {
      Ways out;
      for (const auto& part : tree.parts) {
        Ways ways = ways_of(part);
        if (ways.empty() || out.size() + ways.size() > kMaxWays) return {};
        out.insert(out.end(), ways.begin(), ways.end());
      }
      return out;
    }
    case Kind::kRepeat: {
      Ways once = ways_of(tree.parts.front());
      if (once.empty()) return {};
      if (tree.min == 0 && tree.max == 1) {
        once.push_back({});
        return once;
      }
      Ways out{Way{}};
      const int copies = std::min<int>(tree.min, static_cast<int>(Needle::kMaxWindow));
      for (int i = 0; i < copies; ++i) append(out, once);
      if (tree.max != copies) append(out, {});
      return out;
    }
  }
  return {};
}

// The letter or sign that the class stands for if it stands for one only, in lower case; else '\0'.
char single(const std::bitset<128>& bytes) {
  if (bytes.count() == 0 || bytes.count() > 2) return '\0';
  char found = '\0';
  for (int c = 0; c < 128; ++c) {
    if (!bytes[static_cast<std::size_t>(c)]) continue;
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : static_cast<char>(c);
    if (found != '\0' && found != lower) return '\0';
    found = lower;
  }
  return found;
}

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

Needle::Class widened(const std::bitset<128>& bytes) {
  Needle::Class out;
  for (std::size_t c = 0; c < 128; ++c) out[c] = bytes[c];
  return out;
}

// The best needle among the classes [first, last) of a way, all without gaps.
void consider(const Way& way, std::size_t first, std::size_t last, std::optional<Needle>& best) {
  using What = Element::What;
  const auto run_of = [&](std::size_t at) {
    std::size_t end = at;
    while (end < last && way[end].what == What::kClass && single(way[end].bytes) != '\0' && end - at < Needle::kMaxLiteral) ++end;
    return end;
  };
  for (std::size_t at = first; at < last; ++at) {
    if (at > first && way[at - 1].what == What::kClass && single(way[at - 1].bytes) != '\0') continue;
    const std::size_t end = run_of(at);
    if (end - at < kMinLiteral || (best && best->literal.size() >= end - at)) continue;
    Needle needle;
    for (std::size_t i = at; i < end; ++i) needle.literal += single(way[i].bytes);
    const auto look = [&](std::size_t i, int offset) {
      // The literal matcher does not regard case; both cases of a letter need no second look.
      const bool known = i >= at && i < end && way[i].bytes.count() == (is_letter(single(way[i].bytes)) ? 2U : 1U);
      if (!known) needle.around.push_back({offset, widened(way[i].bytes)});
    };
    while (at + needle.length < last && needle.length < Needle::kMaxWindow && way[at + needle.length].what == What::kClass) {
      look(at + needle.length, static_cast<int>(needle.length));
      ++needle.length;
    }
    while (at - needle.lead > first && needle.lead < Needle::kMaxWindow && way[at - needle.lead - 1].what == What::kClass) {
      ++needle.lead;
      look(at - needle.lead, -static_cast<int>(needle.lead));
    }
    needle.edge_before = needle.lead == 0 && at > first && way[at - 1].what == What::kEdge;
    needle.assigned = at + needle.length == last && last < way.size() && way[last].what == What::kAssignment;
    best = std::move(needle);
  }
}

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// Classes of the assignment, one bit each.
constexpr std::uint8_t kMiddle = 1;    // [ \t\w.-]
constexpr std::uint8_t kClosing = 2;   // [\s'"]
constexpr std::uint8_t kOperator = 4;  // = > : ,
constexpr std::array<std::uint8_t, 256> kKinds = [] {
  std::array<std::uint8_t, 256> out{};
  const auto mark = [&](std::string_view chars, std::uint8_t bit) {
    for (const char c : chars) out[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(out[static_cast<unsigned char>(c)] | bit);
  };
  mark(" \t.-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kMiddle);
  mark(" \t\n\f\r'\"", kClosing);
  mark("=>:,", kOperator);
  return out;
}();

}  // namespace

std::optional<std::string> Needle::exact() const {
  std::string out = literal;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (!is_letter(literal[i])) continue;
    const auto look = std::find_if(around.begin(), around.end(), [&](const Look& l) { return l.offset == static_cast<int>(i); });
    if (look == around.end()) return std::nullopt;
    if (!look->bytes[static_cast<unsigned char>(literal[i])]) out[i] = static_cast<char>(literal[i] - 'a' + 'A');
  }
  return out;
}

bool Needle::fits(std::string_view text, std::size_t end) const noexcept {
  return stands(text, end) && (!assigned || assignment_follows(text, end - literal.size() + length));
}

bool Needle::stands(std::string_view text, std::size_t end) const noexcept {
  const std::size_t start = end - literal.size();
  if (start + length > text.size() || lead > start) return false;
  const char* const origin = text.data() + start;
  for (const auto& [offset, bytes] : around) {
    if (!bytes[static_cast<unsigned char>(origin[offset])]) return false;
  }
  return !(edge_before && start > 0 && is_word(text[start - 1]) == is_word(text[start]));
}

std::vector<Needle> needles_of(std::string_view pattern) {
  const auto tree = read_regex(pattern);
  if (!tree) return {};
  std::vector<Needle> out;
  for (const auto& way : ways_of(*tree)) {
    std::optional<Needle> best;
    std::size_t first = 0;
    const auto ends = [](const Element& e) { return e.what == Element::What::kGap || e.what == Element::What::kAssignment; };
    for (std::size_t i = 0; i <= way.size(); ++i) {
      if (i < way.size() && !ends(way[i])) continue;
      consider(way, first, i, best);
      first = i + 1;
    }
    if (!best) return {};
    if (std::find(out.begin(), out.end(), *best) == out.end()) out.push_back(std::move(*best));
  }
  return out;
}

Assignment assignment_at(std::string_view text, std::size_t at) noexcept {
  constexpr std::size_t kMaxMiddle = 20;
  constexpr std::size_t kMaxClosing = 3;
  const char* const bytes = text.data();
  const std::size_t size = text.size();
  const auto kind = [&](std::size_t k) { return kKinds[static_cast<unsigned char>(bytes[k])]; };
  std::size_t i = at;
  const std::size_t middle = std::min(size, at + kMaxMiddle);
#if defined(__SSE2__)
  if (at + 16 <= size) {
    const __m128i data = sixteen(bytes + at);
    const __m128i blanks = _mm_or_si128(_mm_cmpeq_epi8(data, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(data, _mm_set1_epi8('\t')));
    i += static_cast<std::size_t>(__builtin_ctz(~mask_of(_mm_or_si128(name_bytes(data), blanks))));  // at most 16, less than kMaxMiddle
  }
#endif
  while (i < middle && (kind(i) & kMiddle) != 0) ++i;
  Assignment out;
  // What the limit did not cut short ends at the same place wherever it was entered.
  if (i < at + kMaxMiddle) out.same_until = i;
  const std::size_t closing = std::min(size, i + kMaxClosing);
  while (i < closing && (kind(i) & kClosing) != 0) ++i;
  if (i >= size) return out;
  const char next = i + 1 < size ? bytes[i + 1] : '\0';
  if ((kind(i) & kOperator) != 0 || (bytes[i] == '|' && next == '|') || (bytes[i] == '?' && next == '=')) out.op = i;
  return out;
}

bool has_folding_beyond_ascii(std::string_view text) noexcept {
  for (const auto mark : {kLongS, kKelvin, kDottedI}) {
    if (text.find(mark) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace tocsin::rules::secrets
