// The one file that includes Vectorscan here.
#include "rules/secrets/literals.hpp"

#include <atomic>
#include <cstdlib>
#include <utility>

#include <hs/hs.h>

namespace tocsin::rules::secrets {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

// One scratch per thread, grown to fit every database that the thread has scanned with.
struct Scratch {
  hs_scratch_t* memory = nullptr;
  std::vector<std::uint64_t> fitted;
  ~Scratch() { hs_free_scratch(memory); }

  hs_scratch_t* fit(const hs_database_t* database, std::uint64_t id) {
    for (const auto known : fitted) {
      if (known == id) return memory;
    }
    if (hs_alloc_scratch(database, &memory) != HS_SUCCESS) std::abort();  // out of memory
    constexpr std::size_t kRemembered = 64;
    if (fitted.size() >= kRemembered) fitted.clear();
    fitted.push_back(id);
    return memory;
  }
};

struct Call {
  Literals::Found found;
  void* context;
};

int on_match(unsigned int id, unsigned long long, unsigned long long to, unsigned int, void* context) {
  const auto* call = static_cast<const Call*>(context);
  call->found(call->context, id, static_cast<std::size_t>(to));
  return 0;
}

}  // namespace

Result<Literals> Literals::compile(const std::vector<Literal>& literals) {
  Literals out;
  out.id_ = next_id();
  if (literals.empty()) return out;
  std::vector<const char*> texts;
  std::vector<unsigned int> flags;
  std::vector<unsigned int> ids;
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < literals.size(); ++i) {
    texts.push_back(literals[i].text.data());
    lengths.push_back(literals[i].text.size());
    flags.push_back(HS_FLAG_CASELESS | (literals[i].first_only ? HS_FLAG_SINGLEMATCH : 0U));
    ids.push_back(static_cast<unsigned int>(i));
  }
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), lengths.data(), static_cast<unsigned int>(texts.size()),
                           HS_MODE_BLOCK, nullptr, &out.database_, &error) != HS_SUCCESS) {
    std::string message = error != nullptr ? error->message : "unknown";
    hs_free_compile_error(error);
    return fail(Errc::kInternal, "the literal matcher does not compile: " + message);
  }
  return out;
}

Literals::Literals(Literals&& other) noexcept : database_(std::exchange(other.database_, nullptr)), id_(other.id_) {}

Literals& Literals::operator=(Literals&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(id_, other.id_);
  return *this;
}

Literals::~Literals() { hs_free_database(database_); }

void Literals::scan(std::string_view text, Found found, void* context) const {
  if (database_ == nullptr || text.empty()) return;
  thread_local Scratch scratch;
  Call call{found, context};
  (void)hs_scan(database_, text.data(), static_cast<unsigned int>(text.size()), 0, scratch.fit(database_, id_), on_match, &call);
}

}  // namespace tocsin::rules::secrets
