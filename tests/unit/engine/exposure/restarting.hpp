// With TOCSIN_EXPOSURE_RESTARTS=n a test's reader is saved, thrown away and restored before every n-th access, so that
// each expectation of the test also says that nothing was lost by it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "engine/exposure/reader.hpp"

namespace tocsin::engine {

template <class Make>
void perhaps_restart(std::unique_ptr<ExposureReader>& reader, Make&& make) {
  static const char* const wanted = std::getenv("TOCSIN_EXPOSURE_RESTARTS");
  static std::size_t accesses = 0;
  if (wanted == nullptr || ++accesses % std::strtoul(wanted, nullptr, 10) != 0) return;
  const LearnedBytes saved = reader->save();
  ASSERT_EQ(saved.counts.left_out, 0U);
  reader = make();
  const auto restored = reader->restore(saved.bytes);
  ASSERT_TRUE(restored) << restored.error().text();
  ASSERT_EQ(restored->left_out, 0U);
  ASSERT_EQ(restored->sessions, saved.counts.sessions);
  ASSERT_EQ(reader->save().bytes, saved.bytes);
}

}  // namespace tocsin::engine
