// What the tests of intake share: decode one record, files that vanish again, gzip, the shared data.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/intake/access_json.hpp"
#include "engine/intake/decoder.hpp"
#include "rules/event.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine {

struct DecodedRecord {
  std::vector<Decoded> all;
  std::string error;
};

// A decoder with its arena; the accesses of the last record stay valid until the next.
class Bench {
 public:
  explicit Bench(std::string_view format, const DecoderOptions& options = {}) {
    auto made = make_decoder(format, options);
    EXPECT_TRUE(made) << (made ? "" : made.error().text());
    if (made) decoder_ = std::move(*made);
  }
  DecodedRecord operator()(std::string_view record) {
    arena_.reset();
    DecodedRecord out;
    Origin origin;
    origin.source = "s";
    origin.file = "f";
    origin.line = 7;
    if (auto done = decoder_->decode(record, origin, arena_, out.all); !done) out.error = done.error().text();
    return out;
  }
  // The only access, of a record that must have one.
  Access one(std::string_view record) {
    DecodedRecord out = (*this)(record);
    EXPECT_EQ(out.error, "");
    EXPECT_EQ(out.all.size(), 1U);
    return out.all.empty() ? Access{} : out.all[0].access;
  }

 private:
  std::unique_ptr<Decoder> decoder_;
  rules::Arena arena_;
};

struct Folder : TemporaryDirectory {
  [[nodiscard]] std::string file(const std::string& name) const { return (*this / name).string(); }
};

inline void write_file(const std::string& path, std::string_view text, bool append = false) {
  std::ofstream out(path, append ? std::ios::binary | std::ios::app : std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

inline std::string gzip(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, static_cast<uLong>(text.size())) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// For as long as it lives, a user who may not read everything: tests run as root in containers.
class Unprivileged {
 public:
  explicit Unprivileged(const Folder& folder) {
    if (::geteuid() != 0) return;
    ::chmod(folder.path().c_str(), 0755);
    constexpr uid_t kNobody = 65534;
    changed_ = ::seteuid(kNobody) == 0;
  }
  ~Unprivileged() {
    if (changed_ && ::seteuid(0) != 0) std::abort();
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  bool changed_ = false;
};

// The folder of real input; empty if this machine has none (the test then skips, saying so).
inline std::filesystem::path shared_data() {
  const char* named = std::getenv("TOCSIN_SHARED_DATA");
  const std::filesystem::path path = named != nullptr && *named != '\0'
                                         ? std::filesystem::path(named)
                                         : std::filesystem::path(TOCSIN_SOURCE_DIR) / "../shared/data";
  std::error_code ec;
  return std::filesystem::is_directory(path, ec) ? path : std::filesystem::path();
}

}  // namespace tocsin::engine
