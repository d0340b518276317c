tocsin_fuzz(fuzz_http_gate SOURCES ${CMAKE_CURRENT_LIST_DIR}/http_gate_fuzz.cpp LINKS tocsin_gate)
tocsin_fuzz(fuzz_http_target SOURCES ${CMAKE_CURRENT_LIST_DIR}/http_target_fuzz.cpp LINKS tocsin_api_core)
