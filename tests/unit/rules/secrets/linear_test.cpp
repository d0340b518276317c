// Work grows with the length of the text, whatever is in it: twice the text must not take much more than twice the
// work. What is counted, by the first that is at hand:
//   instructions, by the kernel (perf_event_open), where it lets us;
//   instructions, by callgrind: linear_callgrind.py runs this test under it and judges the counts that are dumped here.
// Time is not judged: under a sanitizer on a busy machine it doubles by itself.
#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define TOCSIN_CALLGRIND 1
#endif

#include "rules/secrets/stream.hpp"

namespace tocsin::rules::secrets {
namespace {

// The instructions that this thread has run outside the kernel, if the kernel counts them for us.
class Instructions {
 public:
  Instructions() {
    perf_event_attr what{};
    what.type = PERF_TYPE_HARDWARE;
    what.size = sizeof what;
    what.config = PERF_COUNT_HW_INSTRUCTIONS;
    what.exclude_kernel = 1;
    what.exclude_hv = 1;
    counter_ = static_cast<int>(syscall(SYS_perf_event_open, &what, 0, -1, -1, 0));
    // Virtual machines open a counter and never count.
    if (counter_ >= 0 && read() == read()) {
      close(counter_);
      counter_ = -1;
    }
  }
  ~Instructions() {
    if (counter_ >= 0) close(counter_);
  }
  Instructions(const Instructions&) = delete;
  Instructions& operator=(const Instructions&) = delete;
  [[nodiscard]] bool counted() const { return counter_ >= 0; }
  [[nodiscard]] double read() const {
    std::uint64_t count = 0;
    return ::read(counter_, &count, sizeof count) == sizeof count ? static_cast<double>(count) : 0;
  }

 private:
  int counter_ = -1;
};

const Scanner& scanner() {
  static const Scanner loaded = [] {
    const RuleFile file{"t.toml",
                        "[[rules]]\nid='generic-api-key'\nregex='''(?i)[\\w.-]{0,50}?(?:access|auth|(?-i:[Aa]pi|API)|credential|creds|key|"
                        "passw(?:or)?d|secret|token)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}"
                        "([\\w.=-]{10,150}|[a-z0-9][a-z0-9+/]{11,}={0,3})(?:[\\x60'\"\\s;]|\\\\[nr]|$)'''\nkeywords=['key','token']\nentropy=3.0\n"
                        "[[rules.allowlists]]\nregexTarget='line'\nregexes=['''nowhere to be seen''']\n"
                        "[[rules]]\nid='pair'\nregex='''id=(\\d+)'''\nkeywords=['id=']\n[[rules.required]]\nid='part'\nwithinLines=3\n"
                        "[[rules]]\nid='part'\nregex='''key=(\\w+)'''\nskipReport=true\n"};
    return Scanner::load({&file, 1}, Options{}).value().scanner;
  }();
  return loaded;
}

std::string repeated(const std::string& piece, std::size_t size) {
  std::string out;
  while (out.size() < size) out += piece;
  return out;
}

void scan(const std::string& text, bool stream) {
  if (stream) {
    Stream lines(scanner(), Scanner::Place{}, true, [](const Stream::Line&) {});
    lines.feed(text);
    lines.finish();
  } else {
    std::vector<Hit> hits;
    scanner().scan(text, hits);
  }
}

// The instructions of `scan`: the least of two runs, as the first fills what is remembered.
double least(const std::string& text, bool stream, const Instructions& instructions) {
  double best = 1e18;
  for (int run = 0; run < 2; ++run) {
    const double start = instructions.read();
    scan(text, stream);
    best = std::min(best, instructions.read() - start);
  }
  return best;
}

struct Text {
  const char* name;
  std::string piece;
  std::size_t at_least = 0;  // what is looked at far ahead, up to a bound, grows with the square until there
};

const std::vector<Text>& texts() {
  static const std::vector<Text> texts = {
      {"naming words", "key"},
      {"naming words and operators", "key="},
      {"keys inside values", "password=\"password='password="},
      {"long values that end nowhere", "token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa+"},
      {"assignments that nearly match", "api_key : \"aB3dE6gH9\" token=x1y2z3a4b5c6 "},
      {"findings everywhere", "key=aB3dE6gH9jK2mN5p "},
      {"composite rules", "id=1 key=abc\n"},
      {"digits in groups", "4111 1111 "},
      {"key blocks without end", "-----BEGIN RSA PRIVATE KEY-----\n", 50'000},
      {"key blocks in one line", "-----BEGIN RSA PRIVATE KEY-----"},
      {"base64 of password", "cGFzc3dvcmQ", 50'000},
      {"INSERT", "INSERT INTO users(password) VALUES ('"},
      {"URLs", "http://a:"},
      {"percent escapes", "%70%61ss%77ord%3D"},
      {"backslashes", "\"password\\\\\\\\"},
  };
  return texts;
}

TEST(Linear, OnTextsMadeToHurt) {
  constexpr std::size_t kSize = 60'000;
  const Instructions instructions;
  constexpr double kTolerance = 2.6;  // of 2; windows of a long line make it 2.33; a square gives 4
  constexpr double kNoise = 2e6;      // instructions that may be anything
  for (const auto& [name, piece, at_least] : texts()) {
    if (kSize < at_least) continue;
    for (const bool stream : {false, true}) {
      if (!instructions.counted()) {
        scan(repeated(piece, kSize), stream);  // for the sanitizers
        continue;
      }
      const double once = least(repeated(piece, kSize), stream, instructions);
      const double twice = least(repeated(piece, 2 * kSize), stream, instructions);
      EXPECT_LT(twice, once * kTolerance + kNoise) << name << (stream ? ", streamed" : ", one record") << ": " << once << " instructions, then " << twice;
    }
  }
  if (!instructions.counted()) GTEST_SKIP() << "the kernel counts no instructions here: secrets_linear_callgrind judges";
}

// For linear_callgrind.py: dumps what each scan costs under the name of its case, "NAME, streamed: once" and "… twice".
TEST(Linear, DumpsForCallgrind) {
#ifdef TOCSIN_CALLGRIND
  const char* const asked = std::getenv("TOCSIN_CALLGRIND_SIZE");
  if (asked == nullptr) GTEST_SKIP() << "run by linear_callgrind.py";
  const std::size_t size = std::strtoull(asked, nullptr, 10);
  scan("key=aB3dE6gH9jK2mN5p", false);
  CALLGRIND_START_INSTRUMENTATION;
  for (const auto& [name, piece, at_least] : texts()) {
    if (size < at_least) continue;
    for (const bool stream : {false, true}) {
      for (const std::size_t times : {1U, 2U}) {
        const std::string text = repeated(piece, times * size);
        CALLGRIND_ZERO_STATS;
        scan(text, stream);
        const std::string said = std::string(name) + (stream ? ", streamed: " : ", one record: ") + (times == 1 ? "once" : "twice");
        CALLGRIND_DUMP_STATS_AT(said.c_str());
      }
    }
  }
  CALLGRIND_STOP_INSTRUMENTATION;
#else
  GTEST_SKIP() << "built without valgrind's header";
#endif
}

}  // namespace
}  // namespace tocsin::rules::secrets
