// Any log_line_prefix and any log: up to the first zero byte the prefix (none: the common ones), then the log as the
// server's plain log is framed. What a prefix yields lies inside its line, and what comes out of the decoder is UTF-8.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/intake/access_json.hpp"
#include "engine/intake/decoder.hpp"
#include "engine/intake/framer.hpp"
#include "engine/intake/pg_prefix.hpp"
#include "rules/base/text.hpp"

using namespace tocsin;
using namespace tocsin::engine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = all.find('\0');
  DecoderOptions options;
  options.prefix = all.substr(0, zero);
  const std::string_view log = zero == std::string_view::npos ? std::string_view() : all.substr(zero + 1);
  const auto decoder = make_decoder("pgaudit-stderr", options);
  if (!decoder) return 0;
  const auto prefix = PgPrefix::of(options.prefix);
  Framer framer(Framing::kPgText);
  framer.add(log);
  framer.finish();
  rules::Arena arena;
  std::vector<Decoded> out;
  while (auto frame = framer.next()) {
    if (!frame->error.empty()) continue;
    if (prefix) {
      const auto line = prefix->parse(frame->bytes);
      if (line && *line) {
        for (const std::string_view part : {(*line)->time, (*line)->user, (*line)->application, (*line)->process, (*line)->message}) {
          if (!part.empty() && (part.data() < frame->bytes.data() || part.data() + part.size() > frame->bytes.data() + frame->bytes.size())) std::abort();
        }
      }
    }
    arena.reset();
    out.clear();
    const auto done = (*decoder)->decode(frame->bytes, {}, arena, out);
    if (!done && !out.empty()) std::abort();
    for (const Decoded& one : out) {
      std::string text;
      write_access(one.access, text);
      if (!is_utf8(text)) std::abort();
    }
  }
  return 0;
}
