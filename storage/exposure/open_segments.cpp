// A list in order of use with an index by name, behind one mutex. Opening happens outside it: two who open the same
// file at once both succeed, and one of them is kept.
#include "storage/exposure/open_segments.hpp"

#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

namespace tocsin::storage::exposure {
namespace {

struct Kept {
  std::string name;
  std::shared_ptr<const Segment> segment;
};

struct Shelf {
  std::mutex mutex;
  std::list<Kept> kept;  // newest use first
  std::unordered_map<std::string, std::list<Kept>::iterator> by_name;
  std::size_t memory = 0;

  void drop(std::list<Kept>::iterator at) {
    memory -= at->segment->memory();
    by_name.erase(at->name);
    kept.erase(at);
  }
};

Shelf& shelf() {
  static Shelf one;
  return one;
}

}  // namespace

Result<std::shared_ptr<const Segment>> open_segment(const std::filesystem::path& file) {
  Shelf& all = shelf();
  const std::string name = file.string();
  {
    const std::lock_guard lock(all.mutex);
    if (const auto known = all.by_name.find(name); known != all.by_name.end()) {
      all.kept.splice(all.kept.begin(), all.kept, known->second);
      return all.kept.front().segment;
    }
  }
  auto opened = Segment::open(file);
  if (!opened) return pass(std::move(opened));
  std::shared_ptr<const Segment> segment = std::move(*opened);
  const std::lock_guard lock(all.mutex);
  if (const auto known = all.by_name.find(name); known != all.by_name.end()) return known->second->segment;
  all.kept.push_front({name, segment});
  all.by_name.emplace(name, all.kept.begin());
  all.memory += segment->memory();
  while (all.kept.size() > 1 && (all.memory > kMaxOpenMemory || all.kept.size() > kMaxOpenFiles)) all.drop(std::prev(all.kept.end()));
  return segment;
}

void forget_segment(const std::filesystem::path& file) {
  Shelf& all = shelf();
  const std::lock_guard lock(all.mutex);
  if (const auto known = all.by_name.find(file.string()); known != all.by_name.end()) all.drop(known->second);
}

std::size_t open_segments_memory() {
  Shelf& all = shelf();
  const std::lock_guard lock(all.mutex);
  return all.memory;
}

}  // namespace tocsin::storage::exposure
