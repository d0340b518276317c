// Which person an object is about, by the way its name is made:
//
//   s3://clinic-scans/patients/{patient_id}/…     a key in a bucket (CloudTrail, or JSON with resource.object)
//   /api/patients/{patient}/visits/{}             a path (access logs): each {…} is one part between slashes
//   /export.php?id={patient}                      a value in the query
//
// The first named place is the person's id; `{}` stands for any part, `…` or `*` at the end for any rest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/access/access.hpp"
#include "rules/base/result.hpp"

namespace tocsin::engine {

class ObjectTemplate {
 public:
  // kInvalid, with what is wrong, for a template without exactly one named place or with an unclosed brace.
  [[nodiscard]] static Result<ObjectTemplate> parse(std::string_view text);

  // The id in the object's name; nullopt if it does not fit.
  [[nodiscard]] std::optional<std::string> person(const Resource& resource) const;
  // Whether a listing under `resource.object` (a key's beginning) shows names that fit.
  [[nodiscard]] bool lists(const Resource& resource) const;

 private:
  [[nodiscard]] std::optional<std::string_view> name_of(const Resource& resource) const;

  std::string bucket_;     // empty: a path, of any host
  std::string path_;       // up to '?', with places
  std::string parameter_;  // the query's parameter that holds the person; empty: it is in the path
  bool open_ = false;      // any rest may follow
};

}  // namespace tocsin::engine
