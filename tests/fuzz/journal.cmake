tocsin_fuzz(fuzz_journal SOURCES ${CMAKE_CURRENT_LIST_DIR}/journal_fuzz.cpp LINKS tocsin_journal)
