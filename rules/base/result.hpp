// How errors travel: as values. Result<T> is the one result type of Tocsin; an Error names what went
// wrong, where, and what the reader can do about it, in words fit for a terminal or a page.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace tocsin {

// One code, one meaning. Codes are for programs (exit status, HTTP status); messages are for people.
enum class Errc {
  kInvalid,      // the input does not have the shape it must have
  kNotFound,     // the thing named does not exist
  kConflict,     // the thing exists but is in a state that does not allow this
  kForbidden,    // the caller may not do this
  kUnauthorised, // the caller is not known
  kTooLarge,     // a named limit was exceeded; nothing was done
  kBusy,         // a queue is full or a rate is exceeded: try again later
  kIo,           // the operating system refused: file, socket, disk
  kCorrupt,      // stored bytes do not carry the proof that they are ours
  kUnavailable,  // something this needs is not running or not writable
  kUnsupported,  // valid, but more than this version can honour exactly
  kInternal,     // a fault of Tocsin's own
};

// The stable, lower-case name of a code ("not_found").
[[nodiscard]] std::string_view name(Errc code) noexcept;

struct Error {
  Errc code = Errc::kInternal;
  std::string message;  // one sentence, no personal data, no secret
  std::string where;    // file:line, URL, key; empty if it has no place
  std::string remedy;   // what to do about it; empty if nothing is known

  // "tocsin.yml:3: unknown key 'lisen' (did you mean 'listen'?)"
  [[nodiscard]] std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;

// Makes the failure side of any Result: `return fail(Errc::kInvalid, "…")`.
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string message,
                                                std::string where = {}, std::string remedy = {}) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  error.where = std::move(where);
  error.remedy = std::move(remedy);
  return tl::unexpected<Error>(std::move(error));
}

// Passes a failure of one Result on as the failure of another: `return pass(std::move(r));`.
template <class T>
[[nodiscard]] tl::unexpected<Error> pass(Result<T>&& failed) {
  return tl::unexpected<Error>(std::move(failed).error());
}

}  // namespace tocsin
