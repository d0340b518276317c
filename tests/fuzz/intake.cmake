foreach(target decode forwarded frame pg_prefix recognise)
  tocsin_fuzz(fuzz_${target} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${target}_fuzz.cpp LINKS tocsin_intake)
endforeach()
