// Layers: what is found inside, where it is said to be, and that nothing unpacks without bound.
#include "rules/secrets/layers.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "rules/base/bytes.hpp"
#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {
namespace {

std::string gzipped(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 1000, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string found(const std::string& line) {
  static const Scanner scanner = Scanner::load({}, Options{}).value().scanner;
  std::vector<Hit> hits;
  scanner.scan(line, hits);
  std::string out;
  for (const auto& hit : hits) out += std::string(hit.rule) + " " + hit.note + " [" + line.substr(hit.start, hit.end - hit.start) + "]";
  return out;
}

TEST(Layers, AreSeenThrough) {
  const std::string plain = R"({"user":"anna","password":"hunter2canary"})";
  const std::string hex = to_hex(plain);
  EXPECT_EQ(found("body=" + hex + " end"), "tocsin.encoded-password hex [" + hex + "]");
  const std::string odd = "a" + hex;
  EXPECT_EQ(found("x " + odd + " y"), "tocsin.encoded-password hex [" + hex + "]") << "one digit too many in front";
  const std::string base64 = to_base64(plain);
  EXPECT_EQ(found("body " + base64 + " end"), "tocsin.encoded-password base64 [" + base64 + "]");
  const std::string packed = to_base64(gzipped(plain));
  ASSERT_EQ(packed.substr(0, 4), "H4sI");
  EXPECT_EQ(found("body=\"" + packed + "\" end"), "tocsin.encoded-password gzip in base64 [" + packed + "]");
  EXPECT_EQ(found("body=" + to_base64(gzipped("nothing to see here, all is well")) + " end"), "");
  EXPECT_EQ(found("xH4sI" + packed), "") << "in the middle of something else";
  EXPECT_EQ(found("h4si" + packed.substr(4)), "") << "base64 has two cases";
}

TEST(Layers, AreBounded) {
  const std::string bomb = to_base64(gzipped(std::string(50 << 20, 'a')));
  const auto text = decode_gzip_text(bomb);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->size(), kMaxUnpacked);
  EXPECT_FALSE(decode_gzip_text("H4sIAAAA"));
  EXPECT_FALSE(decode_gzip_text("H4sI!"));
  EXPECT_FALSE(decode_gzip_text(to_base64(gzipped(std::string("\x01\x02", 2)))));
  EXPECT_FALSE(decode_hex_text("0001"));
  EXPECT_FALSE(decode_hex_text("616"));
  EXPECT_FALSE(decode_hex_text("zz"));
  EXPECT_EQ(decode_hex_text("6162"), "ab");
}

}  // namespace
}  // namespace tocsin::rules::secrets
