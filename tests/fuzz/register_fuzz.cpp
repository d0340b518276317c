// A register from any bytes: no crash, and what is taken in can be found again.
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "storage/register_store.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin::storage;
  static const HashValue hash = process_hash();
  Registers registers(hash);
  for (int twice = 0; twice < 2; ++twice) {
    std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
    ImportOptions options;
    options.dataset = "d";
    const auto report = import_register(in, options, registers);
    if (!report) continue;
    const People& people = *registers.find("d");
    if (report->added > people.size()) std::abort();
    for (PersonNo no = 0; no < people.size(); ++no) {
      if (people.find(people.at(no).id) != no) std::abort();
    }
  }
  return 0;
}
