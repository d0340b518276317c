// Text cut the way gitleaks cuts files, for the same findings: a keyword anywhere in a fragment of about 100 kB opens
// its rules in the whole fragment, and a secret that lies across a cut is lost. Stream is what one wants otherwise.
#pragma once

#include <string>
#include <string_view>

#include "rules/secrets/stream.hpp"

namespace tocsin::rules::secrets {

// How long the first fragment of `text` is: kFragment bytes, and then up to kPeek more until two line ends with
// nothing but blanks between. 0 = more text is needed to tell; never if this is the `last` text.
inline constexpr std::size_t kFragment = 100'000;
inline constexpr std::size_t kPeek = 25'000;
[[nodiscard]] std::size_t fragment_length(std::string_view text, bool last) noexcept;

// Like Stream, fragment by fragment; holds one fragment at most.
class Fragments {
 public:
  Fragments(const Scanner& scanner, Scanner::Place place, bool explain, Stream::Sink sink);

  void feed(std::string_view bytes);
  void finish();

 private:
  void work(bool last);
  void one(std::string_view fragment);

  const Scanner& scanner_;
  Scanner::Place place_;
  bool explain_;
  Stream::Sink sink_;
  std::string held_;
  std::uint64_t number_ = 1;  // of the line at which held_ begins
  std::uint64_t dealt_ = 0;   // bytes before held_
};

}  // namespace tocsin::rules::secrets
