// Framing, always also one byte at a time: where a piece ends must never matter.
#include "engine/intake/framer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

namespace tocsin::engine {
namespace {

std::string show(const Frame& frame) {
  std::string bytes(frame.bytes);
  std::replace(bytes.begin(), bytes.end(), '\n', '~');
  return std::to_string(frame.line) + ":" + bytes + (frame.error.empty() ? "" : " !") + "\n";
}

std::string framed(std::string_view text, Framing framing, std::size_t piece, bool finish = true) {
  Framer framer(framing);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    framer.add(text.substr(at, piece));
    while (auto frame = framer.next()) out += show(*frame);
  }
  if (finish) framer.finish();
  while (auto frame = framer.next()) out += show(*frame);
  EXPECT_FALSE(framer.next());
  return out;
}

void expect(const char* name, Framing framing, std::string_view in, std::string_view want) {
  for (const std::size_t piece : {in.size() + 1, std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    EXPECT_EQ(framed(in, framing, piece), want) << name << ", pieces of " << piece;
  }
}

TEST(Framer, Lines) {
  expect("two", Framing::kLines, "a\nb\n", "1:a\n2:b\n");
  expect("no last break", Framing::kLines, "a\nb", "1:a\n2:b\n");
  expect("CRLF", Framing::kLines, "a\r\nb\r\n", "1:a\n2:b\n");
  expect("empty lines count", Framing::kLines, "\n\na\n  \nb\n", "3:a\n5:b\n");
  expect("nothing", Framing::kLines, "", "");
  expect("only breaks", Framing::kLines, "\n\n\n", "");
  EXPECT_EQ(framed("a\nb", Framing::kLines, 100, false), "1:a\n") << "an unfinished line is waited for";
}

TEST(Framer, CsvLog) {
  const std::string a = "2026-11-23 14:24:47.544 UTC,\"u\",\"one\ntwo \"\"x\"\"\",1";
  const std::string b = "2026-11-23 14:24:48.544 UTC,,3";
  expect("a record over lines", Framing::kCsvLog, a + "\n" + b + "\n",
         "1:2026-11-23 14:24:47.544 UTC,\"u\",\"one~two \"\"x\"\"\",1\n3:" + b + "\n");
  expect("begins in the middle", Framing::kCsvLog, "two\",1\nrest,\"\"\n" + b + "\n",
         "1:two\",1~rest,\"\"~ !\n3:" + b + "\n");
  // A statement may hold a line that looks like a record: the quotes decide.
  const std::string trap = "2026-11-23 14:24:47.544 UTC,\"x\n" + b + "\ny\",1";
  expect("a line inside that looks like a beginning", Framing::kCsvLog, trap + "\n" + b + "\n",
         "1:2026-11-23 14:24:47.544 UTC,\"x~" + b + "~y\",1\n4:" + b + "\n");
  // A crash cuts a record short; the server goes on with the next.
  expect("cut short", Framing::kCsvLog,
         "2026-11-23 14:24:47.544 UTC,\"cut2026-11-23 14:24:47.600 UTC,\"u\",5\n" + b + "\n",
         "1:2026-11-23 14:24:47.544 UTC,\"cut2026-11-23 14:24:47.600 UTC,\"u\",5~ !\n2:" + b + "\n");
  expect("ends inside quotes", Framing::kCsvLog, b + "\n2026-11-23 14:24:49.544 UTC,\"never", "1:" + b +
         "\n2:2026-11-23 14:24:49.544 UTC,\"never !\n");
}

TEST(Framer, PlainLogOfPostgresql) {
  const std::string a = "2026-11-23 14:24:47.544 UTC [1] LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,";
  expect("further lines begin with a tab", Framing::kPgText, "x LOG:  a\n\tb\n\t\n\tc\ny LOG:  d\n", "1:x LOG:  a~\tb~\t~\tc\n5:y LOG:  d\n");
  expect("quotes end an audit line", Framing::kPgText, a + "\"x\n\ty\",<none>\n" + a + "z,<none>\n", "1:" + a + "\"x~\ty\",<none>\n3:" + a + "z,<none>\n");
  expect("begins in the middle", Framing::kPgText, "\tb\n\tc\ny LOG:  d\n", "1:\tb !\n2:\tc !\n3:y LOG:  d\n");
  expect("ends in the middle", Framing::kPgText, a + "\"x\n\ty", "1:" + a + "\"x~\ty\n");
}

TEST(Framer, JsonLines) {
  expect("one per line", Framing::kJson, "{\"a\":1}\n\n{\"b\":2}\n", "1:{\"a\":1}\n3:{\"b\":2}\n");
  expect("a bad line stops nothing", Framing::kJson, "{\"a\":1}\n{\"b\n{\"c\":3}\n", "1:{\"a\":1}\n2:{\"b\n3:{\"c\":3}\n");
}

TEST(Framer, JsonDocuments) {
  expect("array", Framing::kJson, "[\n {\"a\":[1,2]},\n {\"b\":\"}\\\"{\"}\n]\n", "2:{\"a\":[1,2]}\n3:{\"b\":\"}\\\"{\"}\n");
  expect("Records", Framing::kJson, "{\"Records\":[{\"a\":1},{\"b\":{}}]}", "1:{\"a\":1}\n1:{\"b\":{}}\n");
  expect("Records, printed", Framing::kJson, "{\n  \"Records\" : [\n  {\n\"a\":1\n}\n]\n}\n", "3:{~\"a\":1~}\n");
  expect("Records after Records", Framing::kJson, "{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"b\":1}]}\n",
         "1:{\"a\":1}\n2:{\"b\":1}\n");
  expect("objects over lines", Framing::kJson, "{\n\"a\":1\n}\n{\n\"b\":2\n}\n", "1:{~\"a\":1~}\n4:{~\"b\":2~}\n");
  expect("no elements", Framing::kJson, "{\"Records\":[]}", "");
  expect("cut inside a record", Framing::kJson, "[{\"a\":1},{\"b\":", "1:{\"a\":1}\n1:{\"b\": !\n");
  expect("cut between records", Framing::kJson, "{\"Records\":[{\"a\":1},", "1:{\"a\":1}\n1: !\n");
  expect("numbers are no records", Framing::kJson, "[1,2]", "1:1,2] !\n1: !\n");
}

TEST(Framer, GoesOnWhereAFrameEnded) {
  struct Row { const char* name; Framing framing; std::string text; };
  for (const Row& row : {
           Row{"lines", Framing::kLines, "a\nb\n\nc\n"},
           Row{"csvlog", Framing::kCsvLog, "2026-11-23 14:24:47.544 UTC,\"a\nb\"\n2026-11-23 14:24:48.544 UTC,\"c\"\n"},
           Row{"plain log", Framing::kPgText, "x LOG:  a\n\tb\ny LOG:  c\nz LOG:  AUDIT: \"d\n\te\"\n"},
           Row{"array", Framing::kJson, "[{\"a\":1},\n{\"b\":2},\n{\"c\":3}]\n"},
           Row{"Records", Framing::kJson, "{\"Records\":[{\"a\":1},{\"b\":2}]}"},
       }) {
    std::vector<std::string> whole;
    std::vector<Place> ends;
    Framer framer(row.framing);
    framer.add(row.text);
    framer.finish();
    while (auto frame = framer.next()) {
      whole.push_back(show(*frame));
      ends.push_back(frame->end);
    }
    ASSERT_GE(whole.size(), 2U) << row.name;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      Framer again(row.framing, ends[i]);
      again.add(std::string_view(row.text).substr(ends[i].offset));
      again.finish();
      std::size_t k = i + 1;
      while (auto frame = again.next()) {
        ASSERT_LT(k, whole.size()) << row.name;
        EXPECT_EQ(show(*frame), whole[k]) << row.name;
        EXPECT_EQ(frame->end, ends[k]) << row.name;
        ++k;
      }
      EXPECT_EQ(k, whole.size()) << row.name;
    }
  }
}

TEST(Framer, AGigabyteLineNeedsNoGigabyte) {
  struct Row { const char* name; Framing framing; std::string front, filling, back, next; };
  const std::string piece(64 * 1024, 'x');
  for (const Row& row : {
           Row{"lines", Framing::kLines, "", piece, "\n", "after\n"},
           Row{"json lines", Framing::kJson, "{\"a\":\"", piece, "\"}\n", "{\"after\":1}\n"},
           Row{"json document", Framing::kJson, "[{\"a\":\"", piece, "\"},", "{\"after\":1}]"},
           Row{"csvlog", Framing::kCsvLog, "2026-11-23 14:24:47.544 UTC,\"", piece, "\",1\n",
               "2026-11-23 14:24:48.544 UTC,1\n"},
       }) {
    struct rusage before {};
    ::getrusage(RUSAGE_SELF, &before);
    Framer framer(row.framing);
    framer.add(row.front);
    std::size_t frames = 0;
    // A gigabyte of the first; of the others enough to see that memory does not follow.
    const std::size_t pieces = (row.framing == Framing::kLines ? 1ULL << 30 : 128ULL << 20) / piece.size();
    for (std::size_t i = 0; i < pieces; ++i) {
      framer.add(row.filling);
      if (framer.next()) ++frames;
      ASSERT_LE(framer.pending(), kMaxRecord + 2 * piece.size()) << row.name;
    }
    EXPECT_EQ(frames, 0U) << row.name;
    framer.add(row.back + row.next);
    const auto too_long = framer.next();
    ASSERT_TRUE(too_long) << row.name;
    EXPECT_NE(too_long->error.find("1 MiB"), std::string::npos) << row.name;
    EXPECT_EQ(too_long->bytes.size(), kOversizeHead) << row.name;
    EXPECT_EQ(too_long->line, 1U) << row.name;
    framer.finish();
    const auto after = framer.next();
    ASSERT_TRUE(after) << row.name;
    EXPECT_EQ(after->error, "") << row.name;
    EXPECT_FALSE(framer.next()) << row.name;
    struct rusage now {};
    ::getrusage(RUSAGE_SELF, &now);
    EXPECT_LT(now.ru_maxrss - before.ru_maxrss, 64 * 1024) << row.name << ": KiB of memory";
  }
}

TEST(Framer, TheLimitIsExact) {
  for (const auto& [size, fits] : {std::pair{kMaxRecord, true}, std::pair{kMaxRecord + 1, false}}) {
    const std::string text = std::string(size, 'x') + "\nnext\n";
    Framer framer(Framing::kLines);
    framer.add(text);
    const auto frame = framer.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->error.empty(), fits);
    const auto next = framer.next();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->bytes, "next");
  }
}

}  // namespace
}  // namespace tocsin::engine
