// The decoders, one per format; make_decoder() chooses among them.
#pragma once

#include <memory>

#include "engine/intake/decoder.hpp"

namespace tocsin::engine {

[[nodiscard]] std::unique_ptr<Decoder> make_cloudtrail();
[[nodiscard]] std::unique_ptr<Decoder> make_combined(const DecoderOptions& options);
[[nodiscard]] std::unique_ptr<Decoder> make_fhir();
[[nodiscard]] std::unique_ptr<Decoder> make_json(const DecoderOptions& options);
[[nodiscard]] std::unique_ptr<Decoder> make_teleport();
[[nodiscard]] std::unique_ptr<Decoder> make_text(const DecoderOptions& options);

}  // namespace tocsin::engine
