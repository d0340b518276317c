tocsin_fuzz(fuzz_ledger SOURCES ${CMAKE_CURRENT_LIST_DIR}/ledger_fuzz.cpp LINKS tocsin_ledger)
