// The entropy itself, and the quick comparison: whole numbers from a table are added up, one per byte.
#include "rules/secrets/entropy.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <map>

#include "rules/base/text.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kMost = 256;            // longer texts are counted the plain way
constexpr double kScale = 1LL << 44;          // a bit of entropy in the table's whole numbers
constexpr double kRounding = 1e-9;            // nearer to the limit the plain way has the word

struct Tables {
  std::array<std::int64_t, kMost> growth{};   // of n·log2(n), times kScale, when n becomes n + 1
  std::array<double, kMost> logarithm{};      // log2(n)
  Tables() {
    const auto product = [](double n) { return n == 0 ? 0 : n * std::log2(n); };
    for (std::size_t n = 0; n < kMost; ++n) {
      growth[n] = std::llround((product(static_cast<double>(n) + 1) - product(static_cast<double>(n))) * kScale);
      logarithm[n] = n == 0 ? 0 : std::log2(static_cast<double>(n));
    }
  }
};
const Tables kTables;

}  // namespace

double entropy(std::string_view text) {
  if (text.empty()) return 0;
  std::array<std::uint32_t, 128> ascii{};
  std::map<char32_t, std::uint32_t> counts;  // of the runes beyond
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++ascii[lead];
      ++i;
      continue;
    }
    const std::size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length == 0 || i + length > text.size() || !is_utf8(text.substr(i, length))) {
      ++counts[0xfffd];
      ++i;
      continue;
    }
    char32_t rune = lead & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) rune = rune << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3f);
    ++counts[rune];
    i += length;
  }
  double bits = 0;
  const auto add = [&](std::uint32_t count) {
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    if (count > 0) bits -= share * std::log2(share);
  };
  for (const std::uint32_t count : ascii) add(count);
  for (const auto& [rune, count] : counts) add(count);
  return bits;
}

bool entropy_above(std::string_view text, double limit) {
  if (text.empty() || text.size() >= kMost) return entropy(text) > limit;
  const double most = kTables.logarithm[text.size()];  // were all bytes different
  if (most < limit - kRounding) return false;
  // The entropy is log2(size) − Σ n·log2(n) / size over the counts n.
  std::array<std::uint8_t, 256> counts{};
  std::uint8_t* const count = counts.data();
  const std::int64_t* const grows = kTables.growth.data();
  std::int64_t sum = 0;
  unsigned char seen = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    seen = static_cast<unsigned char>(seen | byte);
    sum += grows[count[byte]++];
  }
  if (seen >= 0x80) return entropy(text) > limit;  // runes are counted, not bytes
  const double bits = most - static_cast<double>(sum) / (kScale * static_cast<double>(text.size()));
  return std::abs(bits - limit) > kRounding ? bits > limit : entropy(text) > limit;
}

}  // namespace tocsin::rules::secrets
