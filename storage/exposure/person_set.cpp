// The only part of the index that speaks to CRoaring. Numbers are taken out with its iterator: a damaged bitmap may
// hold more of them than it says.
#include "storage/exposure/person_set.hpp"

#include <roaring/roaring.h>

namespace tocsin::storage::exposure {
namespace {

struct Free {
  void operator()(roaring_bitmap_t* bitmap) const { roaring_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<roaring_bitmap_t, Free>;

std::string packed(roaring_bitmap_t* bitmap) {
  roaring_bitmap_run_optimize(bitmap);
  std::string out(roaring_bitmap_portable_size_in_bytes(bitmap), '\0');
  roaring_bitmap_portable_serialize(bitmap, out.data());
  return out;
}

Bitmap unpacked(std::string_view bytes) {
  return Bitmap(roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size()));
}

}  // namespace

void PersonSet::add(std::span<const PersonNo> ascending) {
  for (auto at = ascending.begin(); at != ascending.end();) {
    const PersonNo high = *at >> 16;
    std::uint64_t* const words = page(high).data();
    for (; at != ascending.end() && *at >> 16 == high; ++at) words[(*at & 0xFFFF) >> 6] |= 1ULL << (*at & 63);
  }
}

void PersonSet::add(const PersonSet& other) {
  for (std::size_t p = 0; p < other.pages_.size(); ++p) {
    if (other.pages_[p] == nullptr) continue;
    Page& own = page(p);
    for (std::size_t w = 0; w < kWords; ++w) own[w] |= (*other.pages_[p])[w];
  }
}

std::uint64_t PersonSet::size() const {
  std::uint64_t out = 0;
  for (const auto& page : pages_) {
    if (page == nullptr) continue;
    for (const std::uint64_t word : *page) out += static_cast<std::uint64_t>(std::popcount(word));
  }
  return out;
}

std::string PersonSet::roaring() const {
  std::vector<PersonNo> numbers;
  numbers.reserve(size());
  each([&](PersonNo no) {
    numbers.push_back(no);
    return true;
  });
  return to_roaring(numbers);
}

bool PersonSet::add_roaring(std::string_view bytes) {
  const Bitmap bitmap = unpacked(bytes);
  if (bitmap == nullptr) return false;
  roaring_iterate(
      bitmap.get(),
      [](std::uint32_t no, void* self) {
        static_cast<PersonSet*>(self)->add(no);
        return true;
      },
      this);
  return true;
}

std::size_t PersonSet::memory() const {
  std::size_t out = pages_.capacity() * sizeof(pages_[0]);
  for (const auto& page : pages_) out += page == nullptr ? 0 : sizeof(Page);
  return out;
}

std::string to_roaring(const std::vector<PersonNo>& sorted) {
  const Bitmap bitmap(roaring_bitmap_of_ptr(sorted.size(), sorted.data()));
  return packed(bitmap.get());
}

bool roaring_contains(std::string_view bytes, PersonNo no) {
  const Bitmap bitmap = unpacked(bytes);
  return bitmap != nullptr && roaring_bitmap_contains(bitmap.get(), no);
}

}  // namespace tocsin::storage::exposure
