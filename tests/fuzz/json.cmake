tocsin_fuzz(fuzz_json SOURCES ${CMAKE_CURRENT_LIST_DIR}/json_fuzz.cpp LINKS tocsin_json_oracle)
