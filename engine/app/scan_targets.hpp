// What `tocsin scan` looks at: the files that were named and those below the directories that were named, and what it does
// not look at, each with the reason. Nothing is left out in silence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::engine {

struct ScanTarget {
  std::string path;     // "-" is standard input
  bool walked = false;  // found in a directory: only regular text files are read there
};

struct NotScanned {
  enum class Why : std::uint8_t {
    kUnreadable,  // wanted to, could not: the run has failed
    kBinary,      // the rest is passed over on purpose; naming the file has it scanned
    kPacked,      // compressed in a way that is not unpacked
    kUtf16,
    kLink,        // a link, and --follow was not given; or one that leads where the walk has been
    kSpecial,     // pipe, socket, device
    kGit,         // .git: objects in it are packed, what is checked out is read beside it
  };
  std::string path;
  Why why = Why::kUnreadable;
  std::string reason;  // in words, no secret
};

constexpr int kMaxScanDepth = 64;  // of directories

// `bytes` grows by the sizes of what will be read, for the progress bar. Files of a directory come in the order of names.
[[nodiscard]] std::vector<ScanTarget> scan_targets(const std::vector<std::string>& named, bool follow, std::uint64_t& bytes,
                                                   std::vector<NotScanned>& left_out);

}  // namespace tocsin::engine
