#include "tests/oracle/secrets_generator.hpp"

#include <algorithm>
#include <array>

namespace tocsin::rules::secrets {
namespace {

std::size_t below(std::mt19937& random, std::size_t n) { return n == 0 ? 0 : random() % n; }

void append_sample(const RegexTree& tree, std::mt19937& random, std::string& out) {
  using Kind = RegexTree::Kind;
  switch (tree.kind) {
    case Kind::kClass: {
      std::vector<char> choice;
      // Visible characters where there are any, so that samples look like logs.
      for (int c = 33; c < 127; ++c) {
        if (tree.bytes[static_cast<std::size_t>(c)]) choice.push_back(static_cast<char>(c));
      }
      if (choice.empty()) {
        for (int c = 0; c < 128; ++c) {
          if (tree.bytes[static_cast<std::size_t>(c)]) choice.push_back(static_cast<char>(c));
        }
      }
      if (!choice.empty()) out += choice[below(random, choice.size())];
      return;
    }
    case Kind::kConcat:
      for (const auto& part : tree.parts) append_sample(part, random, out);
      return;
    case Kind::kAlt: append_sample(tree.parts[below(random, tree.parts.size())], random, out); return;
    case Kind::kRepeat: {
      const int most = tree.max == RegexTree::kUnbounded ? tree.min + 12 : tree.max;
      const int spread = std::min(most - tree.min, below(random, 8) == 0 ? 60 : 4);
      const int times = tree.min + static_cast<int>(below(random, static_cast<std::size_t>(spread) + 1));
      for (int i = 0; i < times; ++i) append_sample(tree.parts.front(), random, out);
      return;
    }
    case Kind::kWordEdge:
    case Kind::kBegin:
    case Kind::kEnd:
    case Kind::kEmpty: return;
  }
}

}  // namespace

std::string sample_of(const RegexTree& tree, std::mt19937& random) {
  std::string out;
  append_sample(tree, random, out);
  return out;
}

std::string in_a_line(const std::string& sample, const std::vector<std::string>& keywords, std::mt19937& random) {
  const std::string keyword = keywords.empty() ? "x" : keywords[below(random, keywords.size())];
  switch (below(random, 12)) {
    case 0: return sample;
    case 1: return R"({"time":"2026-11-23","msg":")" + sample + R"(","n":1})";
    case 2: return "level=info value=" + sample + " took=3ms";
    case 3: return "GET /x?" + keyword + "=" + sample + "&page=2 HTTP/1.1";
    case 4: return "UPDATE t SET " + keyword + " = '" + sample + "' WHERE id = 7";
    case 5: return "Authorization: Bearer " + sample;
    case 6: return keyword + ": " + sample + "\nnext line " + keyword;
    case 7: return "  " + sample + "\n" + sample;
    case 8: return keyword + " " + keyword + "_key=\"" + sample + "\"; done";
    case 9: return "before\n" + sample + "\nafter " + keyword;
    case 10: return "api_key='" + sample + "' # " + keyword + (below(random, 6) == 0 ? " gitleaks:allow" : "");
    default: return "{\\\"" + keyword + "\\\":\\\"" + sample + "\\\"}\\n";
  }
}

std::string damaged(std::string text, std::mt19937& random) {
  for (std::size_t n = 1 + below(random, 3); n > 0 && !text.empty(); --n) {
    const std::size_t at = below(random, text.size());
    switch (below(random, 8)) {
      case 0: text.erase(at, 1); break;
      case 1: text.insert(at, 1, text[at]); break;
      case 2: text[at] = static_cast<char>(32 + below(random, 95)); break;
      case 3: text[at] = static_cast<char>(text[at] ^ (text[at] >= 'A' && text[at] <= 'z' ? 0x20 : 0)); break;
      case 4: text.insert(at, 1, "\n ='\";:>,|?"[below(random, 11)]); break;
      case 5: text.erase(at, below(random, text.size() - at) + 1); break;
      case 6: {
        static constexpr std::array<const char*, 6> kOdd = {"\xe2\x84\xaa", "\xc5\xbf", "\xc4\xb0", "\xc3\xa9", "\xff", "\xe2\x82"};
        text.insert(at, kOdd[below(random, kOdd.size())]);
        break;
      }
      default: text += text.substr(at, 60); break;
    }
  }
  return text;
}

std::string assignment_soup(std::mt19937& random) {
  static constexpr std::array<const char*, 56> kPieces = {
      "key", "KEY", "api", "Api", "aPi", "API", "auth", "access", "token", "secret", "creds", "credential", "passwd", "password", "passw",
      "_", "-", ".", " ", "\t", "\n", "\r", "\"", "'", "`", "=", ":", "::", ":::=", "::=", "=>", "||", "|", "?=", "?", ",", ">", ";", "\\n", "\\r", "\\N", "\\",
      "/", "+", "==", "===", "====", "id", "x", "false", "null", "$", "{", "}", "&", "EXAMPLE"};
  std::string out;
  const std::size_t count = 1 + below(random, 24);
  for (std::size_t i = 0; i < count; ++i) {
    if (below(random, 4) == 0) {
      static constexpr std::string_view kChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-+/=";
      const std::size_t alphabet = below(random, 2) == 0 ? 62 : kChars.size();
      const std::size_t length = below(random, 10) == 0 ? 140 + below(random, 20) : below(random, 26);
      for (std::size_t k = 0; k < length; ++k) out += kChars[below(random, alphabet)];
    } else {
      out += kPieces[below(random, kPieces.size())];
    }
  }
  return out;
}

}  // namespace tocsin::rules::secrets
