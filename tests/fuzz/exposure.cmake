tocsin_fuzz(fuzz_exposure SOURCES ${CMAKE_CURRENT_LIST_DIR}/exposure_fuzz.cpp LINKS tocsin_exposure_index)
tocsin_fuzz(fuzz_exposure_learned SOURCES ${CMAKE_CURRENT_LIST_DIR}/exposure_learned_fuzz.cpp LINKS tocsin_exposure tocsin_register_store)
tocsin_fuzz(fuzz_names SOURCES ${CMAKE_CURRENT_LIST_DIR}/names_fuzz.cpp LINKS tocsin_exposure tocsin_intake)
tocsin_fuzz(fuzz_log_readers SOURCES ${CMAKE_CURRENT_LIST_DIR}/log_readers_fuzz.cpp LINKS tocsin_log_readers tocsin_register_store)
