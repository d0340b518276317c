// zlib's inflate, in pieces, with the two limits looked at after each piece.
#include "engine/intake/gunzip.hpp"

#define ZLIB_CONST  // zlib then takes its input as const
#include <zlib.h>

namespace tocsin::engine {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::uint64_t kRatioFrom = 16ULL << 20;  // small files may have any ratio

std::string number(std::uint64_t n) { return std::to_string(n); }

}  // namespace

struct Gunzip::State {
  GzipLimits limits;
  z_stream stream{};
  std::uint64_t packed = 0;
  std::uint64_t unpacked = 0;
  bool in_member = false;
  bool failed = false;
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { inflateEnd(&stream); }
};

Gunzip::Gunzip(GzipLimits limits) : state_(std::make_unique<State>()) {
  state_->limits = limits;
  // 15 = the largest window, 16 = gzip only.
  state_->failed = inflateInit2(&state_->stream, 15 + 16) != Z_OK;
}
Gunzip::~Gunzip() = default;
Gunzip::Gunzip(Gunzip&&) noexcept = default;
Gunzip& Gunzip::operator=(Gunzip&&) noexcept = default;

Result<void> Gunzip::add(std::string_view packed, std::string& out) {
  State& s = *state_;
  if (s.failed) return fail(Errc::kCorrupt, "this gzip stream cannot be read on");
  z_stream& z = s.stream;
  z.next_in = reinterpret_cast<const Bytef*>(packed.data());
  z.avail_in = static_cast<uInt>(packed.size());
  while (z.avail_in > 0) {
    if (!s.in_member) {
      if (s.packed > 0) {
        if (*z.next_in == 0) {  // tapes pad with zeros
          --z.avail_in;
          ++z.next_in;
          continue;
        }
        inflateReset(&z);
      }
      s.in_member = true;
    }
    int code = Z_OK;
    for (;;) {
      const std::size_t before = out.size();
      out.resize(before + kPiece);
      z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      z.avail_out = kPiece;
      const uInt had = z.avail_in;
      code = inflate(&z, Z_NO_FLUSH);
      const std::size_t made = kPiece - z.avail_out;
      out.resize(before + made);
      s.packed += had - z.avail_in;
      s.unpacked += made;
      if (s.unpacked > s.limits.max_bytes) {
        s.failed = true;
        return fail(Errc::kTooLarge, "unpacks to more than " + number(s.limits.max_bytes) + " bytes",
                    "packed byte " + number(s.packed), "raise the limit if this is meant, or split the file");
      }
      if (s.unpacked > kRatioFrom && s.unpacked / s.limits.max_ratio > s.packed) {
        s.failed = true;
        return fail(Errc::kTooLarge, "unpacks to more than " + number(s.limits.max_ratio) + " times its size",
                    "packed byte " + number(s.packed), "unpack it by hand and look at it before reading it");
      }
      if (code != Z_OK || (z.avail_in == 0 && z.avail_out > 0)) break;
    }
    if (code == Z_STREAM_END) {
      s.in_member = false;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      s.failed = true;
      if (s.unpacked > 0 && z.total_out == 0 && z.total_in <= 2) {  // after a whole member
        return fail(Errc::kCorrupt, "bytes that are not gzip follow the end of the gzip data",
                    "packed byte " + number(s.packed));
      }
      return fail(Errc::kCorrupt, std::string("the gzip data is damaged") + (z.msg ? " (" + std::string(z.msg) + ")" : ""),
                  "packed byte " + number(s.packed), "fetch the file again from where it came from");
    }
  }
  return {};
}

Result<void> Gunzip::finish() const {
  const State& s = *state_;
  if (s.failed || !s.in_member) return {};
  return fail(Errc::kCorrupt, "the gzip data is cut short", "packed byte " + number(s.packed),
              "fetch the file again from where it came from");
}

Result<std::string> gunzip(std::string_view packed, std::uint64_t max_bytes) {
  GzipLimits limits;
  limits.max_bytes = max_bytes;
  Gunzip unpack(limits);
  std::string out;
  while (!packed.empty()) {
    const std::string_view piece = packed.substr(0, kPiece);
    packed.remove_prefix(piece.size());
    if (auto done = unpack.add(piece, out); !done) return pass(std::move(done));
  }
  if (auto done = unpack.finish(); !done) return pass(std::move(done));
  return out;
}

}  // namespace tocsin::engine
