// Matching cuts the pattern at its "*": the first and the last piece are anchored, those between are found leftmost,
// which is exact because every piece has a fixed length in code points.
#include "rules/sigma/pattern.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "rules/sigma/find.hpp"
#include "rules/sigma/fold.hpp"

namespace tocsin::rules::sigma {
namespace {

void add_text(Tokens& tokens, std::string_view text) {
  if (tokens.empty() || tokens.back().kind != Token::Kind::kText) tokens.push_back({Token::Kind::kText, {}});
  tokens.back().text += text;
}

void add_wildcard(Tokens& tokens, Token::Kind kind) {
  if (kind == Token::Kind::kMany && !tokens.empty() && tokens.back().kind == kind) return;
  tokens.push_back({kind, {}});
}

bool word(std::string_view text, std::size_t at) noexcept {
  const auto c = static_cast<unsigned char>(text[at]);
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         (c >= 0x80 && dash_length(text.substr(at)) == 0);
}

}  // namespace

Tokens parse_tokens(std::string_view value) {
  Tokens tokens;
  bool escaped = false;
  for (const char c : value) {
    const std::string_view one(&c, 1);
    if (escaped) {
      escaped = false;
      if (c != '*' && c != '?' && c != '\\') add_text(tokens, "\\");
      add_text(tokens, one);
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '*') {
      add_wildcard(tokens, Token::Kind::kMany);
    } else if (c == '?') {
      add_wildcard(tokens, Token::Kind::kOne);
    } else {
      add_text(tokens, one);
    }
  }
  if (escaped) add_text(tokens, "\\");
  return tokens;
}

bool has_wildcard(const Tokens& tokens) noexcept {
  return std::any_of(tokens.begin(), tokens.end(), [](const Token& t) { return t.kind != Token::Kind::kText; });
}

std::string plain_text(const Tokens& tokens) {
  std::string text;
  for (const Token& token : tokens) text += token.text;
  return text;
}

std::string unparse(const Tokens& tokens) {
  std::string value;
  for (const Token& token : tokens) {
    if (token.kind == Token::Kind::kOne) value += '?';
    if (token.kind == Token::Kind::kMany) value += '*';
    for (const char c : token.text) {
      if (c == '*' || c == '?' || c == '\\') value += '\\';
      value += c;
    }
  }
  return value;
}

void open_ends(Tokens& tokens, bool before, bool after) {
  if (before && (tokens.empty() || tokens.front().kind != Token::Kind::kMany)) {
    tokens.insert(tokens.begin(), Token{Token::Kind::kMany, {}});
  }
  if (after) add_wildcard(tokens, Token::Kind::kMany);
}

std::size_t dash_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  if (text[0] == '-' || text[0] == '/') return 1;
  // U+2013, U+2014, U+2015
  if (text.size() >= 3 && text[0] == '\xE2' && text[1] == '\x80' && text[2] >= '\x93' && text[2] <= '\x95') return 3;
  return 0;
}

bool varied_dash(std::string_view text, std::size_t at, std::size_t& length) noexcept {
  length = dash_length(text.substr(at));
  if (length == 0 || at + length >= text.size() || !word(text, at + length)) return false;
  if (at == 0) return true;
  std::size_t before = at - 1;  // back to the start of the character before
  while (before > 0 && (static_cast<unsigned char>(text[before]) & 0xC0) == 0x80) --before;
  return !word(text, before);
}

Pattern::Pattern(const Tokens& tokens, bool cased, bool windash) {
  if (tokens.empty()) return;
  open_start_ = tokens.front().kind == Token::Kind::kMany;
  open_end_ = tokens.back().kind == Token::Kind::kMany;
  Segment segment;
  const auto put = [&](std::string_view bytes, char kind) {
    segment.bytes += bytes;
    segment.kinds.append(bytes.size(), kind);
    segment.shortest += bytes.size();
  };
  const auto close = [&] {
    if (segment.bytes.empty()) return;
    if (segment.kinds.find_first_not_of(static_cast<char>(kByte)) == std::string::npos) segment.kinds.clear();
    segments_.push_back(std::exchange(segment, {}));
  };
  for (const Token& token : tokens) {
    if (token.kind == Token::Kind::kMany) close();
    if (token.kind == Token::Kind::kOne) put("?", kAnyOne);
    if (token.kind != Token::Kind::kText) continue;
    std::size_t plain = 0;
    std::size_t at = 0;
    const auto flush = [&] {
      const std::string_view piece = std::string_view(token.text).substr(plain, at - plain);
      put(cased ? std::string(piece) : folded(piece), kByte);
    };
    while (windash && at < token.text.size()) {
      std::size_t length = 0;
      if (varied_dash(token.text, at, length)) {
        flush();
        put("-", kDash);
        at += length;
        plain = at;
      } else {
        at += step(std::string_view(token.text).substr(at));
      }
    }
    at = token.text.size();
    flush();
  }
  close();
}

std::size_t Pattern::match_at(const Segment& segment, std::string_view text, std::size_t at) noexcept {
  if (segment.kinds.empty()) {
    if (text.size() - at < segment.bytes.size()) return kNone;
    if (std::memcmp(text.data() + at, segment.bytes.data(), segment.bytes.size()) != 0) return kNone;
    return at + segment.bytes.size();
  }
  for (std::size_t i = 0; i < segment.bytes.size(); ++i) {
    if (at >= text.size()) return kNone;
    switch (segment.kinds[i]) {
      case kAnyOne: at += step(text.substr(at)); break;
      case kDash: {
        const std::size_t length = dash_length(text.substr(at));
        if (length == 0) return kNone;
        at += length;
        break;
      }
      default:
        if (text[at] != segment.bytes[i]) return kNone;
        ++at;
    }
  }
  return at;
}

std::size_t Pattern::find(const Segment& segment, std::string_view text, std::size_t at) noexcept {
  if (segment.kinds.empty()) {
    if (text.size() - at < segment.bytes.size()) return kNone;
    const std::size_t found = find_in(text, segment.bytes, at);
    return found == std::string_view::npos ? kNone : found + segment.bytes.size();
  }
  while (at + segment.shortest <= text.size()) {
    const std::size_t end = match_at(segment, text, at);
    if (end != kNone) return end;
    at += step(text.substr(at));
  }
  return kNone;
}

bool Pattern::match_end(const Segment& segment, std::string_view text, std::size_t from) noexcept {
  if (segment.kinds.empty()) {
    return text.size() - from >= segment.bytes.size() && text.ends_with(segment.bytes);
  }
  for (std::size_t at = from; at + segment.shortest <= text.size(); at += step(text.substr(at))) {
    if (match_at(segment, text, at) == text.size()) return true;
  }
  return false;
}

bool Pattern::matches(std::string_view text) const noexcept {
  if (segments_.empty()) return open_start_ || text.empty();
  std::size_t at = 0;
  std::size_t first = 0;
  std::size_t last = segments_.size();
  if (!open_start_) {
    at = match_at(segments_.front(), text, 0);
    if (at == kNone) return false;
    first = 1;
    if (last == 1) return open_end_ || at == text.size();
  }
  if (!open_end_) --last;
  for (std::size_t i = first; i < last; ++i) {
    at = find(segments_[i], text, at);
    if (at == kNone) return false;
  }
  return open_end_ || match_end(segments_.back(), text, at);
}

std::vector<Pattern::Piece> Pattern::pieces() const {
  std::vector<Piece> pieces;
  for (std::size_t s = 0; s < segments_.size(); ++s) {
    const Segment& segment = segments_[s];
    const std::string_view bytes = segment.bytes;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= bytes.size(); ++i) {
      const bool literal = i < bytes.size() && (segment.kinds.empty() || segment.kinds[i] == kByte);
      if (literal) continue;
      if (i > begin) {
        pieces.push_back({bytes.substr(begin, i - begin), s == 0 && begin == 0 && !open_start_,
                          s + 1 == segments_.size() && i == bytes.size() && !open_end_});
      }
      begin = i + 1;
    }
  }
  return pieces;
}

Pattern::Piece Pattern::only() const noexcept {
  if (segments_.size() != 1 || !segments_.front().kinds.empty() || open_start_ == open_end_) return {};
  return {segments_.front().bytes, open_end_, open_start_};
}

}  // namespace tocsin::rules::sigma
