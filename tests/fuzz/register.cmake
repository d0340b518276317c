tocsin_fuzz(fuzz_register SOURCES ${CMAKE_CURRENT_LIST_DIR}/register_fuzz.cpp LINKS tocsin_register_store)
