// Work grows with the length of the text, whatever is in it: twice the text must not take much more than twice the
// time. CPU time of this thread, the least of several runs, with room for noise; a square would show as four.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>

#include "rules/secrets/stream.hpp"

namespace tocsin::rules::secrets {
namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

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

double least(const std::string& text, bool stream) {
  double best = 1e9;
  for (int run = 0; run < 2; ++run) {
    const double start = cpu_seconds();
    if (stream) {
      Stream lines(scanner(), Scanner::Place{}, true, [](const Stream::Line&) {});
      lines.feed(text);
      lines.finish();
    } else {
      std::vector<Hit> hits;
      scanner().scan(text, hits);
    }
    best = std::min(best, cpu_seconds() - start);
  }
  return best;
}

TEST(Linear, OnTextsMadeToHurt) {
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"naming words", "key"},
      {"naming words and operators", "key="},
      {"keys inside values", "password=\"password='password="},
      {"long values that end nowhere", "token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa+"},
      {"assignments that nearly match", "api_key : \"aB3dE6gH9\" token=x1y2z3a4b5c6 "},
      {"findings everywhere", "key=aB3dE6gH9jK2mN5p "},
      {"composite rules", "id=1 key=abc\n"},
      {"digits in groups", "4111 1111 "},
      {"key blocks without end", "-----BEGIN RSA PRIVATE KEY-----\n"},
      {"key blocks in one line", "-----BEGIN RSA PRIVATE KEY-----"},
      {"base64 of password", "cGFzc3dvcmQ"},
      {"INSERT", "INSERT INTO users(password) VALUES ('"},
      {"URLs", "http://a:"},
      {"percent escapes", "%70%61ss%77ord%3D"},
      {"backslashes", "\"password\\\\\\\\"},
  };
  constexpr std::size_t kSize = 60'000;
  constexpr double kTolerance = 3.2;   // of 2; a square gives 4
  constexpr double kNoise = 0.01;     // seconds that may be anything
  for (const auto& [name, piece] : cases) {
    for (const bool stream : {false, true}) {
      const double once = least(repeated(piece, kSize), stream);
      const double twice = least(repeated(piece, 2 * kSize), stream);
      EXPECT_LT(twice, once * kTolerance + kNoise) << name << (stream ? ", streamed" : ", one record") << ": " << once << " s, then " << twice << " s";
      EXPECT_LT(twice, 10.0) << name;
    }
  }
}

}  // namespace
}  // namespace tocsin::rules::secrets
