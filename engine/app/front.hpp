// Where a command's question goes: to the engine that runs on the data, over its control socket, or, if none runs, to
// the same handlers in this process. Either way there is one place that answers, and what it answers is the API's JSON.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <boost/json.hpp>

#include "engine/api/router.hpp"
#include "rules/base/result.hpp"

namespace tocsin::engine {

class Front {
 public:
  static constexpr std::chrono::seconds kPatience{600};  // an answer about ten million people takes a while

  // Handlers in this process; `stands_on` is what they refer to. The operator is the user of this process.
  Front(std::shared_ptr<void> stands_on, std::shared_ptr<const Router> router);
  // The engine that runs on `data`. Error kNotFound if none listens there.
  [[nodiscard]] static Result<Front> beside(const std::filesystem::path& data);

  // `target`: a path with its query, percent-encoded. A refusal is an Error with what the API said of it.
  [[nodiscard]] Result<boost::json::value> call(const std::string& method, const std::string& target, const boost::json::object* body) const;
  [[nodiscard]] Result<boost::json::value> send(const std::string& method, const std::string& target, std::string body) const;
  [[nodiscard]] Result<boost::json::value> get(const std::string& target) const { return call("GET", target, nullptr); }
  [[nodiscard]] Result<boost::json::value> post(const std::string& target, const boost::json::object& body) const { return call("POST", target, &body); }

 private:
  Front() = default;
  std::shared_ptr<void> stands_on_;
  std::shared_ptr<const Router> router_;  // null: over the socket
  std::filesystem::path socket_;
};

// The front over what `open` gives; if the data is in use, the engine that uses it. `open` MUST fail with kUnavailable
// then, and that is the error if no engine listens.
template <class Open>
[[nodiscard]] Result<Front> front_for(const std::filesystem::path& data, Open&& open) {
  Result<Front> own = open();
  if (own || own.error().code != Errc::kUnavailable) return own;
  auto other = Front::beside(data);
  if (other || other.error().code != Errc::kNotFound) return other;
  return own;
}

// The path and query of a request: "/v1/exposed?actor=mallory", values encoded, empty ones left out.
[[nodiscard]] std::string target_of(const std::string& path, std::initializer_list<std::pair<const char*, std::string>> query);

}  // namespace tocsin::engine
