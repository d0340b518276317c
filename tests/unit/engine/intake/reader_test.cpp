// Files, pipes and gzip: whatever is damaged, everything before the damage comes out, and then one clear error.
#include "engine/intake/file_reader.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "intake_test.hpp"

namespace tocsin::engine {
namespace {

struct Content {
  std::size_t records = 0, faulty = 0;
  std::string error, format;
};

Content read_all(const std::string& path, const ReadOptions& options = {}) {
  Content out;
  auto reader = FileReader::open(path, options);
  if (!reader) {
    out.error = reader.error().text();
    return out;
  }
  out.format = (*reader)->format();
  for (;;) {
    auto frame = (*reader)->next();
    if (!frame) {
      out.error = frame.error().text();
      break;
    }
    if (!*frame) break;
    if ((*frame)->error.empty()) ++out.records;
    else ++out.faulty;
  }
  EXPECT_TRUE((*reader)->next()) << "nothing more after the end";
  return out;
}

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "{\"n\":" + std::to_string(i) + ",\"text\":\"some text to pack\"}\n";
  return text;
}

TEST(FileReader, PlainAndGzip) {
  const Folder folder;
  const std::string text = lines(5000);
  write_file(folder.file("a.json"), text);
  write_file(folder.file("a.json.gz"), gzip(text));
  write_file(folder.file("two.gz"), gzip(text) + gzip(text));
  write_file(folder.file("padded.gz"), gzip(text) + std::string(512, '\0'));
  write_file(folder.file("empty"), "");
  write_file(folder.file("empty.gz"), gzip(""));
  EXPECT_EQ(read_all(folder.file("a.json")).records, 5000U);
  EXPECT_EQ(read_all(folder.file("a.json.gz")).records, 5000U);
  EXPECT_EQ(read_all(folder.file("two.gz")).records, 10000U);
  EXPECT_EQ(read_all(folder.file("padded.gz")).records, 5000U);
  for (const char* name : {"empty", "empty.gz"}) {
    const Content empty = read_all(folder.file(name));
    EXPECT_EQ(empty.records, 0U) << name;
    EXPECT_EQ(empty.error, "") << name;
  }
}

TEST(FileReader, TruncatedGzipGivesAllBeforeItAndOneError) {
  const Folder folder;
  std::string text = lines(50'000);
  const std::string packed = gzip(text);
  write_file(folder.file("t.gz"), packed.substr(0, packed.size() / 2));
  const Content half = read_all(folder.file("t.gz"));
  EXPECT_GT(half.records, 20'000U);
  EXPECT_LT(half.records, 30'000U);
  EXPECT_NE(half.error.find("t.gz"), std::string::npos) << half.error;
  EXPECT_NE(half.error.find("cut short"), std::string::npos) << half.error;
  EXPECT_NE(half.error.find("byte " + std::to_string(packed.size() / 2)), std::string::npos) << half.error;

  std::string damaged = packed;
  for (std::size_t i = 0; i < 64; ++i) damaged[damaged.size() / 2 + i] = '\x55';
  write_file(folder.file("d.gz"), damaged);
  const Content broken = read_all(folder.file("d.gz"));
  EXPECT_GT(broken.records, 20'000U);
  EXPECT_NE(broken.error.find("damaged"), std::string::npos) << broken.error;

  write_file(folder.file("tail.gz"), packed + "not gzip");
  const Content tail = read_all(folder.file("tail.gz"));
  EXPECT_EQ(tail.records, 50'000U);
  EXPECT_NE(tail.error.find("follow the end"), std::string::npos) << tail.error;
}

TEST(FileReader, GzipThatUnpacksWithoutEndIsStopped) {
  const Folder folder;
  const std::string bomb = gzip(std::string(64 << 20, '\n') + lines(10));
  write_file(folder.file("b.gz"), bomb);
  ReadOptions options;
  options.format = "json";
  options.gzip.max_ratio = 100;
  EXPECT_NE(read_all(folder.file("b.gz"), options).error.find("times its size"), std::string::npos);
  options.gzip.max_ratio = 100'000;
  EXPECT_EQ(read_all(folder.file("b.gz"), options).records, 10U);
  options.gzip.max_bytes = 1 << 20;
  EXPECT_NE(read_all(folder.file("b.gz"), options).error.find("more than 1048576 bytes"), std::string::npos);
  EXPECT_FALSE(gunzip(bomb, 1 << 20));
  EXPECT_EQ(gunzip(gzip("abc"), 1 << 20).value(), "abc");
  EXPECT_FALSE(gunzip(gzip("abc").substr(0, 12), 1 << 20));
}

TEST(FileReader, SaysWhyAFileCannotBeRead) {
  const Folder folder;
  EXPECT_NE(read_all(folder.file("none")).error.find("no such file"), std::string::npos);
  EXPECT_NE(read_all(folder.path().string()).error.find("is a directory"), std::string::npos);
  write_file(folder.file("diary"), "Dear diary,\nnothing today\n");
  EXPECT_NE(read_all(folder.file("diary")).error.find("not recognised"), std::string::npos);
  write_file(folder.file("secret"), "{}\n");
  ::chmod(folder.file("secret").c_str(), 0);
  const Unprivileged nobody(folder);
  EXPECT_NE(read_all(folder.file("secret")).error.find("may not be read"), std::string::npos);
}

// A line of 1 GB through a pipe: memory stays small and the records around it come out.
TEST(FileReader, AGigabyteLineFromAPipe) {
  const Folder folder;
  const std::string path = folder.file("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&] {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const std::string filling(1 << 20, 'x');
    const auto put = [&](std::string_view bytes) {
      while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
      }
    };
    put("{\"before\":1}\n{\"long\":\"");
    for (int i = 0; i < 1024; ++i) put(filling);
    put("\"}\n{\"after\":1}\n");
    ::close(fd);
  });
  struct rusage before {}, after {};
  ::getrusage(RUSAGE_SELF, &before);
  const Content content = read_all(path);
  ::getrusage(RUSAGE_SELF, &after);
  writer.join();
  EXPECT_EQ(content.error, "");
  EXPECT_EQ(content.records, 2U);
  EXPECT_EQ(content.faulty, 1U);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 64 * 1024) << "KiB of memory";
}

}  // namespace
}  // namespace tocsin::engine
