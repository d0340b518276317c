// Bounded decoders: whatever comes in, no more than kMaxUnpacked comes out.
#include "rules/secrets/layers.hpp"

#include <zlib.h>

#include <algorithm>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::rules::secrets {
namespace {

int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_readable(std::string_view text) {
  return is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return (byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f;
         });
}

}  // namespace

std::optional<std::string> decode_hex_text(std::string_view text) {
  if (text.size() % 2 != 0 || text.size() / 2 > kMaxUnpacked) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return is_readable(out) ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> decode_gzip_text(std::string_view base64) {
  while (!base64.empty() && base64.back() == '=') base64.remove_suffix(1);
  // Cut short, it still begins with something: whole groups of four are enough.
  std::string padded;
  for (const char c : base64.substr(0, base64.size() % 4 == 1 ? base64.size() - 1 : base64.size())) padded += c == '-' ? '+' : c == '_' ? '/' : c;
  while (padded.size() % 4 != 0) padded += '=';
  auto packed = from_base64(padded);
  if (!packed || packed->size() < 18) return std::nullopt;
  z_stream stream{};
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return std::nullopt;
  std::string out(kMaxUnpacked, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(packed->data());
  stream.avail_in = static_cast<uInt>(packed->size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_SYNC_FLUSH);
  out.resize(kMaxUnpacked - stream.avail_out);
  (void)inflateEnd(&stream);
  if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return std::nullopt;
  // A character may have been cut in two at the limit.
  for (int cut = 0; cut < 3 && !out.empty() && !is_utf8(out); ++cut) out.pop_back();
  return !out.empty() && is_readable(out) ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace tocsin::rules::secrets
