// Benign logs made at random, as many as wanted: what services, proxies, databases, clusters and clouds write on an
// ordinary day, full of ids, digests, traces, versions and numbers, and without a single secret or person's number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::rules::secrets {

class BenignLines {
 public:
  explicit BenignLines(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::string next();

  static constexpr int kShapes = 14, kMoreShapes = 34;

 private:
  std::string more();
  std::string syslog(std::string_view program);
  std::string words(std::size_t count);  // of those that a scanner listens to, in no order
  std::string query();                   // a path with many parameters
  std::uint32_t random(std::uint32_t below) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>((state_ >> 33) % below);
  }
  template <std::size_t N>
  const char* one_of(const char* const (&choices)[N]) {
    return choices[random(N)];
  }
  std::string text(std::string_view alphabet, std::size_t length);
  std::string hex(std::size_t length) { return text("0123456789abcdef", length); }
  std::string digits(std::size_t length) { return std::string(1, static_cast<char>('1' + random(9))) + text("0123456789", length - 1); }
  std::string base64(std::size_t length) { return text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", length); }
  std::string base62(std::size_t length) { return text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", length); }
  std::string uuid();
  std::string ip();
  std::string time();
  std::string number(std::uint32_t below) { return std::to_string(random(below)); }
  const char* user();
  const char* host();
  const char* path();

  std::uint64_t state_;
};

}  // namespace tocsin::rules::secrets
