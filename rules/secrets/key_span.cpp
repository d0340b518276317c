// How far a key reaches on both sides of the naming word that was seen in it.
#include <array>

#include "rules/secrets/byte_classes.hpp"
#include "rules/secrets/extract_reader.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::array<bool, 256> kKeyBytes = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = is_key(static_cast<char>(c));
  return out;
}();

#if defined(__SSE2__)
// The same where nothing is unusual: fewer than sixteen bytes of ASCII before and behind the stem, and no escape.
bool short_key_span(std::string_view text, const StemHit& stem, KeySpan& key) {
  if (!stem.inside_key || stem.start < 16 || stem.end + 16U > text.size()) return false;
  const __m128i before = sixteen(text.data() + stem.start - 16);
  const __m128i behind = sixteen(text.data() + stem.end);
  const unsigned not_before = ~mask_of(_mm_or_si128(name_bytes(before), before)) & 0xffffU;  // a high byte counts as one of a key
  const unsigned not_behind = ~mask_of(_mm_or_si128(name_bytes(behind), behind)) & 0xffffU;
  if (not_before == 0 || not_behind == 0) return false;
  const auto front = static_cast<std::uint32_t>(__builtin_clz(not_before) - 16);
  const auto back = static_cast<std::uint32_t>(__builtin_ctz(not_behind));
  if ((mask_of(behind) & ((1U << back) - 1)) != 0) return false;
  key = {stem.start - front, stem.end + back};
  const char* const bytes = text.data();
  const char left = bytes[key.start - 1];
  if (left == '%' || left == '\\') return false;
  while (key.start < stem.start && (bytes[key.start] == '-' || bytes[key.start] == '.')) ++key.start;
  while (key.end > stem.end && (bytes[key.end - 1] == '-' || bytes[key.end - 1] == '.')) --key.end;
  return true;
}
#endif

}  // namespace

KeySpan key_span(std::string_view text, const StemHit& stem) {
#if defined(__SSE2__)
  if (KeySpan key{}; short_key_span(text, stem, key)) return key;
#endif
  const char* const bytes = text.data();
  const auto in_key = [&](std::size_t i) { return kKeyBytes[static_cast<unsigned char>(bytes[i])]; };
  KeySpan key{stem.start, stem.end};
  // A stem may bring what ends the key: "ssn=", "sin is ".
  static constexpr std::string_view kTails[] = {" is ", "%3d", "%3D", "\\\"", ")=", " =", "=", ":", "\"", "'", ">"};
  for (const std::string_view tail : kTails) {
    if (text[key.end - 1] == tail.back() && text.substr(key.start, key.end - key.start).ends_with(tail)) {
      key.end -= tail.size();
      break;
    }
  }
  if (key.end - key.start > 2 && is_digit(text[key.end - 1]) && text[key.end - 2] == ' ') key.end -= 2;
  const std::size_t stem_end = key.end;
  // Words with a blank between are a key of their own: "za id", but not the end and the start of two others.
  if (text.substr(key.start, stem_end - key.start).find(' ') != std::string_view::npos) {
    const bool joined = (key.start > 0 && is_key(text[key.start - 1]) && text[key.start - 1] != '-' && text[key.start - 1] != '.') || (stem_end < text.size() && is_name(text[stem_end]));
    if (joined) return {stem.start, stem.start};
  }
  const std::size_t least = stem.start > Vocabulary::kMaxKey ? stem.start - Vocabulary::kMaxKey : 0;
  const std::size_t most = std::min(text.size(), stem_end + Vocabulary::kMaxKey);
  if (in_key(key.start)) {
    while (key.start > least && in_key(key.start - 1)) --key.start;
  } else {
    ++key.start;  // "&pw=" brings what stands before the key
  }
  while (key.end < most && in_key(key.end)) ++key.end;
  // "%3Fpassword", "\npassword", "\u0022password": what the expansion swallowed of an escape is no part of the key.
  if (key.start >= 1 && text[key.start - 1] == '%' && key.start + 2 <= stem.start) key.start += 2;
  if (key.start >= 1 && text[key.start - 1] == '\\' && key.start < stem.start) {
    key.start += text[key.start] == 'u' && key.start + 5 <= stem.start ? 5U : 1U;
  }
  // The full-width colon ends a key as ':' does.
  const auto wide = text.substr(stem_end, key.end - stem_end).find("\uff1a");
  if (wide != std::string_view::npos) key.end = stem_end + wide;
  while (key.start < stem.start && (text[key.start] == '-' || text[key.start] == '.')) ++key.start;
  while (key.end > stem_end && (text[key.end - 1] == '-' || text[key.end - 1] == '.')) --key.end;
  return key;
}

}  // namespace tocsin::rules::secrets
