// A data file that was built into the program (ops/cmake/TocsinEmbed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace tocsin {

struct EmbeddedFile {
  std::string_view name;  // from rules/packs on: "law/eu-gdpr.yaml"
  std::string_view text;
};

}  // namespace tocsin
