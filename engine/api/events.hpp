// POST /v1/events: shippers hand over records, one per line; what is answered with "accepted" is durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/router.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxEventsBody = 64UL * 1024 * 1024;  // bytes after decompression
inline constexpr std::size_t kMaxEventLine = 1024 * 1024;
inline constexpr std::size_t kMaxEventLines = 200'000;             // of one request
inline constexpr std::size_t kMaxRejectsTold = 1'000;              // of one request; all are counted

// One record of a batch: `line` is 1-based in the request's body, `bytes` has no line end.
struct EventLine {
  std::uint64_t line = 0;
  std::string_view bytes;
};

struct EventReceipt {
  struct Rejected {
    std::uint64_t line = 0;
    std::string error;
  };
  std::uint64_t accepted = 0;    // durable now
  std::uint64_t duplicates = 0;  // durable since an earlier request
  std::vector<Rejected> rejected;
};

// Where events go. Implemented over the journal by engine/app.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Makes the records durable and returns; views are valid during the call. Called from several threads.
  // `format` is empty if the shipper did not name one. Errors: kBusy (the queue is full: 429), kTooLarge (no
  // space: 507), kUnavailable (503), kInvalid (unknown format: 400); then nothing was stored.
  [[nodiscard]] virtual Result<EventReceipt> accept(std::string_view source, std::string_view format,
                                                    std::span<const EventLine> lines) = 0;
};

// Records of a body: lines, or for a format that ends in "-csv" lines joined while a quote is open. Empty lines
// are passed over. Error kTooLarge beyond kMaxEventLines. Lines above kMaxEventLine are put into `rejected`.
[[nodiscard]] Result<std::vector<EventLine>> split_events(std::string_view body, std::string_view format,
                                                          std::vector<EventReceipt::Rejected>& rejected);

// POST /v1/events?source=NAME[&format=F], for the role shipper. `sink` must outlive the router.
void add_event_routes(Router& router, EventSink& sink);

}  // namespace tocsin::engine
