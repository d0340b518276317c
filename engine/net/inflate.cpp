// zlib's streaming inflate with a budget checked before each piece of output.
#define ZLIB_CONST
#include "engine/net/inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace tocsin::engine {

struct Inflater::Impl {
  z_stream stream{};
  std::size_t cap = 0;
  std::size_t in = 0, out = 0;
  bool started = false;      // zlib could get its memory
  bool inside = false;       // within a gzip member
  bool any_member = false;
  std::array<char, 64 * 1024> piece{};
};

Inflater::Inflater(std::size_t cap) : impl_(std::make_unique<Impl>()) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  impl_->cap = cap;
  impl_->started = inflateInit2(&impl_->stream, kGzipOnly) == Z_OK;
}

Inflater::~Inflater() {
  if (impl_->started) inflateEnd(&impl_->stream);
}

Result<void> Inflater::add(std::string_view packed, std::string& out) {
  if (!impl_->started) return fail(Errc::kBusy, "there is no memory to unpack the body now");
  Impl& state = *impl_;
  z_stream& stream = state.stream;
  while (!packed.empty()) {
    const std::size_t size = std::min<std::size_t>(packed.size(), 1U << 20);
    stream.next_in = reinterpret_cast<const Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(size);
    state.inside = true;
    int rc = Z_OK;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(state.piece.data());
      stream.avail_out = static_cast<uInt>(state.piece.size());
      const uInt before = stream.avail_in;
      rc = inflate(&stream, Z_NO_FLUSH);
      state.in += before - stream.avail_in;
      if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
        return fail(Errc::kInvalid, "the gzip body is damaged; nothing of it was stored", "", "send it again");
      }
      const std::size_t made = state.piece.size() - stream.avail_out;
      if (made > state.cap - state.out) {
        return fail(Errc::kTooLarge, "the unpacked body is larger than " + std::to_string(state.cap) +
                    " bytes; nothing of it was stored", "", "send smaller batches");
      }
      state.out += made;
      if (state.out > kFreeOutput && state.out / kMaxRatio > state.in) {
        return fail(Errc::kTooLarge, "the gzip body grows more than 100 times when unpacked; nothing of it was stored",
                    "", "send it without compression");
      }
      out.append(state.piece.data(), made);
      if (rc == Z_STREAM_END) break;
    } while (stream.avail_in > 0 || stream.avail_out == 0);
    packed.remove_prefix(size - stream.avail_in);
    if (rc == Z_STREAM_END) {
      // gzip files may be glued together (RFC 1952 section 2.2).
      state.inside = false;
      state.any_member = true;
      inflateReset(&stream);
    }
  }
  return {};
}

Result<void> Inflater::finish() const {
  if (impl_->inside || !impl_->any_member) {
    return fail(Errc::kInvalid, "the gzip body is cut off before its end; nothing of it was stored", "",
                "send it again");
  }
  return {};
}

}  // namespace tocsin::engine
