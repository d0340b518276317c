tocsin_fuzz(fuzz_exposure SOURCES ${CMAKE_CURRENT_LIST_DIR}/exposure_fuzz.cpp LINKS tocsin_exposure_index)
