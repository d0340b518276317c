// Vectorscan's literal interface, in block mode: needles are bytes, the text is folded already.
#include "rules/sigma/needles.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <hs/hs.h>

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kWorthADatabase = 3;  // fewer are sought faster one by one

int note(unsigned id, unsigned long long, unsigned long long, unsigned, void* found) {
  static_cast<std::vector<std::uint32_t>*>(found)->push_back(id);
  return 0;
}

}  // namespace

void SearchDelete::operator()(hs_scratch* scratch) const noexcept { ::hs_free_scratch(scratch); }
void Needles::DatabaseDelete::operator()(hs_database* database) const noexcept { ::hs_free_database(database); }

void Needles::finish(std::uint32_t number) {
  number_ = number;
  for (auto& [needle, rules] : building_) {
    std::sort(rules.begin(), rules.end());
    rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
    needles_.push_back(needle);
    rules_.push_back(std::move(rules));
  }
  building_.clear();
  if (needles_.size() < kWorthADatabase) return;
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  std::vector<unsigned> flags(needles_.size(), HS_FLAG_SINGLEMATCH);
  std::vector<unsigned> ids;
  for (const std::string& needle : needles_) {
    ids.push_back(static_cast<unsigned>(ids.size()));
    texts.push_back(needle.data());
    lengths.push_back(needle.size());
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const hs_error_t status = ::hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), lengths.data(), static_cast<unsigned>(texts.size()),
                                                   HS_MODE_BLOCK, nullptr, &database, &error);
  if (status == HS_SUCCESS) database_.reset(database);
  if (error != nullptr) ::hs_free_compile_error(error);
}

bool Needles::prepare(Scratch& scratch) const {
  if (database_ == nullptr) return false;
  if (number_ < scratch.prepared.size() && scratch.prepared[number_] != 0) return true;
  hs_scratch_t* raw = scratch.search.release();
  const hs_error_t status = ::hs_alloc_scratch(database_.get(), &raw);
  scratch.search.reset(raw);
  if (status != HS_SUCCESS) {
    scratch.search.release();  // Vectorscan has freed what was there
    scratch.prepared.clear();
    return false;
  }
  if (scratch.prepared.size() <= number_) scratch.prepared.resize(number_ + 1, 0);
  scratch.prepared[number_] = 1;
  return true;
}

void Needles::search(std::string_view text, Scratch& scratch) const {
  scratch.found.clear();
  if (text.empty()) return;
  if (text.size() <= std::numeric_limits<unsigned>::max() && prepare(scratch) &&
      ::hs_scan(database_.get(), text.data(), static_cast<unsigned>(text.size()), 0, scratch.search.get(), note, &scratch.found) == HS_SUCCESS) {
    return;
  }
  scratch.found.clear();
  for (std::uint32_t i = 0; i < needles_.size(); ++i) {
    if (text.size() >= needles_[i].size() && ::memmem(text.data(), text.size(), needles_[i].data(), needles_[i].size()) != nullptr) {
      scratch.found.push_back(i);
    }
  }
}

}  // namespace tocsin::rules::sigma
